"""A hub of any number of products, made as they are asked for: only their times are kept."""

import json
import random
import re
import uuid
from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from typing import Any

from werkzeug.wrappers import Request, Response

from tests.mirror.fake_hub import FakeHub, Fault
from tests.mirror.odata import written

_BOUND = re.compile(r"(PublicationDate|ModificationDate|DeletionDate) (ge|lt) ([\dT:.-]+Z)")
_COLLECTION = re.compile(r"Collection/Name eq '([^']*)'")
COLLECTIONS = ("SENTINEL-2", "SENTINEL-1")
_FAULTS = (
    Fault(status=503),
    Fault(status=500),
    Fault(cut=True),
    Fault(replace={"value": "none"}),
    Fault(replace=[]),
)


class LargeHub(FakeHub):
    """Products of two collections in turn, published over some days; every so many answers fail.

    Attributes
    ----------
    times
        By key of OData, then collection: when and which product, in order.
    served
        Entries in answers that were whole.
    """

    def __init__(self, number: int, days: float, *, faulty_every: int) -> None:
        super().__init__()
        self.now = datetime.now(UTC)
        self.rng = random.Random(number)
        self.number = number
        self.faulty_every = faulty_every
        self.served = 0
        self.times: dict[str, dict[str, list[tuple[datetime, int]]]] = {
            key: {name: [] for name in COLLECTIONS}
            for key in ("PublicationDate", "ModificationDate", "DeletionDate")
        }
        for one in range(number):
            # Many share an instant, as the products of a pass do.
            since = timedelta(days=days * (one // 40 * 40) / number)
            self.add(one, self.now - timedelta(days=days) + since)

    def add(self, number: int, published: datetime) -> None:
        """Let a product appear."""
        for key in ("PublicationDate", "ModificationDate"):
            self.change(key, number, published)

    def change(self, key: str, number: int, instant: datetime) -> None:
        """Note an event of a product."""
        self.times[key][collection_of(number)].append((instant, number))

    def begin(self) -> None:
        """Put all in order; nothing has been served."""
        for by_collection in self.times.values():
            for entries in by_collection.values():
                entries.sort()
        self.served = 0

    def list_products(self, request: Request) -> Response:
        return self._answer(request, "PublicationDate")

    def list_deleted(self, request: Request) -> Response:
        return self._answer(request, "DeletionDate")

    def _answer(self, request: Request, subject: str) -> Response:
        fault = Fault()
        if len(self.requests) % self.faulty_every == 0:
            fault = self.rng.choice(_FAULTS)
        if fault.status:
            return Response("later", fault.status)
        found, skip, top = self._chosen(request, subject)
        page = found[skip : skip + top]
        document: Any = {"value": [self._entity(*one) for one in page]}
        if skip + top < len(found):
            document["@odata.nextLink"] = "more"
        text = json.dumps(document if fault.replace is None else fault.replace)
        if fault == Fault():
            self.served += len(page)
        return Response(text[: len(text) // 2] if fault.cut else text, mimetype="application/json")

    def _chosen(
        self, request: Request, subject: str
    ) -> tuple[list[tuple[datetime, int]], int, int]:
        condition = request.args["$filter"]
        bounds = {
            (key, operator): datetime.fromisoformat(text)
            for key, operator, text in _BOUND.findall(condition)
        }
        key = request.args["$orderby"].partition(" ")[0] if "$orderby" in request.args else subject
        collection = _COLLECTION.search(condition)
        assert collection is not None
        entries = self.times[key][collection[1]]
        low = bisect_left(entries, (bounds[key, "ge"], -1))
        end = bounds.get((key, "lt"))
        high = len(entries) if end is None else bisect_left(entries, (end, -1))
        skip, top = (int(request.args.get(f"${name}", 0)) for name in ("skip", "top"))
        # No more than what this page and the next need: a page costs the same wherever it is.
        return entries[low : min(high, low + skip + top + 1)], skip, top

    def _entity(self, instant: datetime, number: int) -> dict[str, Any]:
        return {
            "Id": hub_id(number),
            "Name": f"S2A_MSIL1C_PRODUCT_{number:08d}.SAFE",
            "ContentLength": 1000 + number,
            "PublicationDate": written(instant),
            "ModificationDate": written(instant),
            "DeletionDate": written(instant),
            "DeletionCause": "Obsolete product",
            "Checksum": [
                {"Value": f"{number:032x}", "Algorithm": "MD5"},
                {"Value": f"{number:064x}", "Algorithm": "BLAKE3"},
            ],
        }


def hub_id(number: int) -> str:
    return str(uuid.UUID(int=number))


def collection_of(number: int) -> str:
    return COLLECTIONS[number % len(COLLECTIONS)]
