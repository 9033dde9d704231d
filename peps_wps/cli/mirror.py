"""`peps mirror`: follow other archives, say how far the mirror is, compare it with them."""

import argparse
import dataclasses
import signal
import sys
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from catalog_db import times
from catalog_db.mirroring.mirror_report import backlog
from peps_wps import logs
from peps_wps.cli.terminal import (
    INTERRUPTED,
    JOB_FAILED,
    OK,
    USAGE,
    ProgressLine,
    answer,
    answer_json,
    say,
)
from peps_wps.config import Config
from peps_wps.mirror.errors import MirrorError, SourceFileError
from peps_wps.mirror.fetching import Outcome
from peps_wps.mirror.reconciling import Reconciliation, reconcile
from peps_wps.mirror.report import SourceReport, report
from peps_wps.mirror.running import SourceMirror, Tally, run_all
from peps_wps.mirror.sources import Source, load_sources
from peps_wps.services import Services, open_catalogue
from peps_wps.signals import heard

_BACKLOG_S = 5.0  # between two looks at the backlog, for the progress
# The source may still be adding to its last minutes.
_SETTLED = timedelta(minutes=15)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    run_ = actions.add_parser("run", help="follow the sources until stopped")
    run_.add_argument(
        "--once", action="store_true", help="list once, fetch what is due, and return"
    )
    status = actions.add_parser("status", help="delay, backlog, failures, availability")
    compare = actions.add_parser(
        "reconcile", help="compare counts per day with the sources, open gaps again"
    )
    compare.add_argument(
        "--since", type=_day, metavar="DAY", help="first day (default: all of each feed)"
    )
    for command in (status, compare):
        command.add_argument("--json", action="store_true", help="answer in JSON")
    for command in (run_, status, compare):
        command.add_argument(
            "--source", action="append", default=[], metavar="NAME", help="only this one; repeat"
        )
        command.add_argument("--var", type=Path, metavar="DIR", help="folder of all state")


def run(arguments: argparse.Namespace) -> int:
    """Do what is asked; return the exit code."""
    config = Config.load(var=arguments.var)
    logs.configure(config.logging)
    try:
        sources = _chosen(load_sources(config.mirror.sources), arguments.source)
        services = Services.of(config, open_catalogue(config))
        actions = {"run": _follow, "status": _status, "reconcile": _reconcile}
        return actions[arguments.action](arguments, sources, services)
    except SourceFileError as error:
        say(f"peps: {error}")
        return USAGE
    except MirrorError as error:
        say(f"peps: {error}")
        return JOB_FAILED


def _chosen(sources: Sequence[Source], names: Sequence[str]) -> list[Source]:
    unknown = sorted(set(names) - {source.name for source in sources})
    if unknown:
        raise SourceFileError(f"there is no source {unknown[0]}")
    return [source for source in sources if not names or source.name in names]


def _follow(arguments: argparse.Namespace, sources: list[Source], services: Services) -> int:
    """Follow the sources; SIGTERM and Ctrl-C end it cleanly, downloads are continued later."""
    stop, received = threading.Event(), list[int]()

    def end(number: int) -> None:
        received.append(number)
        stop.set()

    with (
        heard((signal.SIGTERM, signal.SIGINT), end),
        ProgressLine(quiet=not sys.stderr.isatty()) as line,
    ):
        progress = _Progress(line, sources, services)
        tallies = run_all(sources, services, stop, once=arguments.once, progress=progress)
    answer(_in_words(tallies))
    problems = [problem for tally in tallies for problem in tally.problems]
    for problem in problems:
        say(f"peps: {problem}")
    if signal.SIGINT in received:
        return INTERRUPTED
    with services.engine.connect() as connection:
        reports = [report(connection, source, times.now()) for source in sources]
    is_behind = arguments.once and any(one.backlog_products for one in reports)
    return JOB_FAILED if problems or is_behind else OK


class _Progress:
    """Shows how much of what is to be fetched is here; the backlog is asked for now and then."""

    def __init__(self, line: ProgressLine, sources: list[Source], services: Services) -> None:
        self._line = line
        self._sources = sources
        self._services = services
        self._waiting = 0
        self._asked_at = -_BACKLOG_S

    def __call__(self, tallies: Sequence[Tally]) -> None:
        """Show the progress of the sources."""
        if not sys.stderr.isatty():
            return
        if time.monotonic() - self._asked_at > _BACKLOG_S:
            with self._services.engine.connect() as connection:
                backlogs = [backlog(connection, source.name) for source in self._sources]
            self._waiting = sum(one.products for one in backlogs)
            self._asked_at = time.monotonic()
        here = sum(tally.outcomes[Outcome.MIRRORED] for tally in tallies)
        percent = 100 * here / max(1, here + self._waiting)
        self._line.show(percent, f"{_in_words(tallies)}, {self._waiting} waiting")


def _in_words(tallies: Sequence[Tally]) -> str:
    outcomes = {outcome: sum(tally.outcomes[outcome] for tally in tallies) for outcome in Outcome}
    size_gb = sum(tally.size_bytes for tally in tallies) / 1e9
    words = [f"{number} {outcome}" for outcome, number in outcomes.items() if number]
    return ", ".join([*words, f"{size_gb:.3f} GB received"])


def _status(arguments: argparse.Namespace, sources: list[Source], services: Services) -> int:
    with services.engine.connect() as connection:
        reports = [report(connection, source, times.now()) for source in sources]
    if arguments.json:
        answer_json([dataclasses.asdict(one) for one in reports])
        return OK
    for one in reports:
        for text in _lines(one):
            answer(text)
    return OK


def _lines(one: SourceReport) -> list[str]:
    states = ", ".join(f"{number} {state}" for state, number in one.states.items())
    delay = one.delay
    share = "none" if delay.share_within_48h is None else f"{100 * delay.share_within_48h:.2f} %"
    served = "unknown" if one.availability is None else f"{100 * one.availability:.2f} %"
    delays = ", ".join(
        f"{name} {_duration(value)}"
        for name, value in (("p50", delay.p50_s), ("p95", delay.p95_s), ("max", delay.max_s))
    )
    return [
        f"{one.source}: {states or 'nothing known yet'}",
        f"  listed until   {_instant(one.listed_until)}",
        f"  closed until   {_instant(one.closed_until)}",
        f"  delay          {delays}; within 48 h: {share}",
        f"  backlog        {one.backlog_products} products, {one.backlog_bytes / 1e9:.3f} GB, "
        f"oldest of {_instant(one.oldest_waiting)}",
        f"  damaged        {one.corrupt_downloads} downloads",
        f"  availability   {served}",
        *(
            f"  {day.day:%Y-%m-%d}     {day.collection}: {day.products} products, "
            f"{day.size_bytes / 1e9:.3f} GB"
            for day in one.days
            if day.collection
        ),
        *(f"  given up       {failure.name}: {failure.error}" for failure in one.failures),
    ]


def _reconcile(arguments: argparse.Namespace, sources: list[Source], services: Services) -> int:
    """Compare with the sources; 0 when nothing differed."""
    found: list[Reconciliation] = []
    with ProgressLine(quiet=arguments.json or not sys.stderr.isatty()) as line:
        for source in sources:
            mirror = SourceMirror(source, services, threading.Event())
            found.append(
                reconcile(
                    source,
                    mirror.hub,
                    mirror.lister,
                    services.engine,
                    until=times.now() - _SETTLED,
                    since=arguments.since,
                    progress=line.show,
                )
            )
    if arguments.json:
        answer_json([dataclasses.asdict(one) for one in found])
    for one in () if arguments.json else found:
        answer(f"{one.source}: {one.days} days compared, {len(one.gaps)} differ")
        for gap in one.gaps:
            answer(
                f"  {gap.day:%Y-%m-%d} {gap.feed}: {gap.theirs} there, {gap.ours} known, "
                f"{gap.reopened} opened"
            )
        answer(f"  {one.retried} given up before wait again")
    return JOB_FAILED if any(one.gaps for one in found) else OK


def _instant(instant: datetime | None) -> str:
    return "-" if instant is None else f"{instant:%Y-%m-%d %H:%M:%S} UTC"


def _duration(seconds: float | None) -> str:
    return "-" if seconds is None else str(timedelta(seconds=round(seconds)))


def _day(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} is no day like 2026-11-22") from error
