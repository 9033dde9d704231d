"""Two hundred searches of all kinds, and what they must find, by looking at every product."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from benchmarks.catalogue.generator import FIRST_S, LAST_S, Catalogue, Rows
from catalog_db.catalogue.kinds import Kind
from catalog_db.catalogue.query import Interval, OneOf, SearchQuery, TextFilter
from catalog_db.catalogue.regions import box_region

PAGE = 50
_DAY_US = 86_400_000_000
_FIRST_US, _LAST_US = int(FIRST_S * 1e6), int(LAST_S * 1e6)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# West, south, east and north of boxes about countries, degrees.
COUNTRIES = {
    "France": (-5.2, 41.3, 9.6, 51.1),
    "Spain": (-9.3, 36.0, 3.3, 43.8),
    "Italy": (6.6, 36.6, 18.5, 47.1),
    "Germany": (5.9, 47.3, 15.0, 55.1),
    "Poland": (14.1, 49.0, 24.2, 54.8),
    "Norway": (4.6, 58.0, 31.1, 71.2),
    "Turkey": (26.0, 35.8, 44.8, 42.1),
    "Morocco": (-13.2, 27.7, -1.0, 35.9),
    "Mali": (-12.2, 10.2, 4.3, 25.0),
    "Kenya": (33.9, -4.7, 41.9, 5.5),
    "Madagascar": (43.2, -25.6, 50.5, -11.9),
    "India": (68.2, 8.1, 97.4, 35.5),
    "Japan": (129.4, 31.0, 145.8, 45.5),
    "Mexico": (-117.1, 14.5, -86.7, 32.7),
    "Peru": (-81.3, -18.4, -68.7, -0.1),
    "Chile": (-75.6, -55.6, -66.4, -17.5),
    "New Zealand": (166.4, -47.3, 178.5, -34.4),
    "Iran": (44.0, 25.1, 63.3, 39.8),
    "Ukraine": (22.1, 44.4, 40.2, 52.4),
    "Mongolia": (87.8, 41.6, 119.9, 52.1),
}
_CONTINENTS = (
    (-180.0, -90.0, 180.0, 90.0),
    (-25.0, 34.0, 45.0, 72.0),
    (-18.0, -35.0, 52.0, 38.0),
    (60.0, 0.0, 150.0, 55.0),
    (-170.0, 15.0, -52.0, 72.0),
    (-82.0, -56.0, -34.0, 13.0),
    (110.0, -45.0, 155.0, -10.0),
)


@dataclass(frozen=True)
class Asked:
    """A search, told twice: as values to look at every product with, and for the catalogue.

    `group` is a letter: A small boxes for some days, B for all time, C countries with attributes,
    D polygons, E countries for all time, F continents for few days, G over the antimeridian,
    H polar caps, I tiles.
    """

    group: str
    region: BaseGeometry | None = None
    first_us: int | None = None
    last_us: int | None = None
    kind: Mapping[str, str] = field(default_factory=dict)
    most_cloud: float | None = None
    relative_orbit: int | None = None
    tile: str | None = None

    def query(self) -> SearchQuery:
        """Return what the catalogue is asked."""
        texts = {
            name: TextFilter(value) for name, value in self.kind.items() if name != "collection"
        }
        if self.tile is not None:
            texts["mgrs_tile"] = TextFilter(self.tile)
        numbers: dict[str, Interval | OneOf] = {}
        if self.most_cloud is not None:
            numbers["cloud_cover"] = Interval(0.0, self.most_cloud)
        if self.relative_orbit is not None:
            numbers["relative_orbit"] = OneOf((float(self.relative_orbit),))
        return SearchQuery(
            collections=(self.kind["collection"],) if "collection" in self.kind else (),
            region=self.region,
            start_from=_instant(self.first_us),
            start_to=_instant(self.last_us),
            texts=texts,
            numbers=numbers,
            limit=PAGE,
        )

    @property
    def cut_region(self) -> BaseGeometry | None:
        """The region as parts within 180 degrees, as databases of geometries want it."""
        if self.region is None:
            return None
        copies = [
            shapely.intersection(
                shapely.transform(self.region, lambda xy, turn=turn: xy + np.array([turn, 0.0])),
                shapely.box(-180, -90, 180, 90),
            )
            for turn in (-360.0, 0.0, 360.0)
        ]
        return shapely.union_all([copy for copy in copies if copy.area > 0])


def _instant(us: int | None) -> datetime | None:
    return None if us is None else _EPOCH + timedelta(microseconds=us)


def query_mix(catalogue: Catalogue, *, seed: int = 2) -> list[Asked]:
    """Return 200 searches, the same for a seed."""
    return _Mix(catalogue, np.random.default_rng(seed)).all()


class _Mix:
    def __init__(self, catalogue: Catalogue, rng: np.random.Generator) -> None:
        self._rng = rng
        self._centres = shapely.get_coordinates(shapely.centroid(catalogue.shapes))
        self._tiles = sorted(set(catalogue.tiles.tolist()) - {""})

    def all(self) -> list[Asked]:
        rng, countries = self._rng, list(COUNTRIES.values())
        mix = [
            Asked("A", self._small_box(), *self._time(5, 90), self._maybe_kind()) for _ in range(50)
        ]
        mix += [Asked("B", self._small_box(), kind=self._maybe_kind()) for _ in range(30)]
        for _ in range(30):
            kind, cloud, orbit = self._attributes()
            region = box_region(*countries[rng.integers(len(countries))])
            mix.append(Asked("C", region, *self._time(20, 700), kind, cloud, orbit))
        mix += [
            Asked("D", self._polygon(), *self._time(30, 730), self._maybe_kind()) for _ in range(30)
        ]
        mix += [Asked("E", box_region(*box)) for box in countries[:15]]
        for number in range(10):
            box = _CONTINENTS[number % len(_CONTINENTS)]
            mix.append(Asked("F", box_region(*box), *self._time(1, 5), self._maybe_kind()))
        for _ in range(10):
            south, west = rng.uniform(-25, 65), rng.uniform(174, 179)
            region = box_region(west, south, rng.uniform(-179, -174), south + rng.uniform(2, 12))
            mix.append(Asked("G", region, *self._time(60, 900), self._maybe_kind()))
        for number in range(5):
            edge = rng.uniform(75, 80)
            box = (-180, edge, 180, 90) if number % 2 == 0 else (-180, -90, 180, -edge + 4)
            mix.append(Asked("H", box_region(*box), *self._time(10, 300)))
        for number in range(20):
            tile = self._tiles[rng.integers(len(self._tiles))]
            times = self._time(30, 700) if number % 2 else (None, None)
            mix.append(
                Asked("I", None, *times, most_cloud=20.0 if number % 4 == 0 else None, tile=tile)
            )
        return mix

    def _small_box(self) -> BaseGeometry:
        """Return a box of 0.1 to 3 degrees about a place that is looked at."""
        rng = self._rng
        longitude, latitude = self._centres[rng.integers(len(self._centres))]
        width, height = rng.uniform(0.1, 3.0, 2)
        south, north = np.clip([latitude - height / 2, latitude + height / 2], -90, 90)
        longitude = (longitude + 180) % 360 - 180
        return shapely.box(longitude - width / 2, south, longitude + width / 2, north)

    def _polygon(self) -> BaseGeometry:
        """Return a star-shaped polygon, 1 to 8 degrees across."""
        rng = self._rng
        centre = self._centres[rng.integers(len(self._centres))]
        angles = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(5, 30)))
        radii = rng.uniform(0.4, 1.0, len(angles)) * rng.uniform(0.5, 4.0)
        ring = centre + np.column_stack([radii * np.cos(angles), radii * np.sin(angles)])
        ring[:, 1] = np.clip(ring[:, 1], -89, 89)
        polygon = shapely.Polygon(np.round(ring, 4))
        return polygon if polygon.is_valid else polygon.convex_hull

    def _time(self, least_days: float, most_days: float) -> tuple[int, int]:
        length = int(self._rng.uniform(least_days, most_days) * _DAY_US)
        first = int(self._rng.integers(_FIRST_US, _LAST_US - length))
        return first, first + length

    def _maybe_kind(self) -> dict[str, str]:
        choices: list[dict[str, str]] = [
            {},
            {"collection": "S1"},
            {"collection": "S2ST"},
            {"collection": "S1", "product_type": "GRD"},
        ]
        return choices[self._rng.integers(len(choices))]

    def _attributes(self) -> tuple[dict[str, str], float | None, int | None]:
        rng = self._rng
        choices: list[tuple[dict[str, str], float | None, int | None]] = [
            ({"collection": "S2ST", "product_type": "S2MSI1C"}, float(rng.integers(5, 60)), None),
            ({"collection": "S2ST", "platform": "S2A"}, 20.0, None),
            (
                {"collection": "S1", "product_type": "SLC", "orbit_direction": "ascending"},
                None,
                None,
            ),
            ({"collection": "S1", "product_type": "GRD"}, None, int(rng.integers(1, 176))),
            ({"collection": "S1", "polarization": "VV VH", "platform": "S1B"}, None, None),
        ]
        return choices[rng.integers(len(choices))]


@dataclass(frozen=True)
class Answer:
    """What a search must find: titles of its first page, and how many products in all."""

    titles: tuple[str, ...]
    total: int


class Truth:
    """All products of a catalogue in memory, to look at each."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        types = {
            "template": np.int32,
            "kind": np.int16,
            "orbit": np.int32,
            "relative_orbit": np.int16,
        }
        batches = [
            [
                getattr(rows, name).astype(types.get(name, getattr(rows, name).dtype))
                for name in Rows.__dataclass_fields__
            ]
            for rows in catalogue.rows()
        ]
        self.rows = Rows(*(np.concatenate(column) for column in zip(*batches, strict=True)))
        # A footprint and a region may be written a turn apart.
        shapes, turns = catalogue.shapes, (-1, 0, 1)
        self._tree = shapely.STRtree(
            np.concatenate(
                [
                    shapely.transform(
                        shapes, lambda xy, turn=turn: xy + np.array([360.0 * turn, 0.0])
                    )
                    for turn in turns
                ]
            )
        )

    def answer(self, asked: Asked) -> Answer:
        """Look at every product."""
        rows = self.rows
        kinds = [_is_kind(kind, asked.kind) for kind in self._catalogue.kinds]
        met = np.array(kinds)[rows.kind]
        if asked.region is not None:
            met &= self._templates_met(asked.region)[rows.template]
        if asked.tile is not None:
            met &= (self._catalogue.tiles == asked.tile)[rows.template]
        if asked.first_us is not None and asked.last_us is not None:
            met &= (rows.t0_us >= asked.first_us) & (rows.t0_us <= asked.last_us)
        if asked.most_cloud is not None:
            met &= rows.cloud <= asked.most_cloud
        if asked.relative_orbit is not None:
            met &= rows.relative_orbit == asked.relative_orbit
        found = np.flatnonzero(met)
        # Rows are numbered as they are made: the later of two that start together comes first.
        latest = found[np.lexsort((found, rows.t0_us[found]))[::-1][:PAGE]]
        return Answer(tuple(self.titles(latest)), len(found))

    def titles(self, numbers: NDArray[np.int64]) -> list[str]:
        """Return the titles of products."""
        return self._catalogue.titles(self.rows.taken(numbers), numbers)

    def _templates_met(self, region: BaseGeometry) -> NDArray[np.bool_]:
        number = len(self._catalogue.shapes)
        found = np.zeros(number, bool)
        for turn in (-360.0, 0.0, 360.0):
            moved = shapely.transform(region, lambda xy, turn=turn: xy + np.array([turn, 0.0]))
            found[self._tree.query(moved, predicate="intersects") % number] = True
        return found


def _is_kind(kind: Kind, wanted: Mapping[str, str]) -> bool:
    return all(getattr(kind, name) == value for name, value in wanted.items())
