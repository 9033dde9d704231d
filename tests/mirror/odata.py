"""The part of OData that clients of the Copernicus Data Space use, answered from Python objects."""

import operator
import re
from collections.abc import Callable
from datetime import datetime

import shapely

from tests.mirror.hub_products import HubProduct

_OPERATORS: dict[str, Callable[[object, object], bool]] = {
    "eq": operator.eq,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}
_DATE = re.compile(r"([A-Za-z/]+) (eq|lt|le|gt|ge) (\d{4}-\d\d-\d\dT[\d:.]+Z)")
_NAME = re.compile(r"(contains|startswith|endswith)\(Name, ?'([^']*)'\)")
_AREA = re.compile(r"OData\.CSC\.Intersects\(area=geography'SRID=4326;([^']*)'\)")
_ATTRIBUTE = re.compile(
    r"Attributes/OData\.CSC\.(\w+)/any\(att:att/Name eq '(\w+)' and "
    r"att/OData\.CSC\.\1/Value (eq|lt|le|gt|ge) ([^)]*)\)"
)


class BadQueryError(Exception):
    """What the hub answers with 400."""


def matches(product: HubProduct, deleted: datetime | None, text: str) -> bool:
    """Tell whether an entity fulfils a $filter."""
    return all(_holds(product, deleted, part) for part in _conjuncts(text))


def _conjuncts(text: str) -> list[str]:
    """Split at `and` outside parentheses and quotes."""
    parts, depth, quoted, begin = [], 0, False, 0
    for place, letter in enumerate(text):
        quoted ^= letter == "'"
        depth += 0 if quoted else {"(": 1, ")": -1}.get(letter, 0)
        if not quoted and depth == 0 and text.startswith(" and ", place):
            parts.append(text[begin:place])
            begin = place + 5
    return [*parts, text[begin:]]


def _holds(product: HubProduct, deleted: datetime | None, part: str) -> bool:
    part = part.strip()
    if part.startswith("(") and part.endswith(")"):
        return matches(product, deleted, part[1:-1])
    if found := re.fullmatch(r"Collection/Name eq '([^']*)'", part):
        return product.collection == found[1]
    if found := _DATE.fullmatch(part):
        dates = {
            "PublicationDate": product.published,
            "ModificationDate": product.modified,
            "DeletionDate": deleted,
            "ContentDate/Start": product.start,
            "ContentDate/End": product.end,
        }
        if found[1] in dates:
            return _OPERATORS[found[2]](dates[found[1]], datetime.fromisoformat(found[3]))
    if found := _NAME.fullmatch(part):
        method = {"contains": "__contains__"}.get(found[1], found[1])
        return bool(getattr(product.name, method)(found[2]))
    if found := _AREA.fullmatch(part):
        return bool(shapely.from_wkt(found[1]).intersects(shapely.from_wkt(product.footprint)))
    if found := _ATTRIBUTE.fullmatch(part):
        value = product.attributes.get(found[2])
        wanted = found[4].strip("'") if isinstance(value, str) else float(found[4].strip("'"))
        return value is not None and _OPERATORS[found[3]](value, wanted)
    raise BadQueryError(f"Invalid query: {part}")


def written(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
