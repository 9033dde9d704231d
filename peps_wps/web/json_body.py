"""JSON bodies of requests, read strictly: what cannot be kept or said again is refused.

RFC 8259 leaves duplicate names, huge numbers and deep nesting to each reader; every one of them has
let two readers see different documents.
"""

import json
import math
from collections import Counter
from collections.abc import Iterator
from itertools import chain, count
from typing import Any

from werkzeug import Request

from peps_wps.web.problem import ProblemError
from peps_wps.xml_parsing import NOT_CARRIED

DEEPEST = 32
# Integers that every JSON reader keeps exactly (RFC 8259, section 6).
LARGEST_INTEGER = 2**53 - 1
_LONGEST_INTEGER = 17  # with its sign


def read_json(request: Request) -> Any:
    """Return the JSON value of the body of a request.

    Raises
    ------
    ProblemError
        400 when it is not JSON, says a name twice, nests too deep, or holds a number or character
        that cannot be kept; 415 when the client says that it is something else.
    RequestEntityTooLarge
        When the body is above ``[server] maxrequestsize``, whether its length is told or not.
    """
    if request.mimetype != "application/json" and not request.mimetype.endswith("+json"):
        sent = request.mimetype or "without a Content-Type"
        raise ProblemError(415, f"the body is {sent}, expected application/json")
    body = request.get_data()
    request.stream.read(1)  # raises where the limit was reached without a length
    return parse_json(body)


def parse_json(body: bytes) -> Any:
    """Return the value of a JSON document; raises as `read_json`."""
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_int=_integer,
            parse_float=_number,
        )
    except UnicodeDecodeError as error:
        raise _bad("the body is not UTF-8") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        raise _bad(f"the body is not JSON: {error.msg}, {place}") from error
    except RecursionError as error:
        raise _too_deep() from error
    for text in _texts(value):
        if found := NOT_CARRIED.search(text):  # other views of a job are XML
            raise _bad(f"the body holds the character {ord(found[0]):#06x}")
    return value


def _texts(value: Any) -> Iterator[str]:
    """Yield every name and text of a document; refuses one that nests too deep."""
    level = [value]
    for depth in count():
        yield from (one for one in level if isinstance(one, str))
        objects = [one for one in level if isinstance(one, dict)]
        lists = [one for one in level if isinstance(one, list)]
        if not objects and not lists:
            return
        if depth == DEEPEST:
            raise _too_deep()
        yield from chain.from_iterable(objects)
        level = [*chain.from_iterable(one.values() for one in objects), *chain(*lists)]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        ((twice, _),) = Counter(name for name, _ in pairs).most_common(1)
        raise _bad(f"the name {_shown(twice)} is given twice", twice)
    return found


def _integer(text: str) -> int:
    if len(text) > _LONGEST_INTEGER or abs(int(text)) > LARGEST_INTEGER:
        raise _bad(f"the number {_shown(text)} is beyond {LARGEST_INTEGER}")
    return int(text)


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise _bad(f"the number {_shown(text)} is too large")
    return value


def _refuse_constant(text: str) -> None:
    raise _bad(f"{text} is not a JSON number")


def _shown(text: str) -> str:
    """Return the beginning of a text, as one that any answer can carry."""
    kept = NOT_CARRIED.sub("?", text)
    return kept if len(kept) <= 40 else kept[:37] + "..."


def _too_deep() -> ProblemError:
    return _bad(f"the body nests deeper than {DEEPEST} levels")


def _bad(detail: str, locator: str = "") -> ProblemError:
    return ProblemError(400, detail, locator=_shown(locator))
