"""`peps download`: products to a folder, whatever happens on the way."""

import argparse
import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from peps_wps.cli.board import Board
from peps_wps.cli.filters import add_filters, add_server, deadline, wanted_products
from peps_wps.cli.orders import told
from peps_wps.cli.terminal import (
    INTERRUPTED,
    JOB_FAILED,
    LATE,
    NOTHING_FOUND,
    OK,
    USAGE,
    answer_json,
    say,
)
from peps_wps.cli.text import size_text
from peps_wps.client import Download, Options, Peps, Product

EXAMPLES = """examples:
  peps download S1A_IW_GRDH_1SDV_20210809T173953_20210809T174018_039156_049F13_8D53
  peps search -c S2ST --tile 31TCJ --limit 5 --titles | peps download --output data -

What broke off is continued when the same is asked for again."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.usage = "%(prog)s [PRODUCT ...] [filters] [options]"
    parser.epilog = EXAMPLES
    parser.add_argument(
        "names", nargs="*", metavar="PRODUCT", help="title or identifier; - for a list on stdin"
    )
    parser.add_argument(
        "--output", type=Path, default=Path(), metavar="DIR", help="where they go (default: .)"
    )
    parser.add_argument(
        "--parallel", type=int, choices=range(1, 17), default=2, metavar="N", help="default: 2"
    )
    parser.add_argument(
        "--extract", action="store_true", help="keep the folder in each zip, not the zip"
    )
    parser.add_argument(
        "--deadline",
        type=deadline,
        metavar="TIME",
        help="give up what is not there then: 6h, 2026-11-22T18:00",
    )
    parser.add_argument("--json", action="store_true", help="answer in JSON, no progress")
    add_filters(parser)
    add_server(parser)


def download(arguments: argparse.Namespace) -> int:
    """Download what is meant; say what came of it."""

    def run(results: list[Download]) -> int:
        peps = Peps(arguments.url)
        options = Options(
            parallel=arguments.parallel, extract=arguments.extract, deadline=arguments.deadline
        )
        wanted = wanted_products(arguments, peps)
        return run_downloads(
            peps, wanted, arguments.output, options, results, is_json=arguments.json
        )

    try:
        return finish(lambda results: told(lambda: run(results)), is_json=arguments.json)
    except ValueError as error:
        say(f"peps: {error}")
        return USAGE


def finish(run: Callable[[list[Download]], int], *, is_json: bool = False) -> int:
    """Run what fills a list of results; say what came of them, however it ends."""
    results: list[Download] = []
    try:
        code = run(results)
    except KeyboardInterrupt:
        say("\nInterrupted. What came is kept: the same command once more goes on from there.")
        code = INTERRUPTED
    if is_json:
        answer_json([dataclasses.asdict(one) for one in results])
    elif results:
        say(summary(results))
    return code


def run_downloads(
    peps: Peps,
    wanted: Iterable[Product | str],
    folder: Path,
    options: Options,
    results: list[Download],
    *,
    is_json: bool = False,
) -> int:
    """Download products with a board to look at; put what came of each into `results`."""
    with Board(quiet=is_json) as board:
        for one in peps.downloads(wanted, folder, options, watch=board.show):
            results.append(one)
            board.count(one)
            if not is_json:
                tell(board, one)
    if not results:
        say("Nothing was found.")
    return exit_code(results)


def summary(results: list[Download]) -> str:
    """Return what came of all, in a line."""
    numbers = Counter(one.state for one in results)
    size = sum(one.size_bytes or 0 for one in results if one.state == "fetched")
    words = {
        "fetched": f"fetched ({size_text(size)})",
        "present": "there before",
        "late": "late",
        "failed": "failed",
    }
    return ", ".join(f"{numbers[state]} {word}" for state, word in words.items() if numbers[state])


def exit_code(results: list[Download]) -> int:
    """Return the exit code that says what came of all."""
    states = {one.state for one in results}
    if not states:
        return NOTHING_FOUND
    if "late" in states:
        return LATE
    return JOB_FAILED if "failed" in states else OK


def tell(board: Board, one: Download) -> None:
    """Say what came of a product: its path for scripts, why it is not there for people."""
    if one.path is None:
        board.say(f"{one.name}: {one.state}: {one.message}")
        return
    board.answer(str(one.path))
