"""A catalogue of made-up products whose true place is known apart from what the catalogue is told.

`truth` is the footprint with continuous longitudes; `product.footprint` is the same as a producer
writes it: longitudes wrapped to [-180, 180), rings around a pole left open there.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry

from catalog_db.catalogue.products import Product

FIRST = datetime(2015, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Known:
    """A product and where it truly lies."""

    product: Product
    truth: BaseGeometry


def catalogue(number: int, rng: np.random.Generator) -> list[Known]:
    """Return slices of swaths, gridded tiles and rings about the poles."""
    return [_known(index, rng) for index in range(number)]


def meets(known: list[Known], region: BaseGeometry) -> NDArray[np.bool_]:
    """Say by brute force which products meet the region."""
    truths = np.array([one.truth for one in known])
    turns = [translate(region, 360.0 * turn) for turn in (-1, 0, 1)]
    shapely.prepare(turns)
    return np.any([shapely.intersects(turn, truths) for turn in turns], axis=0)


def _known(index: int, rng: np.random.Generator) -> Known:
    kind = rng.choice(["slice", "tile", "ring"], p=[0.7, 0.28, 0.02])
    if kind == "ring":
        truth, written = _ring(rng)
    else:
        truth = _slice(rng) if kind == "slice" else _tile(rng)
        written = Polygon([(_wrapped(x), y) for x, y in truth.exterior.coords])
    start = FIRST + timedelta(seconds=int(rng.integers(0, 86400 * 2000, dtype=np.int64)) // 7 * 7)
    is_radar = kind == "slice"
    product = Product(
        title=f"{kind.upper()}_{index:06d}",
        collection="S1" if is_radar else "S2ST",
        platform=str(rng.choice(["S1A", "S1B"] if is_radar else ["S2A", "S2B"])),
        product_type=str(rng.choice(["GRD", "SLC"])) if is_radar else "S2MSI1C",
        sensor_mode=str(rng.choice(["IW", "EW"])) if is_radar else None,
        polarization="VV VH" if is_radar else None,
        relative_orbit=int(rng.integers(1, 176)),
        orbit_direction=str(rng.choice(["ascending", "descending"])),
        cloud_cover=None if is_radar else float(np.round(rng.uniform(0, 100), 2)),
        mgrs_tile=f"{int(_wrapped(truth.centroid.x) + 180) // 6 % 60 + 1:02d}TCJ"
        if kind == "tile"
        else None,
        start=start,
        end=start + timedelta(seconds=25),
        published=start + timedelta(hours=3),
        updated=start + timedelta(hours=3),
        footprint=written,
        size_bytes=1,
    )
    return Known(product, truth)


def _wrapped(longitude: float) -> float:
    return (longitude + 180) % 360 - 180


def _slice(rng: np.random.Generator) -> Polygon:
    """A leaning parallelogram, 250 km wide on the ground, somewhere up to 84 degrees."""
    latitude = float(rng.uniform(-84, 84))
    # One in ten near the antimeridian.
    longitude = float(rng.uniform(176, 184) if rng.random() < 0.1 else rng.uniform(-180, 180))
    width = 2.25 / np.cos(np.radians(abs(latitude)))
    lean = float(rng.uniform(-0.5, 0.5)) * width
    corners = np.array([[0, 0], [width, 0.3], [width + lean, 1.8], [lean, 1.5]])
    corners += [longitude - width / 2, latitude - 0.9]
    return Polygon(np.round(corners[::-1] if rng.random() < 0.5 else corners, 6))


def _tile(rng: np.random.Generator) -> Polygon:
    west = float(rng.integers(-60, 60)) * 3.0
    south = float(rng.integers(-79, 82))
    return shapely.box(west - 0.05, south - 0.05, west + 1.1, south + 1.02)


def _ring(rng: np.random.Generator) -> tuple[Polygon, Polygon]:
    """A ring about a pole: as the cap that it is, and as vertices that go round."""
    pole = float(rng.choice([-90.0, 90.0]))
    longitudes = np.arange(-180.0, 180.0, 30.0) + rng.uniform(0, 29)
    latitudes = np.sign(pole) * rng.uniform(82, 88, len(longitudes))
    # The edge over the antimeridian, cut there.
    low, high = longitudes[-1] - 360, longitudes[0]
    share = (-180 - low) / (high - low)
    border = latitudes[-1] + share * (latitudes[0] - latitudes[-1])
    cap = [(-180, pole), (-180, border), *zip(longitudes, latitudes, strict=True)]
    truth = Polygon([*cap, (180, border), (180, pole)])
    first = int(rng.integers(0, len(longitudes)))
    order = np.roll(np.arange(len(longitudes)), first)[:: int(rng.choice([-1, 1]))]
    return truth, Polygon(np.column_stack([longitudes, latitudes])[order])
