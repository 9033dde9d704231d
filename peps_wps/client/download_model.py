"""How products are downloaded, where each stands, and what came of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How long is waited for what; all in seconds.

    Parameters
    ----------
    fault_s
        After the first of several faults in a row; doubled with each.
    longest_s
        At most, whatever the server says. (PEPS wrote milliseconds into Retry-After.)
    unknown_s
        For a product on its way, where the server does not say.
    poll_s
        Between two looks at the tape service at most; the first ones come sooner.
    patience_s
        With a server that does not answer at all.
    """

    fault_s: float = 1.0
    longest_s: float = 600.0
    unknown_s: float = 60.0
    poll_s: float = 5.0
    patience_s: float = 600.0


@dataclass(frozen=True, kw_only=True)
class Options:
    """How products are downloaded.

    Parameters
    ----------
    parallel
        Transfers at once.
    ahead
        Products that are known of at once: asked for, on their way, or under transfer.
    extract
        Whether the folder in the zip is wanted, not the zip.
    deadline
        When to give up what is not there.
    tries
        So many faults of one product in a row, without a byte more, are one too many.
    """

    parallel: int = 2
    ahead: int = 100
    extract: bool = False
    deadline: datetime | None = None
    tries: int = 5
    pace: Pace = field(default_factory=Pace)

    def __post_init__(self) -> None:
        for name in ("parallel", "ahead", "tries"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, expected 1 or more")


@dataclass(frozen=True)
class Download:
    """What came of a product.

    Parameters
    ----------
    name
        Its title, or what it was asked for by where nothing is called so.
    state
        ``fetched``, ``present`` (it was there before), ``failed`` or ``late``.
    path
        The zip, or the folder that was in it; None when it is not there.
    message
        Why it is not.
    """

    name: str
    state: str
    path: Path | None = None
    size_bytes: int | None = None
    message: str = ""


@dataclass(frozen=True)
class Progress:
    """Where a product stands.

    Parameters
    ----------
    state
        ``recalling``, ``waiting``, ``receiving`` or ``over``.
    position, expected_s
        In the queue of the tapes; seconds until it is ready, or until the server is asked again.
    message
        What it waits for.
    """

    name: str
    state: str
    done_bytes: int = 0
    size_bytes: int | None = None
    position: int | None = None
    expected_s: float | None = None
    message: str = ""


Watch = Callable[[Progress], None]
