"""The search of an AMALTHEE request: the address of a resto search, in base64.

Only the collection of its path and its query are read: which host it names does not matter, nothing
is fetched. Which page it asks for does not matter either: all pages are meant.
"""

import base64
import binascii
import re
from urllib.parse import parse_qsl, unquote, urlsplit

from catalog_db.errors import QueryError
from peps_wps.errors import InvalidInputError
from peps_wps.resto.parameters import PARAMETERS
from peps_wps.resto.query import PARENT_IDENTIFIERS, RestoSearch, parse_search

INPUT = "opensearch_request"

# Said by clients about the answer, not about the products.
_IGNORED = frozenset({"_pretty", "_bearer", "_tk"})
_PATH = re.compile(r"/(?:.*/)?collections(?:/(?P<collection>[^/]+))?/search\.(?:json|atom)/?")
_MOST_PARAMETERS = 100


def read_address(encoded: str) -> str:
    """Return the address that a request holds.

    Parameters
    ----------
    encoded
        Base64 in either alphabet, padded or not, in one line or several. A space stands for the
        plus sign that a form has made into one.

    Raises
    ------
    InvalidInputError
        When it is no base64 of a text.
    """
    text = re.sub(r"[\r\n\t]", "", encoded.strip()).replace(" ", "+").rstrip("=")
    padded = text + "=" * (-len(text) % 4)
    try:
        content = base64.b64decode(padded.translate(_ALPHABET), validate=True)
        return content.decode("utf-8").strip()
    except (binascii.Error, ValueError) as error:
        raise _refusal("it is not the base64 of a text") from error


_ALPHABET = str.maketrans("-_", "+/")


def search_of(address: str) -> RestoSearch:
    """Return the search that an address asks for.

    Raises
    ------
    InvalidInputError
        When it is no address of a search, or the search has no meaning.
    """
    try:
        parts = urlsplit(address)
        given = parse_qsl(
            parts.query, keep_blank_values=True, errors="strict", max_num_fields=_MOST_PARAMETERS
        )
    except ValueError as error:
        raise _refusal("what it holds is no address of a search") from error
    path = _PATH.fullmatch(unquote(parts.path))
    if parts.scheme not in ("http", "https") or not parts.netloc or path is None:
        raise _refusal(
            "what it holds is no address of a search, "
            "expected one like https://host/resto/api/collections/S2ST/search.json?tileid=31TCJ"
        )
    # A repeated parameter counts with its last value, as in a search.
    parameters = {name: value for name, value in given if name not in _IGNORED}
    _check_names(path["collection"], parameters)
    try:
        return parse_search(path["collection"], parameters)
    except (InvalidInputError, QueryError) as error:
        raise _refusal(f"its search is refused: {error}") from error


def _check_names(collection: str | None, parameters: dict[str, str]) -> None:
    """Refuse what a search would answer with nothing, or overlook: here it would cost tapes."""
    if collection is not None and collection not in PARENT_IDENTIFIERS:
        known = ", ".join(PARENT_IDENTIFIERS)
        raise _refusal(f"there is no collection {collection[:40]}, expected one of {known}")
    unknown = sorted(parameters.keys() - PARAMETERS.keys())
    if unknown:
        raise _refusal(f"its search has an unknown parameter {unknown[0][:40]}")


def _refusal(reason: str) -> InvalidInputError:
    return InvalidInputError(INPUT, f"{INPUT} cannot be used: {reason}")
