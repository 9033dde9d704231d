"""Instants: aware `datetime` (UTC) in Python, integer microseconds since 1970 in the tables."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_us(instant: datetime) -> int:
    """Return microseconds since 1970-01-01T00:00:00Z, exactly.

    Raises
    ------
    ValueError
        When `instant` carries no time zone: it would be an instant nobody knows.
    """
    if instant.tzinfo is None:
        raise ValueError(f"{instant.isoformat()} has no time zone, expected an aware datetime")
    return (instant - _EPOCH) // _MICROSECOND


def from_us(microseconds: int) -> datetime:
    """Return the instant, in UTC."""
    return _EPOCH + timedelta(microseconds=microseconds)


def to_text(instant: datetime, precision: str = "seconds") -> str:
    """Return an instant in UTC as RFC 3339 writes it: ``2021-08-09T17:39:53Z``.

    Parameters
    ----------
    instant
        Aware; what it has beyond the precision is cut off.
    precision
        ``seconds``, ``milliseconds`` or ``microseconds``.
    """
    text = instant.astimezone(UTC).isoformat(timespec=precision)
    return text.removesuffix("+00:00") + "Z"


def now() -> datetime:
    """Return the current instant, in UTC."""
    return datetime.now(UTC)
