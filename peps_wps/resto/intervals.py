"""The interval grammar of resto: ``n``, ``n1,n2``, ``[a,b]``, ``]a,b[``, ``[a``, ``b]``."""

import re

from catalog_db.catalogue.query import Interval, OneOf
from peps_wps.errors import InvalidInputError

NUMBER = r"[+-]?\d{1,15}(?:\.\d{1,15})?"
# Blanks that were read are not given back: parting a thousand of them in every way takes seconds.
_INTERVAL = re.compile(rf"([\[\]])?\s*+({NUMBER})?\s*+(?:,\s*+({NUMBER})?)?\s*+([\[\]])?")
_NUMBER_SET = re.compile(rf"\{{?{NUMBER}(?:\s*,\s*{NUMBER})*\}}?")


def read_numbers(name: str, value: str) -> Interval | OneOf:
    """Read numbers or an interval, of which a bracket turned outwards leaves out its end.

    Raises
    ------
    InvalidInputError
        When it is neither; `name` says of which parameter.
    """
    if _NUMBER_SET.fullmatch(value):
        return OneOf(tuple(float(number) for number in value.strip("{}").split(",")))
    interval = _INTERVAL.fullmatch(value)
    if interval is None or not ((interval[1] or interval[4]) and (interval[2] or interval[3])):
        raise InvalidInputError(name, f"Invalid {name}: {value[:40]}, expected one like [0,20]")
    opening, first, second, closing = interval.groups()
    if opening is None and second is None:
        first, second = None, first  # "a]" bounds from above
    return Interval(
        minimum=float(first) if first else None,
        maximum=float(second) if second else None,
        includes_minimum=opening != "]",
        includes_maximum=closing != "[",
    )
