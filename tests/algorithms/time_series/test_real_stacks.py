"""Two real stacks: subsidence of Mexico City, and a network with gaps about Sydney.

Figures of comparison are those that PyRate's tests keep beside the stacks.
"""

import re

import numpy as np
import pytest
import rasterio

from algorithms.time_series import Radar, invert
from algorithms.time_series.reference import best_block

# Of the part of the scene that was cut out: range samples about 204, line 2727; near range and look
# angle by the headers of the interferograms and their baseline files.
NEAR = Radar(0.05546576, 800_000.0, np.radians(31.3))
_SAMPLE, _LINE = 204.0, 2727.0


def days_of(path, digits):
    return re.search(rf"(\d{{{digits}}})-(\d{{{digits}}})", path.name).groups()


def date_of(day):
    century = "" if len(day) == 8 else "20"
    text = century + day
    return np.datetime64(f"{text[:4]}-{text[4:6]}-{text[6:]}")


def read(path):
    with rasterio.open(path) as dataset:
        values = dataset.read(1).astype(np.float32)
    values[values == 0.0] = np.nan
    return values


def baseline(path):
    """Perpendicular baseline of a pair where the images were cut out, metres."""
    lines = [line.split() for line in path.read_text().splitlines()]
    table = np.array([line for line in lines if len(line) == 9 and line[0].isdigit()], float)
    nearest = table[np.abs(table[:, 0] - _LINE).argmin(), 0]
    row = table[table[:, 0] == nearest]
    return float(np.interp(_SAMPLE, row[:, 1], row[:, 7]))


@pytest.fixture(scope="module")
def mexico(reference_data):
    folder = reference_data / "insar" / "s1_stack_mexico_city"
    paths = sorted((folder / "geotiffs").glob("*_unw.tif"))
    pairs = [days_of(path, 8) for path in paths]
    coherence = np.stack(
        [read(path.with_name(path.name.replace("_eqa_unw", "_flat_eqa_cc"))) for path in paths]
    )
    baselines = [
        baseline(folder / "geometry" / f"{'-'.join(pair)}_VV_8rlks_bperp.par") for pair in pairs
    ]
    block = best_block(coherence)
    phases = np.stack([read(path) for path in paths])
    rows, columns = block.window(phases.shape[1:])
    phases -= np.nanmean(phases[:, rows, columns], axis=(1, 2), keepdims=True)
    series = invert(
        phases,
        [tuple(map(date_of, pair)) for pair in pairs],
        sorted({date_of(day) for pair in pairs for day in pair}),
        perpendicular_baselines=baselines,
        weights=coherence**2 / (1.0 - np.minimum(coherence, 0.98) ** 2),
        radar=NEAR,
    )
    return folder, block, series


def test_the_east_of_mexico_city_sinks_by_decimetres_a_year(mexico):
    _, block, series = mexico
    answered = np.isfinite(series.velocity)
    assert answered.mean() > 0.95
    assert np.nanmean(series.temporal_coherence) > 0.95
    # Down to 0.3 m a year vertically, of which 0.85 lies in the line of sight.
    assert -0.30 < np.nanpercentile(series.velocity, 1) < -0.15
    assert abs(series.velocity[block.row, block.column]) < 0.02
    # The hill in the subsiding lake bed stands.
    hill = series.velocity[5:12, 74:80]
    assert np.nanmax(hill) > np.nanmedian(series.velocity[4:20, 60:95]) + 0.1


def test_errors_of_the_elevations_are_those_that_others_found(mexico):
    folder, _, series = mexico
    expected = read(folder / "dem_error_result" / "dem_error.tif")
    both = np.isfinite(expected) & np.isfinite(series.dem_error)
    # They are fitted to interferograms there, to dates here: the air weighs otherwise.
    assert np.corrcoef(expected[both], series.dem_error[both])[0, 1] > 0.85
    slope = np.polyfit(expected[both], series.dem_error[both], 1)[0]
    assert 0.8 < slope < 1.3


def test_a_network_with_gaps_is_answered_everywhere(reference_data):
    folder = reference_data / "insar" / "envisat_stack_sydney"
    paths = sorted((folder / "tif").glob("*_unw.tif"))
    pairs = [tuple(map(date_of, days_of(path, 6))) for path in paths]
    dates = sorted({date for pair in pairs for date in pair})
    phases = np.stack([read(path) for path in paths])
    phases -= np.nanmedian(phases, axis=(1, 2), keepdims=True)

    series = invert(phases, pairs, dates, radar=Radar(0.0562356424, 850_000.0, 0.4))

    assert len(dates) == 13
    assert np.isfinite(series.velocity).all()
    # A fifth of the pixels have gaps that cut the network.
    assert 0.1 < (series.parts > 1).mean() < 0.3
    # Rates in mm a year of phase, which is positive away from the sensor.
    expected = np.load(folder / "linrate" / "linear_rate.npy")
    both = np.isfinite(expected)
    found = -1e3 * series.velocity
    assert np.corrcoef(expected[both], found[both])[0, 1] > 0.95
    assert np.std(expected[both] - found[both]) < 1.0  # of -3 to 10 mm a year
