"""The four kinds of task of S1_TIME_SERIES.

A pair is first computed to cells, which needs its products; the network of all pairs then tells the
misregistration of each date; each pair is unwrapped and put on the map; the maps are inverted.
"""

from dataclasses import asdict, dataclass
from datetime import datetime

from affine import Affine

from peps_wps.chains.contract import Json
from peps_wps.chains.interferometry.map_grid import MapGrid
from peps_wps.chains.time_series_s1.order import Order

PAIR, NETWORK, MAP, SERIES = "pair", "network", "map", "series"
KIND = "kind"
NETWORK_NAME, SERIES_NAME = "network", "series"
# Of what the datalake holds of pairs.
COLLECTION = "S1-INTERFEROGRAMS"


@dataclass(frozen=True)
class Acquisition:
    """A date of a stack.

    Parameters
    ----------
    uids, titles
        Of its product, or of consecutive slices of one pass.
    start
        First line, UTC.
    """

    uids: tuple[str, ...]
    titles: tuple[str, ...]
    start: datetime

    @property
    def uid(self) -> str:
        """Of its first product: what tells dates apart."""
        return self.uids[0]

    @property
    def title(self) -> str:
        """Of all its products, as people are told."""
        return " and ".join(self.titles)

    @property
    def day(self) -> str:
        """Date without dashes."""
        return f"{self.start:%Y%m%d}"

    def to_json(self) -> Json:
        """Return the acquisition as JSON."""
        return {**asdict(self), "start": self.start.isoformat()}

    @classmethod
    def from_json(cls, body: Json) -> "Acquisition":
        """Return the acquisition that `to_json` gave; with a `uid`, from before slices."""
        start = datetime.fromisoformat(body["start"])
        if "uid" in body:
            return cls((body["uid"],), (body["title"],), start)
        return cls(tuple(body["uids"]), tuple(body["titles"]), start)


@dataclass(frozen=True)
class Stack:
    """What all pairs of an order have in common.

    Parameters
    ----------
    order
        Without its products.
    collection
        Folder of the datalake: one for each choice of what decides the maps of a pair.
    relative_orbit, orbit_direction, polarization
        Of all products; across the ascending node the orbit asked for, or the lower one.
    area
        Which bursts take part, WKT; the maps cover it.
    grid
        Of all maps.
    """

    order: Order
    collection: str
    relative_orbit: int
    orbit_direction: str
    polarization: str
    area: str
    grid: MapGrid

    @property
    def track(self) -> str:
        """Orbit and polarisation as names have them: ``ASC_044_vv``."""
        direction = self.orbit_direction[:3].upper()
        return f"{direction}_{self.relative_orbit:03d}_{self.polarization.lower()}"

    def to_json(self) -> Json:
        """Return the stack as JSON."""
        grid = {**asdict(self.grid), "transform": list(self.grid.transform)[:6]}
        values = {name: getattr(self, name) for name in _PLAIN}
        return {**values, "order": self.order.to_json(), "grid": grid}

    @classmethod
    def from_json(cls, body: Json) -> "Stack":
        """Return the stack that `to_json` gave."""
        grid = body["grid"]
        shape = int(grid["shape"][0]), int(grid["shape"][1])
        return cls(
            order=Order.from_json(body["order"]),
            grid=MapGrid(grid["tile"], grid["epsg"], Affine(*grid["transform"]), shape),
            **{name: body[name] for name in _PLAIN},
        )


_PLAIN = ("collection", "relative_orbit", "orbit_direction", "polarization", "area")


@dataclass(frozen=True)
class Pair:
    """Two acquisitions of a stack, the earlier one first."""

    stack: Stack
    first: Acquisition
    second: Acquisition

    @property
    def name(self) -> str:
        """Days of both, as tasks are called after them."""
        return f"{self.first.start:%Y-%m-%d} {self.second.start:%Y-%m-%d}"

    @property
    def uids(self) -> tuple[str, ...]:
        """Of all products."""
        return *self.first.uids, *self.second.uids

    @property
    def titles(self) -> tuple[str, ...]:
        """Of all products."""
        return *self.first.titles, *self.second.titles

    @property
    def folder(self) -> str:
        """Where it is published, below the root of the datalake."""
        return f"{self.stack.collection}/{self.stack.track}/{self.first.day}_{self.second.day}"

    @property
    def stem(self) -> str:
        """Of its files, and the identifier of its item."""
        return f"s1_{self.stack.track}_{self.first.day}_{self.second.day}"

    def to_json(self, kind: str) -> Json:
        """Return the body of a task of the pair."""
        return {
            KIND: kind,
            "stack": self.stack.to_json(),
            "first": self.first.to_json(),
            "second": self.second.to_json(),
        }

    @classmethod
    def from_json(cls, body: Json) -> "Pair":
        """Return the pair that `to_json` gave."""
        first, second = (Acquisition.from_json(body[name]) for name in ("first", "second"))
        return cls(Stack.from_json(body["stack"]), first, second)


@dataclass(frozen=True)
class StackWork:
    """What is done with all pairs together.

    Parameters
    ----------
    acquisitions
        In the order of time.
    pairs
        Indexes of the acquisitions of each.
    left_out
        What the order found and does not use, with the reasons.
    too_long
        Indexes of pairs of the rule whose baselines are known to be too long, with the reasons.
    """

    stack: Stack
    acquisitions: tuple[Acquisition, ...]
    pairs: tuple[tuple[int, int], ...]
    left_out: tuple[Json, ...] = ()
    too_long: tuple[tuple[int, int, str], ...] = ()

    def pair(self, index: tuple[int, int]) -> Pair:
        """Return the pair of two acquisitions."""
        return Pair(self.stack, self.acquisitions[index[0]], self.acquisitions[index[1]])

    def to_json(self, kind: str) -> Json:
        """Return the body of a task."""
        return {
            KIND: kind,
            "stack": self.stack.to_json(),
            "acquisitions": [one.to_json() for one in self.acquisitions],
            "pairs": [list(one) for one in self.pairs],
            "left_out": list(self.left_out),
            "too_long": [list(one) for one in self.too_long],
        }

    @classmethod
    def from_json(cls, body: Json) -> "StackWork":
        """Return the work that `to_json` gave; an earlier version knew no baselines."""
        too_long = body.get("too_long", ())
        return cls(
            Stack.from_json(body["stack"]),
            tuple(Acquisition.from_json(one) for one in body["acquisitions"]),
            tuple((int(first), int(second)) for first, second in body["pairs"]),
            tuple(body["left_out"]),
            tuple((int(first), int(second), why) for first, second, why in too_long),
        )


def map_name(pair: Pair) -> str:
    """Return the name of the task that puts a pair on the map."""
    return f"{pair.name} map"
