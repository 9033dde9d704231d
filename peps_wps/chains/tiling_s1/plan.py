"""From an order to its tasks: the dates of each tile, then what is made of each series."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from algorithms import mgrs
from peps_wps.chains.contract import Json, Plan, PlanContext, Task
from peps_wps.chains.ortho_s1.heights import configured_dem, tile_bounds
from peps_wps.chains.tiling_s1.holdings import collection_of, dates_of, is_held, parameters_of
from peps_wps.chains.tiling_s1.order import Order
from peps_wps.chains.tiling_s1.passes import Found, TilePass, in_order, passes_over
from peps_wps.chains.tiling_s1.tasks import DateTask, Series, SeriesTask
from peps_wps.datalake.lake import Lake
from peps_wps.errors import DemError, OrderRefusedError
from peps_wps.writers import naming

MOST_DATES = 5000
# What a date costs once more where the whole series is worked on, of what computing it costs.
_SERIES_WEIGHT = 0.3

_Track = tuple[int, str]  # relative orbit and direction


def plan(order: Order, context: PlanContext) -> Plan:
    """Find the acquisitions, put them into series, leave out the dates that are there.

    Raises
    ------
    OrderRefusedError
        No product, too few images, mixed polarisations, no DEM for the area.
    """
    lake = Lake(context.config.datalake.path)
    parameters = parameters_of(order, context.config)
    collection = collection_of(parameters, context.config)
    found = {tile: passes_over(tile, order, context.catalogue) for tile in order.tiles}
    _check_found(order, found)
    dates: list[tuple[TilePass, DateTask]] = []
    series_tasks = []
    for tile, tile_found in found.items():
        for track, passes in _tracks(tile, tile_found).items():
            polarizations = _polarizations(order, tile, passes, tile_found)
            used = [one for one in passes if set(polarizations) <= set(one.polarizations)]
            series = Series(collection, parameters, tile, *track, polarizations)
            if _is_enough(order, series, used, lake, tile_found):
                works = [_date_task(order, series, one) for one in used]
                dates += zip(used, works, strict=True)
                series_tasks.append(_series_task(order, series, works))
    _check_enough(order, found, series_tasks, dates)
    _check_heights(order, series_tasks, context)
    series_tasks[0] = _with_left_out(series_tasks[0], found)
    missing = [(one, work) for one, work in dates if not is_held(lake, work)]
    return Plan((*_date_tasks(missing), *(_task(work, missing) for work in series_tasks)))


def _check_found(order: Order, found: Mapping[str, Found]) -> None:
    """Refuse an order that finds nothing, with what was left out if there was something."""
    if any(one.passes for one in found.values()):
        return
    reasons = [left["reason"] for one in found.values() for left in one.left_out]
    wanted = [f"tile {', '.join(order.tiles)}"]
    if order.relative_orbits:
        wanted.append(f"relative orbit {', '.join(map(str, order.relative_orbits))}")
    wanted += [word for word in (order.orbit_direction, order.platform) if word]
    raise OrderRefusedError(
        "min_coverage" if reasons else "start",
        f"no GRD product of {', '.join(wanted)} from {order.start:%Y-%m-%d} to {order.end:%Y-%m-%d}"
        + (f": {len(reasons)} were left out, the first because {reasons[0]}" if reasons else ""),
    )


def _tracks(tile: str, found: Found) -> dict[_Track, list[TilePass]]:
    """Group passes by orbit; a satellite has one date a day on each."""
    tracks: dict[_Track, dict[str, TilePass]] = defaultdict(dict)
    for one in found.passes:
        dates = tracks[one.relative_orbit, one.orbit_direction]
        best = dates.get(one.date, one)
        less, more = sorted((one, best), key=lambda other: other.coverage)
        if one is not best:
            reason = f"{more.frames[0].title} of the same orbit and day covers more of the tile"
            found.leave_out(tile, less.frames, reason)
        dates[one.date] = more
    return {track: list(dates.values()) for track, dates in sorted(tracks.items())}


def _polarizations(
    order: Order, tile: str, passes: Sequence[TilePass], found: Found
) -> tuple[str, ...]:
    """Return the polarisations of a series; passes without them are left out where it is told."""
    if not order.polarizations:
        kinds = {one.polarizations: one for one in passes}
        if len(kinds) > 1:
            said = ", ".join(" ".join(names) for names in sorted(kinds))
            raise OrderRefusedError(
                "polarizations",
                f"products of tile {tile}, relative orbit {passes[0].relative_orbit}, are mixed: "
                f"some have {said}. Give the polarizations of the series",
            )
        return next(iter(kinds))
    wanted = in_order(order.polarizations)
    for one in passes:
        if lacking := set(wanted) - set(one.polarizations):
            has = " ".join(one.polarizations)
            reason = f"its polarizations are {has}, without {' '.join(sorted(lacking))}"
            found.leave_out(tile, one.frames, reason)
    return wanted


def _is_enough(
    order: Order, series: Series, passes: Sequence[TilePass], lake: Lake, found: Found
) -> bool:
    """Tell whether a series has as many dates as wanted, with those that are there already."""
    dates = {one.date for one in passes}
    if not dates:
        return False
    if len(dates) < order.min_images:
        dates |= dates_of(lake, series).keys()
    if len(dates) >= order.min_images:
        return True
    frames = [frame for one in passes for frame in one.frames]
    found.leave_out(
        series.tile,
        frames,
        f"tile {series.tile} has {len(dates)} images of relative orbit {series.relative_orbit}, "
        f"below min_images of {order.min_images}",
    )
    return False


def _check_enough(
    order: Order,
    found: Mapping[str, Found],
    series_tasks: Sequence[SeriesTask],
    dates: Sequence[object],
) -> None:
    if not series_tasks:
        last = next(one.left_out[-1] for one in found.values() if one.left_out)
        locator, reason = "min_images", str(last["reason"])
        if "polarization" in reason:
            locator, reason = "polarizations", f"{last['products'][0]}: {reason}"
        raise OrderRefusedError(locator, f"no series is left: {reason}")
    for work in series_tasks:
        if len(work.series.polarizations) == 1 and {"ratio", "rgb"} & set(order.composites):
            raise OrderRefusedError(
                "composites",
                f"composites has ratio or rgb, which need two polarizations: "
                f"{work.name} has {work.series.polarizations[0]}",
            )
    if len(dates) > MOST_DATES:
        raise OrderRefusedError(
            "tiles",
            f"the order is for {len(dates)} dates of tiles, at most {MOST_DATES}: "
            f"give fewer tiles than {len(order.tiles)} or a shorter period",
        )


def _check_heights(order: Order, series_tasks: Sequence[SeriesTask], context: PlanContext) -> None:
    """Refuse an area without any DEM before anything is recalled for it."""
    tiles = {work.series.tile for work in series_tasks}
    areas = {f"tile {tile}": tile_bounds(mgrs.tile(tile)) for tile in order.tiles if tile in tiles}
    try:
        configured_dem(context.config).check(areas)
    except DemError as error:
        raise OrderRefusedError("tiles", str(error)) from error


def _date_task(order: Order, series: Series, one: TilePass) -> DateTask:
    names = "".join(series.polarizations)
    if order.naming == "peps":
        stem = naming.series_stem(one, series.tile, names, order.calibration)
    else:
        stem = naming.tile_stem(one, series.tile, names, order.calibration)
    return DateTask(
        order,
        series,
        stem,
        one.date,
        f"{one.starts[0]:%Y/%m/%d}",
        tuple(frame.uid for frame in one.frames),
        tuple(frame.title for frame in one.frames),
    )


def _series_task(order: Order, series: Series, works: Sequence[DateTask]) -> SeriesTask:
    return SeriesTask(order, series, tuple(f"{work.folder}/{work.stem}.json" for work in works))


def _with_left_out(first: SeriesTask, found: Mapping[str, Found]) -> SeriesTask:
    """Let the first series tell what was left out of the order."""
    left_out: tuple[Json, ...] = tuple(left for one in found.values() for left in one.left_out)
    return SeriesTask(first.order, first.series, first.items, left_out)


def _date_tasks(missing: Sequence[tuple[TilePass, DateTask]]) -> list[Task]:
    """Return the tasks of dates: all tiles of a pass together, whose products they share.

    A series goes on without a date that cannot be had.
    """
    ordered = sorted(missing, key=lambda pair: (pair[0].starts[0], pair[1].name))
    return [
        Task(work.name, work.products, work.to_json(), weight=one.coverage, optional=True)
        for one, work in ordered
    ]


def _task(work: SeriesTask, missing: Sequence[tuple[TilePass, DateTask]]) -> Task:
    after = tuple(date.name for _, date in missing if date.series == work.series)
    weight = _SERIES_WEIGHT * len(work.items)
    return Task(work.name, (), work.to_json(), weight=weight, after=after)
