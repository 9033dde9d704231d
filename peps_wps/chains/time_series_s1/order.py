"""What a client may ask of S1_TIME_SERIES, checked value by value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Self

import shapely

from algorithms.interferometry.cells import Looks
from algorithms.unwrapping import Method
from peps_wps.chains.contract import Json
from peps_wps.chains.fields import Fields, refused
from peps_wps.chains.interferometry.map_grid import default_resolution
from peps_wps.chains.interferometry.order_fields import filter_of, looks_of, polarization_of
from peps_wps.chains.optical.region import region_of
from peps_wps.chains.orders import ChainOrder
from peps_wps.errors import InvalidInputError

UNWRAPPERS: tuple[Method, ...] = ("whirlwind", "snaphu")
ATMOSPHERES = ("none", "elevation", "planes", "both", "era5")
ERA5 = ATMOSPHERES[-1]
# What ties parts of a network that no pair connects; "connected": there must not be any.
MODELS = ("connected", "linear", "quadratic")
# By what dates are chosen for pairs.
NETWORKS = ("nearest", "delaunay")
DELAUNAY = NETWORKS[1]

RELATIVE_ORBITS = (1, 175)
MOST_PRODUCTS = 500
RESOLUTIONS = (5, 1_000)
LONGEST_DAYS = 3_660
LARGEST_BASELINE_M = 10_000.0
MOST_NEIGHBOURS = 20
MOST_ITERATIONS = 20
MOST_STEPS = 10


@dataclass(frozen=True)
class Order(ChainOrder):
    """One order; the defaults are those of the process description.

    Parameters
    ----------
    products
        Identifiers or titles; empty where the catalogue is searched.
    relative_orbit, start, end
        Of the search: the track, first and last instant, UTC.
    geometry
        WKT in longitude and latitude: which bursts take part, and what the maps show. None for all
        that the products have in common.
    polarization
        "" for the co-polarised one of all products.
    looks_azimuth, looks_range
        Lines and samples of a cell.
    resolution
        Of the maps, metres.
    network
        Pairs are of each date with the next ones, or the sides of Delaunay's triangles of times
        and baselines.
    neighbours
        With so many next ones; None: with all within the limits.
    max_days, max_baseline_m
        A pair is at most so far apart in time and across the orbits.
    is_filtered, unwrapper
        Whether phases are filtered, and by what they are unwrapped.
    min_coherence
        Cells with less are not unwrapped.
    reference_point
        Longitude and latitude of the place that displacement is told against; None: where the
        pairs are most coherent.
    dem_error
        Estimate what the heights lack.
    atmosphere
        What is taken off each pair: a part proportional to the elevation, planes, both, or the
        delay that files of ERA5 give.
    model
        What ties parts of a network that no pair connects.
    seasonal
        Fit a yearly cosine and sine beside the velocity.
    steps
        Days at which the ground may have moved at once.
    iterations
        How often pairs that disagree are weighted down.
    min_temporal_coherence
        Less has no answer in velocity and displacement.
    """

    products: tuple[str, ...] = ()
    relative_orbit: int | None = None
    start: datetime | None = None
    end: datetime | None = None
    geometry: str | None = None
    polarization: str = ""
    looks_azimuth: int = 4
    looks_range: int = 20
    resolution: int = 80
    network: str = NETWORKS[0]
    neighbours: int | None = 3
    max_days: int | None = None
    max_baseline_m: float | None = None
    is_filtered: bool = True
    unwrapper: Method = "whirlwind"
    min_coherence: float = 0.1
    reference_point: tuple[float, float] | None = None
    dem_error: bool = True
    atmosphere: str = ATMOSPHERES[0]
    model: str = MODELS[0]
    seasonal: bool = False
    steps: tuple[str, ...] = ()
    iterations: int = 3
    min_temporal_coherence: float = 0.7

    @classmethod
    def parse(cls, inputs: Mapping[str, Sequence[str]]) -> Self:
        """Read literal inputs; as `ChainOrder.parse`."""
        fields = Fields(inputs)
        looks = looks_of(fields)
        resolution = fields.whole("resolution", *RESOLUTIONS)
        return cls(
            **_sought(fields),
            geometry=region_of(fields),
            polarization=polarization_of(fields) or "",
            looks_azimuth=looks.azimuth,
            looks_range=looks.range,
            resolution=resolution or default_resolution("utm", looks.azimuth),
            **_network(fields),
            is_filtered=filter_of(fields),
            unwrapper=_unwrapper(fields),
            min_coherence=fields.number(
                "min_coherence", default=Order.min_coherence, low=0.0, high=1.0
            ),
            reference_point=_reference_point(fields),
            dem_error=fields.boolean("dem_error", default=True),
            atmosphere=fields.choice("atmosphere", ATMOSPHERES),
            model=fields.choice("model", MODELS),
            seasonal=fields.boolean("seasonal"),
            steps=_steps(fields),
            iterations=_or(fields.whole("iterations", 0, MOST_ITERATIONS), Order.iterations),
            min_temporal_coherence=fields.number(
                "min_temporal_coherence", default=Order.min_temporal_coherence, low=0.0, high=1.0
            ),
        )

    def to_json(self) -> Json:
        """Return the order as JSON."""
        values = super().to_json()
        times = {name: values[name] and values[name].isoformat() for name in ("start", "end")}
        return {**values, **times}

    @classmethod
    def from_json(cls, order: Json) -> Self:
        """Return the order that `to_json` gave."""
        times = {
            name: order[name] and datetime.fromisoformat(order[name]) for name in ("start", "end")
        }
        return super().from_json({**order, **times})

    @property
    def pair_parameters(self) -> Json:
        """What decides what the maps of a pair hold, but for where they lie."""
        names = ("looks_azimuth", "looks_range", "is_filtered", "unwrapper", "min_coherence")
        return {name: getattr(self, name) for name in names}

    @property
    def looks(self) -> Looks:
        """Lines and samples of a cell."""
        return Looks(self.looks_azimuth, self.looks_range)


def _sought(fields: Fields) -> Json:
    """Return the products, or what to search for."""
    searched = [name for name in ("relative_orbit", "start", "end") if fields.has(name)]
    products = fields.several("products")
    if products and searched:
        raise InvalidInputError(
            searched[0], f"{searched[0]} is given beside products: give one or the other"
        )
    if len(products) > MOST_PRODUCTS:
        raise InvalidInputError(
            "products", f"products are {len(products)}, at most {MOST_PRODUCTS} expected"
        )
    if products:
        return {"products": products}
    if not searched:
        raise InvalidInputError(
            "products", "products is missing: give them, or relative_orbit, geometry, start, end"
        )
    orbit = fields.whole("relative_orbit", *RELATIVE_ORBITS)
    for name, is_given in (("relative_orbit", orbit), ("geometry", fields.has("geometry"))):
        if not is_given:
            raise InvalidInputError(name, f"{name} is missing: a search needs it")
    start, end = _instant(fields, "start"), _instant(fields, "end", is_last=True)
    if start > end:
        raise InvalidInputError(
            "end", f"end is {end:%Y-%m-%dT%H:%M:%S}, before start, {start:%Y-%m-%dT%H:%M:%S}"
        )
    return {"relative_orbit": orbit, "start": start, "end": end}


def _instant(fields: Fields, name: str, *, is_last: bool = False) -> datetime:
    """Return an instant; a bare date is its first one, or its last."""
    text = fields.one(name)
    expected = "a date such as 2018-07-20, or a time such as 2018-07-20T06:00:00Z"
    if text is None:
        raise InvalidInputError(name, f"{name} is missing: give {expected}")
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise refused(name, text, expected) from error
    instant = instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    is_date = "T" not in text.upper() and " " not in text
    return instant + timedelta(days=1, microseconds=-1) if is_date and is_last else instant


def _unwrapper(fields: Fields) -> Method:
    word = fields.choice("unwrap", UNWRAPPERS)
    return next(method for method in UNWRAPPERS if method == word)


def _network(fields: Fields) -> Json:
    """Return the rule by which pairs are chosen; limits alone take all pairs within them."""
    max_days = fields.whole("max_days", 1, LONGEST_DAYS)
    neighbours = fields.whole("neighbours", 1, MOST_NEIGHBOURS)
    baseline = None
    if fields.has("max_baseline_m"):
        baseline = fields.number("max_baseline_m", default=0.0, low=0.0, high=LARGEST_BASELINE_M)
    rule = fields.choice("network", NETWORKS)
    if rule == DELAUNAY and neighbours is not None:
        raise InvalidInputError(
            "neighbours", f"neighbours is given beside network={DELAUNAY}: give one or the other"
        )
    if neighbours is None and max_days is None and rule != DELAUNAY:
        neighbours = Order.neighbours
    return {
        "network": rule,
        "neighbours": neighbours,
        "max_days": max_days,
        "max_baseline_m": baseline,
    }


def _reference_point(fields: Fields) -> tuple[float, float] | None:
    """Return longitude and latitude, given with a comma or a blank between, or as a WKT point."""
    text = fields.one("reference_point")
    if text is None:
        return None
    expected = "longitude and latitude such as 2.35,48.85, or POINT (2.35 48.85)"
    words = text.replace(",", " ")
    try:
        if words.upper().startswith("POINT"):
            ((longitude, latitude),) = shapely.get_coordinates(shapely.from_wkt(words)).tolist()
        else:
            longitude, latitude = (float(word) for word in words.split())
    except (ValueError, shapely.errors.ShapelyError) as error:
        raise refused("reference_point", text, expected) from error
    if not (-180.0 <= longitude <= 180.0 and -90.0 <= latitude <= 90.0):
        raise refused("reference_point", text, expected)
    return longitude, latitude


def _steps(fields: Fields) -> tuple[str, ...]:
    """Return days as ISO text, ascending."""
    given = [word for value in fields.listed("steps") for word in value.replace(",", " ").split()]
    if len(given) > MOST_STEPS:
        raise InvalidInputError("steps", f"steps are {len(given)}, at most {MOST_STEPS} expected")
    found = set()
    for word in given:
        try:
            found.add(date.fromisoformat(word).isoformat())
        except ValueError as error:
            raise refused("steps", word, "a date such as 2018-07-20") from error
    return tuple(sorted(found))


def _or(value: int | None, default: int) -> int:
    return default if value is None else value
