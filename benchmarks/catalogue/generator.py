"""Products by the million: occurrences of the templates since the satellites' first days.

Everything follows from the seed. Batches come in the order of time and need a bounded memory
however many there are.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray

from benchmarks.catalogue.missions import (
    PRODUCT_TYPES,
    SATELLITES,
    Satellite,
    all_kinds,
    title_start,
)
from benchmarks.catalogue.orbits import Float64
from benchmarks.catalogue.templates import Templates, sentinel_1, sentinel_2
from benchmarks.catalogue.texts import compact_times, digits, joined, uids
from catalog_db.bulk import Batch
from catalog_db.catalogue.cells import HomeCell, home_cell
from catalog_db.catalogue.footprints import Box, placed

PEPS_PRODUCTS = 17_705_737  # in September 2019
_US = 1_000_000
_ROWS_AT_ONCE = 100_000
_DAY_S = 86400.0


def _seconds(day: str) -> float:
    return float(np.datetime64(day, "s").astype(np.int64))


FIRST_S, LAST_S = _seconds("2014-10-03"), _seconds("2019-09-16")


@dataclass(frozen=True)
class Rows:
    """Products in the order of time, as numbers: for the truth as for the load.

    Parameters
    ----------
    template
        Position in `Catalogue.shapes`, shape (product,).
    kind
        Position in `Catalogue.kinds`.
    t0_us, published_us
        Microseconds since 1970.
    orbit, relative_orbit
        Absolute and relative.
    cloud
        Percent, NaN for radar.
    size
        Bytes.
    """

    template: NDArray[np.int64]
    kind: NDArray[np.int64]
    t0_us: NDArray[np.int64]
    published_us: NDArray[np.int64]
    orbit: NDArray[np.int64]
    relative_orbit: NDArray[np.int64]
    cloud: Float64
    size: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.template)

    def taken(self, chosen: NDArray[np.int64] | slice) -> "Rows":
        """Return some of them."""
        return Rows(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))


class Catalogue:
    """A made-up catalogue of `number` products.

    Parameters
    ----------
    number
        How many.
    seed
        Another gives others.
    share
        Part of the slices and tiles that are ever taken: fewer take less time to make.
    """

    def __init__(self, number: int, *, seed: int = 1, share: float = 1.0) -> None:
        self.number = number
        self._seed = seed
        rng = np.random.default_rng(seed)
        self.missions = {
            name: templates.taken(np.flatnonzero(rng.random(len(templates)) < share))
            for name, templates in (("S1", sentinel_1()), ("S2", sentinel_2()))
        }
        self._first_template = {"S1": 0, "S2": len(self.missions["S1"])}
        self.kinds, self._kind_of = all_kinds()

    @cached_property
    def shapes(self) -> NDArray[np.object_]:
        """Footprints of all templates, longitudes continuous."""
        return np.concatenate([templates.shapes for templates in self.missions.values()])

    @cached_property
    def tiles(self) -> NDArray[np.str_]:
        """Tiles of all templates."""
        return np.concatenate([templates.tile for templates in self.missions.values()])

    @cached_property
    def placed(self) -> tuple[list[HomeCell], list[bytes], NDArray[np.int64]]:
        """Home cell, footprint as stored, and box of each template, as the catalogue has them."""
        homes, stored, boxes = [], [], np.empty((len(self.shapes), 4), np.int64)
        for place, (shape, tile) in enumerate(zip(self.shapes, self.tiles, strict=True)):
            footprint, box = placed(_as_written(shape))
            homes.append(home_cell(Box(*box), str(tile) or None))
            stored.append(shapely.to_wkb(footprint))
            boxes[place] = box
        return homes, stored, boxes

    def rows(self) -> Iterator[Rows]:
        """Return all products, batch by batch."""
        rng = np.random.default_rng(self._seed)
        thinning = self.number / self._expected
        step = np.clip(_ROWS_AT_ONCE / (self.number / (LAST_S - FIRST_S)), _DAY_S, 9 * _DAY_S)
        remaining = self.number
        for begin in np.arange(FIRST_S, LAST_S + 60 * _DAY_S, step):
            rows = self._rows_between(begin, begin + step, 1.01 * thinning, rng)
            kept = min(len(rows), remaining)
            remaining -= kept
            if kept:
                yield rows.taken(slice(kept))

    def batches(self) -> Iterator[Batch]:
        """Return all products as rows for the load."""
        number = 0
        for rows in self.rows():
            yield self.batch(rows, number)
            number += len(rows)

    @cached_property
    def _expected(self) -> float:
        """How many products there are without thinning."""
        number = 0.0
        for satellite in SATELLITES:
            templates = self.missions[satellite.name[:2]]
            passes = np.where(templates.is_europe, 1.0, satellite.share)
            for one in PRODUCT_TYPES[satellite.name[:2]]:
                of_mode = np.isin(templates.mode, one.modes.split())
                first = max(_seconds(satellite.starts), _seconds(one.starts))
                cycles = (LAST_S - first) / (satellite.orbit.days * _DAY_S)
                number += cycles * one.share * float(passes[of_mode].sum())
        return number

    def _rows_between(
        self, begin: float, end: float, thinning: float, rng: np.random.Generator
    ) -> Rows:
        parts = [
            self._occurrences(satellite, begin, end, thinning, rng) for satellite in SATELLITES
        ]
        columns = [
            np.concatenate([getattr(part, name) for part in parts])
            for name in Rows.__dataclass_fields__
        ]
        order = np.argsort(columns[2], kind="stable")
        return Rows(*columns).taken(order)

    def _occurrences(
        self,
        satellite: Satellite,
        begin: float,
        end: float,
        thinning: float,
        rng: np.random.Generator,
    ) -> Rows:
        """Return the products of a satellite in a stretch of time shorter than its cycle."""
        mission, cycle_s = satellite.name[:2], satellite.orbit.days * _DAY_S
        templates = self.missions[mission]
        epoch = _seconds("2014-04-01") + satellite.phase_days * _DAY_S
        cycle, since = divmod(begin - epoch, cycle_s)
        offsets = np.concatenate([templates.offset_s, templates.offset_s + cycle_s])
        low, high = np.searchsorted(offsets, [since, since + end - begin])
        template = np.arange(low, high) % len(templates)
        start_s = epoch + cycle * cycle_s + offsets[low:high]
        share = np.where(templates.is_europe[template], 1.0, satellite.share)
        taken = (rng.random(len(template)) < share) & (start_s >= _seconds(satellite.starts))
        template, start_s = template[taken], start_s[taken]
        parts = [np.empty((3, 0))]
        for number, one in enumerate(PRODUCT_TYPES[mission]):
            has = np.isin(templates.mode[template], one.modes.split())
            has &= (rng.random(len(template)) < one.share * thinning) & (
                start_s >= _seconds(one.starts)
            )
            parts.append(np.stack([template[has], start_s[has], np.full(has.sum(), number)]))
        template, start_s, number = np.concatenate(parts, axis=1)
        return self._described(
            satellite, template.astype(np.int64), start_s, number.astype(np.int64), epoch, rng
        )

    def _described(
        self,
        satellite: Satellite,
        template: NDArray[np.int64],
        start_s: Float64,
        number: NDArray[np.int64],
        epoch: float,
        rng: np.random.Generator,
    ) -> Rows:
        mission = satellite.name[:2]
        templates = self.missions[mission]
        # The slices of a pass do not start at whole seconds; tiles of one pass start together.
        t0_us = np.floor(start_s * 1e3).astype(np.int64) * 1000
        if mission == "S2":
            t0_us -= t0_us % (60 * _US) - 24_000
        delay_s = rng.lognormal(np.log(5 * 3600), 0.7, len(template))
        late = rng.random(len(template)) < 0.02
        delay_s[late] += rng.uniform(1, 40, late.sum()) * _DAY_S
        sizes = np.array([one.size for one in PRODUCT_TYPES[mission]])
        cloud = np.full(len(template), np.nan)
        if mission == "S2":
            cloud = np.round(100 * rng.beta(0.35, 0.45, len(template)), 4)
        revolutions = satellite.orbit.revolutions
        cycle = (start_s - epoch) // (satellite.orbit.days * _DAY_S)
        relative = templates.revolution[template]
        return Rows(
            template=template + self._first_template[mission],
            kind=self._kind_of[satellite.name][
                number,
                templates.is_ascending[template].astype(int),
                _mode_number(templates, template),
            ],
            t0_us=t0_us,
            published_us=t0_us + (delay_s * _US).astype(np.int64),
            orbit=(cycle * revolutions).astype(np.int64) + relative + satellite.first_orbit,
            relative_orbit=relative + 1,
            cloud=cloud,
            size=(sizes[number] * rng.uniform(0.7, 1.3, len(template))).astype(np.int64),
        )

    def batch(self, rows: Rows, first: int) -> Batch:
        """Return rows for the load; `first` is the number of products before them."""
        _, stored, boxes = self.placed
        t1_us = self._ends(rows)
        titles = self.titles(rows, np.arange(first, first + len(rows)))
        collections = [self.kinds[kind].collection for kind in rows.kind.tolist()]
        is_radar = np.isnan(rows.cloud)
        box = boxes[rows.template]
        digests = np.random.default_rng(first).bytes(16 * len(rows))
        columns: dict[str, list[object]] = {
            "uid": uids(collections, titles),
            "title": titles,
            "orbit_number": rows.orbit.tolist(),
            "relative_orbit": rows.relative_orbit.tolist(),
            "cycle_number": np.where(is_radar, rows.orbit // 175, None).tolist(),
            "mission_take_id": np.where(is_radar, rows.orbit * 8, None).tolist(),
            "mgrs_tile": [tile or None for tile in self.tiles[rows.template].tolist()],
            "cloud_cover": np.where(is_radar, None, rows.cloud).tolist(),
            "snow_cover": [None] * len(rows),
            "size_bytes": rows.size.tolist(),
            "checksum": [digests[start : start + 16] for start in range(0, len(digests), 16)],
            "t0_us": rows.t0_us.tolist(),
            "t1_us": t1_us.tolist(),
            "published_us": rows.published_us.tolist(),
            "revised_us": [None] * len(rows),
            **{name: box[:, side].tolist() for side, name in enumerate(("x0", "y0", "x1", "y1"))},
            "footprint": [stored[template] for template in rows.template.tolist()],
            "properties": ["{}"] * len(rows),
            "withdrawn": [False] * len(rows),
        }
        return Batch(rows.kind, rows.template, columns)

    def _ends(self, rows: Rows) -> NDArray[np.int64]:
        durations = np.concatenate([one.duration_s for one in self.missions.values()])
        return rows.t0_us + (durations[rows.template] * _US).astype(np.int64)

    def titles(self, rows: Rows, number: NDArray[np.int64]) -> list[str]:
        """Return titles as the producers compose them; a running number stands for checksums."""
        titles, t1_us = np.empty(len(rows), "S67"), self._ends(rows)
        radar = np.flatnonzero(np.isnan(rows.cloud))
        optical = np.flatnonzero(~np.isnan(rows.cloud))
        prefixes = np.array([title_start(kind) for kind in self.kinds], "S17")
        titles[radar] = joined(
            prefixes[rows.kind[radar]],
            compact_times(rows.t0_us[radar]),
            b"_",
            compact_times(t1_us[radar]),
            b"_",
            digits(rows.orbit[radar], 6, 10),
            b"_",
            digits(number[radar] // 65536, 6, 16),
            b"_",
            digits(number[radar] % 65536, 4, 16),
        )
        titles[optical] = joined(
            prefixes[rows.kind[optical]].astype("S11"),
            compact_times(rows.t0_us[optical]),
            b"_N0208_R",
            digits(rows.relative_orbit[optical], 3, 10),
            b"_T",
            self.tiles[rows.template[optical]].astype("S5"),
            b"_",
            compact_times(rows.published_us[optical]),
        )
        made: list[str] = titles.astype("U67").tolist()
        return made


def _mode_number(templates: Templates, template: NDArray[np.int64]) -> NDArray[np.int64]:
    modes = np.array(["EW", "IW", "MSI", "WV"])
    return np.searchsorted(modes, templates.mode[template])


def _as_written(shape: shapely.Polygon) -> shapely.Polygon:
    """Return a footprint as its producer writes it: no longitude beyond 180 degrees."""
    west, _, east, _ = shape.bounds
    if west >= -180 and east <= 180:
        return shape
    return shapely.transform(
        shape, lambda xy: np.column_stack([(xy[:, 0] + 180) % 360 - 180, xy[:, 1]])
    )
