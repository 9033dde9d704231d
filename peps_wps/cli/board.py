"""Where many downloads stand: a board that is redrawn on a terminal, lines elsewhere."""

import os
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Self

from peps_wps.cli.terminal import answer, say
from peps_wps.cli.text import duration_text, shortened, size_text
from peps_wps.client import Download, Progress

_REDRAW_S = 0.1
_LINE_S = 60.0  # between two lines on one transfer where there is no terminal
_SPEED_S = 5.0  # over which speed is measured
_FEWEST_COLUMNS = 20


@dataclass
class _Transfer:
    """A product and how fast it came lately."""

    progress: Progress
    seen: float
    samples: deque[tuple[float, int]] = field(default_factory=deque)
    told: float = 0.0  # when a line was written last

    def speed(self) -> float:
        """Bytes a second."""
        if len(self.samples) < 2:
            return 0.0
        (first, before), (last, after) = self.samples[0], self.samples[-1]
        return (after - before) / (last - first) if last > first else 0.0


class Board:
    """Shows progress on standard error; whatever else is to be written goes through it.

    Parameters
    ----------
    quiet
        Whether nothing is shown.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._is_drawn = (
            not quiet and sys.stderr.isatty() and os.environ.get("TERM", "") not in ("", "dumb")
        )
        self._transfers: dict[str, _Transfer] = {}
        self._height = 0
        self._drawn_at = 0.0
        self._there = 0
        self._missing = 0
        self._fetched_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._erase()

    def show(self, progress: Progress) -> None:
        """Take in where a product stands."""
        now = time.monotonic()
        known = self._transfers.get(progress.name)
        if progress.state == "over":
            self._transfers.pop(progress.name, None)
        else:
            transfer = _Transfer(progress, now) if known is None else known
            if known is None or known.progress.state != progress.state:
                transfer.samples.clear()
            transfer.samples.append((now, progress.done_bytes))
            while now - transfer.samples[0][0] > _SPEED_S:
                transfer.samples.popleft()
            before = None if known is None else known.progress
            transfer.progress, transfer.seen = progress, now
            self._transfers[progress.name] = transfer
            if not (self._quiet or self._is_drawn):
                self._write_line(transfer, before, now)
        if self._is_drawn and now - self._drawn_at >= _REDRAW_S:
            self._draw(now)

    def count(self, result: Download) -> None:
        """Take in what came of a product."""
        self._there += result.path is not None
        self._missing += result.path is None
        self._fetched_bytes += (result.size_bytes or 0) * (result.state == "fetched")

    def set_counts(self, there: int, missing: int) -> None:
        """Take in how many products are there, and how many will not be."""
        self._there, self._missing = there, missing

    def say(self, text: str) -> None:
        """Write a line for a person, above the board."""
        self._erase()
        say(text)

    def answer(self, text: str) -> None:
        """Write a line of the result."""
        self._erase()
        answer(text)

    def lines(self, now: float, width: int, height: int) -> list[str]:
        """Return what the board says, in lines of at most `width` characters."""
        receiving = [one for one in self._transfers.values() if one.progress.state == "receiving"]
        shown = receiving[: max(1, height - 3)]
        lines = [_transfer_line(transfer, width) for transfer in shown]
        lines += [shortened(text, width) for text in self._queue_lines(now)]
        speed = sum(transfer.speed() for transfer in receiving)
        known = self._there + self._missing + len(self._transfers)
        total = f"{self._there} of {known} there"
        total += f", {self._missing} not" if self._missing else ""
        total += f", {size_text(self._fetched_bytes)} fetched" if self._fetched_bytes else ""
        total += f", {size_text(speed)}/s" if speed else ""
        return [*lines, shortened(total, width)]

    def _queue_lines(self, now: float) -> list[str]:
        """Say how many come from tape and when the first is expected; and why others wait."""
        recalled = [one for one in self._transfers.values() if one.progress.state == "recalling"]
        lines = []
        if recalled:
            line = f"on tape: {len(recalled)}"
            expected = [
                one.progress.expected_s - (now - one.seen)
                for one in recalled
                if one.progress.expected_s is not None
            ]
            if expected:
                soonest = min(expected)
                line += (
                    f", the next in about {duration_text(soonest)}"
                    if soonest >= 1
                    else (", the next any moment")
                )
            places = [p for one in recalled if (p := one.progress.position) is not None]
            if places:
                line += f", first in place {min(places)} of the queue"
            lines.append(line)
        waiting = [one.progress for one in self._transfers.values() if _is_waiting(one.progress)]
        if waiting:
            lines.append(f"waiting: {len(waiting)}, {waiting[0].message}")
        return lines

    def _write_line(self, transfer: _Transfer, before: Progress | None, now: float) -> None:
        """Write a line where a product stands elsewhere than before, else once a minute."""
        progress = transfer.progress
        is_new = before is None or (before.state, before.message) != (
            progress.state,
            progress.message,
        )
        if not is_new and now - transfer.told < _LINE_S:
            return
        transfer.told = now
        say(f"{progress.name}: {_sentence(progress)}")

    def _draw(self, now: float) -> None:
        size = os.get_terminal_size(sys.stderr.fileno())
        width = max(_FEWEST_COLUMNS, size.columns - 1)
        lines = self.lines(now, width, size.lines)
        self._erase()
        sys.stderr.write("".join(f"{line}\n" for line in lines))
        sys.stderr.flush()
        self._height, self._drawn_at = len(lines), now

    def _erase(self) -> None:
        """Take the board away; what is written next stands in its place."""
        if self._height:
            sys.stderr.write(f"\x1b[{self._height}A\r\x1b[J")
            sys.stderr.flush()
        self._height = 0


def _is_waiting(progress: Progress) -> bool:
    return progress.state == "waiting"


def _transfer_line(transfer: _Transfer, width: int) -> str:
    """Return name, bar, percent, size, speed and time left: as much of it as there is room for."""
    progress, speed = transfer.progress, transfer.speed()
    whole = progress.size_bytes
    facts = []
    if whole:
        share = min(1.0, progress.done_bytes / whole)
        facts.append(f"{share:4.0%}")
        if width >= 100:
            facts.insert(0, f"▕{'█' * round(16 * share):16}▏")
    if width >= 50:
        of = f" of {size_text(whole)}" if whole else ""
        facts.append(f"{size_text(progress.done_bytes):>7}{of}")
    if width >= 70:
        facts.append(f"{size_text(speed):>7}/s")
    if width >= 80:
        left = duration_text((whole - progress.done_bytes) / speed) if whole and speed else ""
        facts.append(f"{left:9}")
    right = "  ".join(facts)
    room = max(8, width - len(right) - 2)
    return shortened(f"{shortened(progress.name, room):{min(room, 68)}}  {right}", width)


def _sentence(progress: Progress) -> str:
    """Return where a product stands, in words."""
    if progress.state == "receiving":
        if progress.size_bytes is None:
            return f"receiving, {size_text(progress.done_bytes)} so far"
        if progress.done_bytes == 0:
            return f"receiving {size_text(progress.size_bytes)}"
        return (
            f"{progress.done_bytes / progress.size_bytes:.0%} of {size_text(progress.size_bytes)}"
        )
    when = "" if progress.expected_s is None else f", {duration_text(progress.expected_s)} to go"
    place = "" if progress.position is None else f", place {progress.position} of the queue"
    if progress.state == "waiting":
        again = "" if progress.expected_s is None else duration_text(progress.expected_s)
        return f"{progress.message}; again in {again}"
    return f"{progress.message}{place}{when}"
