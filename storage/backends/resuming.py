"""Transfers that go on where they broke off."""

import time
from collections.abc import Callable

from storage.errors import TapeUnavailableError

_MOST_BREAKS = 5  # without a byte in between
_PAUSE_S = 0.2


def resumed(path: str, receive: Callable[[], None], done: Callable[[], int]) -> None:
    """Receive a file in as many pieces as it takes.

    Parameters
    ----------
    path
        What the file is called in messages.
    receive
        Receives what is left; `TapeUnavailableError` where it breaks off.
    done
        Returns how many bytes have come.

    Raises
    ------
    TapeUnavailableError
        When it breaks off too often without a byte in between.
    """
    breaks = 0
    while True:
        before = done()
        try:
            return receive()
        except TapeUnavailableError as error:
            breaks = 1 if done() > before else breaks + 1
            if breaks > _MOST_BREAKS:
                sentence = f"the transfer of {path} broke off {breaks} times: {error}"
                raise TapeUnavailableError(sentence) from error
            time.sleep(_PAUSE_S * breaks)
