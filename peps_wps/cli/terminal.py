"""What the command writes: results to standard output, everything else to standard error."""

import json
import sys
from typing import Any, Self

from tqdm import tqdm

OK = 0
JOB_FAILED = 1
USAGE = 2
UNREACHABLE = 3
REFUSED = 4
NOTHING_FOUND = 5
LATE = 6
INTERRUPTED = 130

EXIT_CODES = f"""exit codes:
  {OK}    done
  {JOB_FAILED}    the job failed, or something could not be done
  {USAGE}    the command line or the configuration is wrong
  {UNREACHABLE}    the server cannot be reached
  {REFUSED}    the server refused, or does not know who asks
  {NOTHING_FOUND}    a search found nothing
  {LATE}    not all was there at the deadline
  {INTERRUPTED}  interrupted"""


def say(text: str) -> None:
    """Write a line for a person."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def answer(text: str) -> None:
    """Write a line of the result."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def answer_json(value: Any) -> None:
    """Write the result for a machine."""
    answer(json.dumps(value, indent=2, default=str))


class ProgressLine:
    """Progress on standard error: a bar on a terminal, a line for each change elsewhere."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._last = ""
        self._bar: tqdm[Any] | None = None
        if sys.stderr.isatty() and not quiet:
            shape = "{percentage:3.0f} %|{bar:24}| {elapsed} {desc}"
            self._bar = tqdm(total=100, bar_format=shape, dynamic_ncols=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def show(self, percent: float, message: str) -> None:
        """Show how far it is."""
        if self._bar is not None:
            self._bar.update(percent - self._bar.n)
            if message != self._last:
                self._bar.set_description_str(message)
        elif not self._quiet and message != self._last:
            say(f"{percent:3.0f} %  {message}")
        self._last = message
