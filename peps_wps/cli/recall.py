"""`peps recall`: products brought from tape to disk, on any server with WLCG Tape REST v1.

Operators' verbs, which work on the database of this machine, are in `recall_queue`.
"""

import argparse
import dataclasses
import importlib
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from peps_wps.cli.board import Board
from peps_wps.cli.filters import add_filters, add_server, deadline, duration_s, wanted_products
from peps_wps.cli.orders import told
from peps_wps.cli.terminal import (
    INTERRUPTED,
    JOB_FAILED,
    LATE,
    NOTHING_FOUND,
    OK,
    USAGE,
    answer,
    answer_json,
    say,
)
from peps_wps.cli.text import duration_text, number_text, size_text
from peps_wps.client import FileRecall, Peps, Product, Progress, Recall, RecallStatus

OPERATORS = "peps_wps.cli.recall_queue"

EXAMPLES = """examples:
  peps recall S1A_IW_GRDH_1SDV_20210809T173953_20210809T174018_039156_049F13_8D53 --wait
  peps search -c S1 --start 7d --titles | peps recall --pin 48h -
  peps recall list

Anything that is no action is asked for: `peps recall TITLE` is `peps recall request TITLE`."""

_UID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    request = actions.add_parser("request", help="ask for products")
    request.formatter_class = argparse.RawDescriptionHelpFormatter
    request.usage = "peps recall [PRODUCT ...] [filters] [options]"
    request.add_argument(
        "names", nargs="*", metavar="PRODUCT", help="title or identifier; - for a list on stdin"
    )
    request.add_argument(
        "--pin", type=duration_s, metavar="TIME", help="how long they stay on disk: 48h, 7d"
    )
    request.add_argument(
        "--deadline", type=deadline, metavar="TIME", help="when they are of no use any more"
    )
    request.add_argument("--wait", action="store_true", help="follow it until all are there")
    add_filters(request)
    for name, text in (
        ("wait", "follow a request until all is there"),
        ("status", "where the products of a request stand"),
        ("cancel", "cancel products of a request, or all of it"),
        ("release", "say that products of a request, or all, are needed no more"),
    ):
        action = actions.add_parser(name, help=text)
        action.add_argument("request", metavar="ID")
        if name in ("cancel", "release"):
            action.add_argument("titles", nargs="*", metavar="PRODUCT", help="default: all")
    listing = actions.add_parser("list", help="your requests; for operators, everybody's recalls")
    listing.add_argument(
        "--all", action="store_true", help="everybody's, from the database of this machine"
    )
    listing.add_argument("--var", type=Path, metavar="DIR", help="the same, of this state folder")
    listing.add_argument("--state", action="append", default=[], help="only those; of everybody's")
    listing.add_argument("--user", metavar="NAME", help="only his; of everybody's")
    listing.add_argument("--limit", type=int, default=100, metavar="N", help="default: 100")
    for action in actions.choices.values():
        action.add_argument("--json", action="store_true", help="answer in JSON, no progress")
        add_server(action)
    _add_operators(actions)


def _add_operators(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe what operators do on the machine of the archive."""
    retry = actions.add_parser("retry", help="for operators: try recalls again, now")
    drop = actions.add_parser("drop", help="for operators: give recalls up, whoever waits for them")
    drop.add_argument(
        "--reason", default="an operator gave the recall up", help="what those who wait are told"
    )
    for action in (retry, drop):
        action.add_argument("recalls", nargs="+", type=int, metavar="NUMBER", help="as in the list")
        action.add_argument("--var", type=Path, metavar="DIR", help="folder of all state")
        action.add_argument("--json", action="store_true", help="answer in JSON")


def recall(arguments: argparse.Namespace) -> int:
    """Do what is asked; return the exit code."""
    try:
        return told(lambda: _ACTIONS[arguments.action](arguments))
    except ValueError as error:
        say(f"peps: {error}")
        return USAGE


def _request(arguments: argparse.Namespace) -> int:
    peps = Peps(arguments.url)
    paths = list(dict.fromkeys(_paths(peps, wanted_products(arguments, peps))))
    if not paths:
        say("Nothing was found.")
        return NOTHING_FOUND
    asked = peps.recall(paths, pin_s=arguments.pin, deadline=arguments.deadline)
    if arguments.wait:
        say(f"Request {asked.id}, {number_text(len(paths), 'product')}")
        return _follow(asked, arguments, arguments.deadline)
    if arguments.json:
        answer_json({"id": asked.id, "files": len(paths)})
    else:
        answer(asked.id)
        number = number_text(len(paths), "product")
        say(f"Asked for {number}. Follow it with: peps recall wait {asked.id}")
    return OK


def _paths(peps: Peps, wanted: Iterable[Product | str]) -> Iterator[str]:
    """Return what the tape service knows products by: their titles, or paths as they are."""
    for one in wanted:
        if isinstance(one, Product):
            yield one.title
        elif _UID.fullmatch(one):
            yield peps.find(one).title
        else:
            yield one if "/" in one else one.removesuffix(".zip").removesuffix(".SAFE")


def _wait(arguments: argparse.Namespace) -> int:
    return _follow(Peps(arguments.url).recall_of(arguments.request), arguments, None)


def _follow(asked: Recall, arguments: argparse.Namespace, until: datetime | None) -> int:
    """Show how a request goes until it is over or its time is up."""
    left_s = None if until is None else max(0.0, (until - datetime.now(UTC)).total_seconds())
    try:
        with Board(quiet=arguments.json) as board:
            status = asked.wait(watch=lambda now: _show(board, now), timeout_s=left_s)
    except KeyboardInterrupt:
        say(f"\nThe recall goes on. Follow it with: peps recall wait {asked.id}")
        return INTERRUPTED
    return _tell(status, arguments)


def _show(board: Board, status: RecallStatus) -> None:
    """Put the files of a request on the board."""
    there = status.number("done")
    board.set_counts(there, sum(file.is_finished for file in status.files) - there)
    for file in status.files:
        if file.is_finished:
            board.show(Progress(file.path, "over"))
            continue
        is_running = file.state == "running" and file.size_bytes is not None
        board.show(
            Progress(
                file.path,
                "receiving" if is_running else "recalling",
                done_bytes=file.done_bytes or 0,
                size_bytes=file.size_bytes,
                position=file.position,
                expected_s=file.expected_s,
                message="on its way from tape",
            )
        )


def _status(arguments: argparse.Namespace) -> int:
    return _tell(Peps(arguments.url).recall_of(arguments.request).status(), arguments)


def _tell(status: RecallStatus, arguments: argparse.Namespace) -> int:
    """Write where the files of a request stand; return the exit code that says it."""
    if arguments.json:
        answer_json(dataclasses.asdict(status))
    for file in () if arguments.json else status.files:
        answer(_line(file))
    if status.number("failed"):
        return JOB_FAILED
    is_waited_for = arguments.action == "wait" or getattr(arguments, "wait", False)
    return LATE if is_waited_for and not status.is_finished else OK


def _line(file: FileRecall) -> str:
    """Return a line on a file: the title comes last, as in a search."""
    notes = []
    if file.position is not None:
        notes.append(f"place {file.position}")
    if file.done_bytes and file.size_bytes and not file.is_finished:
        notes.append(f"{file.done_bytes / file.size_bytes:.0%} of {size_text(file.size_bytes)}")
    if file.expected_s is not None and not file.is_finished:
        notes.append(f"{duration_text(file.expected_s)} to go")
    if file.message:
        notes.append(file.message)
    state = "on disk" if file.state == "done" else file.state
    return f"{state:9}  {file.path}" + (f"  ({', '.join(notes)})" if notes else "")


def _list(arguments: argparse.Namespace) -> int:
    if arguments.var is not None or arguments.all:
        code: int = importlib.import_module(OPERATORS).run_list(arguments)
        return code
    found = Peps(arguments.url).recalls()[: arguments.limit]
    if arguments.json:
        answer_json([dataclasses.asdict(one) for one in found])
    for one in () if arguments.json else found:
        created = f"{one.created:%Y-%m-%d %H:%M}" if one.created else ""
        answer(f"{one.id}  {created:16}  {one.done} of {one.files} on disk")
    return OK


def _retry(arguments: argparse.Namespace) -> int:
    code: int = importlib.import_module(OPERATORS).run_retry(arguments)
    return code


def _drop(arguments: argparse.Namespace) -> int:
    code: int = importlib.import_module(OPERATORS).run_drop(arguments)
    return code


def _cancel(arguments: argparse.Namespace) -> int:
    Peps(arguments.url).recall_of(arguments.request).cancel(arguments.titles)
    return _done(arguments, "cancelled")


def _release(arguments: argparse.Namespace) -> int:
    Peps(arguments.url).recall_of(arguments.request).release(arguments.titles)
    return _done(arguments, "released")


def _done(arguments: argparse.Namespace, state: str) -> int:
    if arguments.json:
        answer_json({"id": arguments.request, "state": state, "titles": arguments.titles})
    else:
        what = ", ".join(arguments.titles) or f"Request {arguments.request}"
        say(f"{what}: {state}")
    return OK


_ACTIONS: dict[str, Any] = {
    "request": _request,
    "wait": _wait,
    "status": _status,
    "list": _list,
    "cancel": _cancel,
    "release": _release,
    "retry": _retry,
    "drop": _drop,
}
