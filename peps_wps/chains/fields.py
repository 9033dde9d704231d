"""Literal inputs of an order, read value by value; every refusal names its input."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from peps_wps.errors import InvalidInputError
from peps_wps.readers.wording import legible

MOST_SHOWN = 80  # characters of a value in a message
_AN_INSTANT = "a date such as 2018-07-20, or a time such as 2018-07-20T06:00:00Z"
_DATE = len("2018-07-20")  # or less; a time is longer, however it is written


class Fields:
    """The inputs of an order; empty values count as absent.

    Parameters
    ----------
    inputs
        Values by identifier, in their order.
    """

    def __init__(self, inputs: Mapping[str, Sequence[str]]) -> None:
        self._values = {
            name: [value.strip() for value in given if value.strip()]
            for name, given in inputs.items()
        }

    def has(self, name: str) -> bool:
        """Tell whether an input is given."""
        return bool(self._values.get(name))

    def listed(self, name: str) -> tuple[str, ...]:
        """Return the values of an input in their order."""
        return tuple(self._values.get(name, ()))

    def several(self, name: str) -> tuple[str, ...]:
        """Return the values of an input, each once."""
        return tuple(dict.fromkeys(self.listed(name)))

    def products(self, name: str = "products", *, most: int | None = None) -> tuple[str, ...]:
        """Return identifiers or titles; one at least, and not more than may be."""
        products = self.several(name)
        if not products:
            raise InvalidInputError(name, f"{name} is missing: give one identifier or title")
        if most is not None and len(products) > most:
            raise InvalidInputError(name, f"{name} are {len(products)}, at most {most} expected")
        return products

    def one(self, name: str) -> str | None:
        """Return the value of an input that may be given once."""
        given = self.listed(name)
        if len(given) > 1:
            raise InvalidInputError(name, f"{name} is given {len(given)} times, expected once")
        return given[0] if given else None

    def choice(self, name: str, allowed: Sequence[str], *, default: str | None = None) -> str:
        """Return one of some words, whatever its case; the first unless another is the default."""
        value = self.one(name)
        if value is None:
            return default or allowed[0]
        for word in allowed:
            if word.lower() == value.lower():
                return word
        raise refused(name, value, f"one of {', '.join(allowed)}")

    def boolean(self, name: str, *, default: bool = False) -> bool:
        """Return true or false."""
        value = self.one(name)
        if value is None:
            return default
        if value.lower() in ("true", "1", "yes", "on"):
            return True
        if value.lower() in ("false", "0", "no", "off"):
            return False
        raise refused(name, value, "true or false")

    def whole(self, name: str, low: int, high: int) -> int | None:
        """Return a whole number between two others, None where it is not given."""
        value = self.one(name)
        if value is None:
            return None
        if not (value.isascii() and value.isdigit() and low <= int(value[:9]) <= high):
            raise refused(name, value, f"a whole number from {low} to {high}")
        return int(value)

    def number(self, name: str, *, default: float, low: float, high: float) -> float:
        """Return a number between two others."""
        value = self.one(name)
        if value is None:
            return default
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not low <= number <= high:
            raise refused(name, value, f"a number from {low:g} to {high:g}")
        return number

    def period(self) -> tuple[datetime, datetime]:
        """Return what is between `start` and `end`, UTC; a bare date is all of its day."""
        start, end = self._instant("start"), self._instant("end", is_last=True)
        if start > end:
            raise InvalidInputError(
                "end", f"end is {end:%Y-%m-%dT%H:%M:%S}, before start, {start:%Y-%m-%dT%H:%M:%S}"
            )
        return start, end

    def _instant(self, name: str, *, is_last: bool = False) -> datetime:
        """Return an instant; of a bare date its first one, or its last."""
        text = self.one(name)
        if text is None:
            raise InvalidInputError(name, f"{name} is missing: give {_AN_INSTANT}")
        try:
            instant = datetime.fromisoformat(text)
            # Times of the first and last days may lie beyond the calendar elsewhere.
            instant = instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
        except (ValueError, OverflowError) as error:
            raise refused(name, text, _AN_INSTANT) from error
        is_day = is_last and len(text) <= _DATE
        return instant + timedelta(days=1, microseconds=-1) if is_day else instant


def refused(name: str, value: str, expected: str) -> InvalidInputError:
    """Return the refusal of a value."""
    shown = legible(value if len(value) <= MOST_SHOWN else value[: MOST_SHOWN - 3] + "...")
    return InvalidInputError(name, f"{name} is {shown}, expected {expected}")
