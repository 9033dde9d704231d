"""The two kinds of task of S1_TILING: a date of a tile, and the series of an orbit over a tile."""

from dataclasses import asdict, dataclass

from peps_wps.chains.contract import Json
from peps_wps.chains.tiling_s1.order import Order

DATE, SERIES = "date", "series"
_KIND = "kind"


@dataclass(frozen=True)
class Series:
    """Which dates belong together: they show the same ground from the same place.

    Parameters
    ----------
    collection
        Folder of the datalake: ``S1-L1-ORTHO``.
    parameters
        What decides what its files hold.
    polarizations
        The co-polarised one first.
    """

    collection: str
    parameters: Json
    tile: str
    relative_orbit: int
    orbit_direction: str
    polarizations: tuple[str, ...]

    @property
    def folder(self) -> str:
        """Of the tile, below the root of the datalake."""
        return f"{self.collection}/{self.tile}"

    @property
    def name(self) -> str:
        """What tells it from the others of its tile: ``DES_139_vvvh``."""
        polarizations = "".join(self.polarizations).lower()
        return f"{self.orbit_direction[:3].upper()}_{self.relative_orbit:03d}_{polarizations}"

    @classmethod
    def from_json(cls, body: Json) -> "Series":
        """Return the series that `dataclasses.asdict` made JSON of."""
        return cls(**{**body, "polarizations": tuple(body["polarizations"])})


@dataclass(frozen=True)
class DateTask:
    """One pass on one tile, to be computed unless the datalake holds it.

    Parameters
    ----------
    stem
        Of its files, and the identifier of its item.
    date
        What tells it from the others of its series: ``s1b_20180720``.
    day
        Folder below the tile's: ``2018/07/20``.
    products, titles
        Its frames: identifiers and names.
    """

    order: Order
    series: Series
    stem: str
    date: str
    day: str
    products: tuple[str, ...]
    titles: tuple[str, ...]

    @property
    def folder(self) -> str:
        """Where it is published, below the root of the datalake."""
        return f"{self.series.folder}/{self.day}"

    @property
    def name(self) -> str:
        """What people call the task."""
        return f"{self.series.tile} {self.series.name} {self.date}"

    def to_json(self) -> Json:
        """Return the task as JSON."""
        return {_KIND: DATE, **asdict(self), "order": self.order.to_json()}

    @classmethod
    def from_json(cls, body: Json) -> "DateTask":
        """Return the task that `to_json` gave."""
        values = {name: value for name, value in body.items() if name != _KIND}
        tuples = {name: tuple(body[name]) for name in ("products", "titles")}
        order, series = Order.from_json(body["order"]), Series.from_json(body["series"])
        return cls(**{**values, **tuples, "order": order, "series": series})


@dataclass(frozen=True)
class SeriesTask:
    """What is made of all dates of a series together.

    Parameters
    ----------
    items
        Path of the item of each date of the order, below the root of the datalake.
    left_out
        What the order found and does not use, with the reasons.
    """

    order: Order
    series: Series
    items: tuple[str, ...]
    left_out: tuple[Json, ...] = ()

    @property
    def name(self) -> str:
        """What people call the task."""
        return f"{self.series.tile} {self.series.name} series"

    def to_json(self) -> Json:
        """Return the task as JSON."""
        return {_KIND: SERIES, **asdict(self), "order": self.order.to_json()}

    @classmethod
    def from_json(cls, body: Json) -> "SeriesTask":
        """Return the task that `to_json` gave."""
        return cls(
            Order.from_json(body["order"]),
            Series.from_json(body["series"]),
            tuple(body["items"]),
            tuple(body["left_out"]),
        )


def is_date(body: Json) -> bool:
    """Tell whether the body of a task is that of a date."""
    return bool(body[_KIND] == DATE)
