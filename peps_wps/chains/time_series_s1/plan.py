"""From an order to its tasks: pairs that are not there, their network, their maps, the series."""

import dataclasses
from collections.abc import Sequence

import shapely
from shapely.geometry.base import BaseGeometry

from catalog_db.catalogue.products import Product
from peps_wps.chains.contract import Plan, PlanContext, Task
from peps_wps.chains.interferometry.air import check_air
from peps_wps.chains.interferometry.map_grid import utm_grid
from peps_wps.chains.ortho_s1.heights import configured_dem
from peps_wps.chains.time_series_s1.acquisitions import Found, acquisitions
from peps_wps.chains.time_series_s1.cells_life import renew
from peps_wps.chains.time_series_s1.holdings import collection_of
from peps_wps.chains.time_series_s1.inversion import settings_of, term_count
from peps_wps.chains.time_series_s1.network_rule import chosen_pairs
from peps_wps.chains.time_series_s1.order import ERA5, Order
from peps_wps.chains.time_series_s1.tasks import (
    MAP,
    NETWORK,
    NETWORK_NAME,
    PAIR,
    SERIES,
    SERIES_NAME,
    Acquisition,
    Stack,
    StackWork,
    map_name,
)
from peps_wps.datalake.lake import Lake
from peps_wps.errors import DemError, OrderRefusedError

# What unwrapping a pair costs of what computing it does, and the network and the series of both.
_MAP_WEIGHT, _STACK_WEIGHT = 0.5, 0.05


def plan(order: Order, context: PlanContext) -> Plan:
    """Find the products of a stack, choose its pairs, leave out those that are computed.

    Raises
    ------
    OrderRefusedError
        When products do not make a stack, pairs do not connect the dates, the model has more
        terms than there are dates, the reference lies outside, no DEM covers the area, or there is
        no file of the air of a date.
    """
    found = acquisitions(order, context.catalogue)
    _check_reference(order, found.area)
    chosen = chosen_pairs(order, found, context.config)
    _check_model(order, found.products, chosen.pairs)
    _check_heights(found, context)
    if order.atmosphere == ERA5:
        check_air(context.config, [one.start for one in found.products], found.area.bounds)
    stack = _stack(order, found)
    work = StackWork(
        stack,
        tuple(Acquisition(one.uids, one.titles, one.whole.start) for one in found.passes),
        tuple(chosen.pairs),
        tuple(found.left_out),
        tuple((*pair, reason) for pair, reason in chosen.too_long.items()),
    )
    return Plan(_tasks(work, Lake(context.config.datalake.path)))


def _tasks(work: StackWork, lake: Lake) -> tuple[Task, ...]:
    pairs = [work.pair(index) for index in work.pairs]
    computed = [
        Task(one.name, one.uids, one.to_json(PAIR), optional=True)
        for one in pairs
        if not renew(lake, one)
    ]
    stack_weight = max(_STACK_WEIGHT * len(pairs), _STACK_WEIGHT)
    together = Task(
        NETWORK_NAME,
        (),
        work.to_json(NETWORK),
        _STACK_WEIGHT,
        after=tuple(task.name for task in computed),
    )
    maps = [
        Task(map_name(one), (), one.to_json(MAP), _MAP_WEIGHT, after=(NETWORK_NAME,))
        for one in pairs
    ]
    series = Task(
        SERIES_NAME,
        (),
        work.to_json(SERIES),
        stack_weight,
        after=(NETWORK_NAME, *(task.name for task in maps)),
    )
    return (*computed, together, *maps, series)


def _stack(order: Order, found: Found) -> Stack:
    first = found.products[0]
    grid = utm_grid(found.area, order.resolution)
    area = shapely.to_wkt(found.area, rounding_precision=9)
    return Stack(
        dataclasses.replace(order, products=()),
        collection_of(order, found.polarization, area, grid),
        order.relative_orbit or _track(found),
        str(first.orbit_direction),
        found.polarization,
        area,
        grid,
    )


def _track(found: Found) -> int:
    """Return the number that stands for the track, whichever slices the first date has."""
    return min(int(track or 0) for one in found.passes for track in one.tracks)


def _check_model(
    order: Order, products: Sequence[Product], pairs: Sequence[tuple[int, int]]
) -> None:
    """Refuse a model that the dates cannot tell."""
    dates = [one.start for one in products]
    locator = "steps" if order.steps else "seasonal" if order.seasonal else "model"
    try:
        terms = term_count(dates, pairs, settings_of(order))
    except ValueError as error:
        raise OrderRefusedError(locator, f"the model does not fit the dates: {error}") from error
    if order.dem_error and terms + 1 > len(dates):
        raise OrderRefusedError(
            "dem_error",
            f"{len(dates)} dates are fewer than the {terms + 1} terms of the model with dem_error",
        )


def _check_reference(order: Order, area: BaseGeometry) -> None:
    if order.reference_point is None:
        return
    longitude, latitude = order.reference_point
    if not any(area.covers(shapely.Point(longitude + turn, latitude)) for turn in (-360, 0, 360)):
        west, south, east, north = area.bounds
        raise OrderRefusedError(
            "reference_point",
            f"reference_point {longitude:g}, {latitude:g} lies outside what all products show, "
            f"longitudes {west:.3f} to {east:.3f}, latitudes {south:.3f} to {north:.3f}",
        )


def _check_heights(found: Found, context: PlanContext) -> None:
    """Refuse an area without any DEM before anything is recalled for it."""
    try:
        configured_dem(context.config).check({"the area": found.area.bounds})
    except DemError as error:
        raise OrderRefusedError("geometry", str(error)) from error
