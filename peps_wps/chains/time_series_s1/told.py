"""What is told of a series beside its maps: numbers, a table of its dates, the STAC item."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
import rasterio
import shapely
from numpy.typing import NDArray

from algorithms.time_series.model import baselines_of_dates
from algorithms.time_series.network import days_of, network
from peps_wps.chains.contract import Json
from peps_wps.chains.interferometry.describe import grid_of, radar_properties
from peps_wps.chains.time_series_s1.network_rule import rule_of
from peps_wps.chains.time_series_s1.series import StackSeries
from peps_wps.writers import stac

_SIGMAS_OF_MEDIAN = 1.4826
_DIGITS = 5
_EXTENSIONS = ("sar/v1.0.0", "sat/v1.0.0")
_COLUMNS = (
    *("date", "product", "days", "perpendicular_baseline_m", "azimuth_shift_lines", "pairs"),
    *("mean_coherence", "mean_displacement_m"),
)

SIGNS = {
    "displacement": (
        "metres since the first date along the line of sight, relative to the reference, positive "
        "towards the satellite"
    ),
    "velocity": "metres a year along the line of sight, positive towards the satellite",
    "dem_error": "metres: positive where the ground is higher than the DEM",
    "perpendicular_baseline_m": "positive where higher ground has a larger phase",
}


def statistics_of(folder: Path, names: Mapping[str, str], series: StackSeries) -> Json:
    """Return what is counted of a series and what it is made of.

    Parameters
    ----------
    folder, names
        Where its maps lie, by kind.
    """
    velocity = _read(folder / names["velocity"])
    coherence = _read(folder / names["temporal_coherence"])
    parts = _read(folder / names["parts"])
    longitude, latitude = series.reference_place
    order = series.work.stack.order
    spreads = {
        kind: _spread(_read(folder / names[kind]))
        for kind in ("velocity", "velocity_sigma", "residual", "temporal_coherence", "dem_error")
        if kind in names
    }
    return {
        "signs": SIGNS,
        "reference": {
            "longitude": round(longitude, 6),
            "latitude": round(latitude, 6),
            "row": series.reference.row,
            "column": series.reference.column,
            "radius_pixels": series.reference.radius,
            "chosen_by": "order" if order.reference_point is not None else "coherence",
        },
        "network": rule_of(order),
        "dates": _dates(series, folder / names["displacement"]),
        "pairs": _pairs(series),
        "pairs_left_out": series.dropped,
        "products_left_out": list(series.work.left_out),
        "atmosphere": series.atmosphere,
        "pixels": velocity.size,
        "seen_percent": _percent(np.isfinite(coherence)),
        "answered_percent": _percent(np.isfinite(velocity)),
        "connected_percent": _percent(parts == 1),
        "remarks": sorted({text for one in series.pairs for text in one.record.facts.remarks}),
        **spreads,
    }


def table_of(dates: Sequence[Json]) -> str:
    """Return the dates as comma-separated values, the first line their names."""
    out = io.StringIO()
    writer = csv.DictWriter(out, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(dates)
    return out.getvalue()


def item_of(series: StackSeries, assets: Mapping[str, stac.Asset], counted: Json) -> Json:
    """Return the STAC item of a series."""
    stack, order = series.work.stack, series.work.stack.order
    first, last = (series.acquisitions[k].start for k in (0, -1))
    facts = series.pairs[0].record.facts
    properties = {
        "title": f"Displacement from {first:%Y-%m-%d} to {last:%Y-%m-%d}",
        **dict.fromkeys(("datetime", "end_datetime"), stac.instant_text(last)),
        "start_datetime": stac.instant_text(first),
        **stac.made(datetime.now(UTC), _lineage(series), version("peps")),
        **radar_properties(facts, [stack.polarization], order.looks),
        "sar:product_type": "TIME_SERIES",
        "gsd": stack.grid.resolution,
        **stac.gridded(grid_of(stack.grid)),
        "peps:input_products": [title for one in series.acquisitions for title in one.titles],
        "peps:reference": counted["reference"],
        "peps:signs": SIGNS,
        "peps:answered_percent": counted["answered_percent"],
        "peps:pairs": len(series.pairs),
    }
    return stac.item_on(
        grid_of(stack.grid),
        shapely.from_wkt(stack.area),
        series.stem,
        extensions=_EXTENSIONS,
        properties=properties,
        assets=assets,
    )


def _lineage(series: StackSeries) -> str:
    """Return one sentence about how a series was made."""
    order = series.work.stack.order
    return (
        f"{len(series.acquisitions)} products in {len(series.pairs)} interferograms of "
        f"{order.looks_range} x {order.looks_azimuth} looks, unwrapped by {order.unwrapper}, "
        f"taken off each: {series.atmosphere}; inverted by weighted least squares; {series.datum}"
    )


def _dates(series: StackSeries, displacement: Path) -> list[Json]:
    """Return what is known of each date."""
    times = [one.start for one in series.acquisitions]
    net = network(times, np.array([one.dates for one in series.pairs]))
    across = baselines_of_dates(net, [one.record.perpendicular_baseline for one in series.pairs])
    days = days_of(times)
    told = []
    for k, one in enumerate(series.acquisitions):
        own = [pair.mean_coherence for pair in series.pairs if k in pair.dates]
        values = (
            f"{one.start:%Y-%m-%d}",
            one.title,
            round(float(days[k] - days[0]), 3),
            round(float(across[k]), 2),
            round(series.joined.shifts[one.uid], 6),
            len(own),
            round(float(np.mean(own)), 4),
            _mean(_read(displacement, k + 1)),
        )
        told.append(dict(zip(_COLUMNS, values, strict=True)))
    return told


def _pairs(series: StackSeries) -> list[Json]:
    """Return what is known of each pair that was used."""
    return [
        {
            "dates": [f"{one.start:%Y-%m-%d}" for one in (used.pair.first, used.pair.second)],
            "perpendicular_baseline_m": round(used.record.perpendicular_baseline, 2),
            "mean_coherence": used.mean_coherence,
            "azimuth_shift_lines": used.lines,
            "measured_shift_lines": used.record.shift and round(used.record.shift.lines, 6),
            "path": f"{used.pair.folder}/{used.pair.stem}.json",
        }
        for used in series.pairs
    ]


def _read(path: Path, band: int = 1) -> NDArray[np.float32]:
    with rasterio.open(path) as dataset:
        return np.asarray(dataset.read(band), np.float32)


def _percent(where: NDArray[np.bool_]) -> float:
    return round(100.0 * float(np.mean(where)), 3)


def _mean(values: NDArray[np.float32]) -> float | None:
    known = values[np.isfinite(values)]
    return round(float(known.mean(dtype=np.float64)), _DIGITS) if known.size else None


def _spread(values: NDArray[np.float32]) -> Json:
    known = values[np.isfinite(values)]
    if known.size == 0:
        return {}
    median = float(np.median(known))
    return {
        "median": round(median, _DIGITS),
        "nmad": round(_SIGMAS_OF_MEDIAN * float(np.median(np.abs(known - median))), _DIGITS),
        **{f"percentile_{p}": round(float(np.percentile(known, p)), _DIGITS) for p in (2, 98)},
    }
