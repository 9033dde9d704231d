"""What S1_INTERFEROGRAM gives of a simulated pair, against what is true of it."""

import json
import zipfile

import numpy as np
import pystac
import pytest
import rasterio
from pyproj import Transformer

from algorithms.interferometry.cells import Looks
from peps_wps.chains.interferogram_s1.chain import InterferogramS1
from peps_wps.chains.interferometry.solve import KeptPair, merged, solved
from simulator.tops.score import score_coherence, score_displacement, score_phase
from tests.chains.interferometry.simulated_pair import SHIFT, UPLIFT
from tests.web.stac.extension_rules import validate

LAYERS = [
    *("wrapped", "filtered", "complex", "coherence", "amplitude", "unwrapped", "displacement"),
    *("vertical", "components", "incidence", "los", "dem", "mask"),
]


def read(path, band=1):
    with rasterio.open(path) as dataset:
        return dataset.read(band, masked=True).astype(np.float64).filled(np.nan)


def at_the_bowl(pair, path):
    """The value at the middle of the bowl."""
    origin = pair.truth.order.scene.terrain
    with rasterio.open(path) as dataset:
        to_map = Transformer.from_crs(4326, dataset.crs, always_xy=True)
        place = to_map.transform(*np.degrees([origin.longitude, origin.latitude]))
        return float(next(dataset.sample([place]))[0])


def metadata(made):
    (path,) = made.folder.glob("*_metadata.json")
    return json.loads(path.read_text())


@pytest.mark.parametrize("layer", ["wrapped", "filtered", "unwrapped"])
def test_the_phase_is_that_of_the_displacement(pair, made, layer):
    score = score_phase(pair.truth, made.layer(layer))

    assert score.pixels > 2000
    assert score.concentration >= 0.98
    assert score.border_jump < 0.03
    if layer != "unwrapped":  # whose zero is a choice
        assert abs(score.bias) < 0.02


def test_the_coherence_is_that_of_the_ground(pair, made):
    assert abs(score_coherence(pair.truth, made.layer("coherence"))) < 0.01


def test_ground_that_rises_moves_towards_the_satellite(pair, made):
    """The bowl rises by UPLIFT; its phase falls."""
    origin = pair.truth.order.scene.terrain
    along = float(pair.truth.displacement(*np.atleast_1d(origin.longitude, origin.latitude))[0])
    edge = np.nanmedian(read(made.layer("displacement"))[:10])
    phase_edge = np.nanmedian(read(made.layer("unwrapped"))[:10])

    assert 0.6 * UPLIFT < along < UPLIFT
    risen = at_the_bowl(pair, made.layer("displacement")) - edge
    assert risen == pytest.approx(along, abs=1e-3)
    assert at_the_bowl(pair, made.layer("unwrapped")) < phase_edge - 5.0
    risen_up = at_the_bowl(pair, made.layer("vertical"))
    ratio = risen_up / at_the_bowl(pair, made.layer("displacement"))
    angle = np.radians(at_the_bowl(pair, made.layer("incidence")))
    assert ratio == pytest.approx(1.0 / np.cos(angle), rel=1e-3)


def test_the_displacement_is_true_within_a_millimetre(pair, made):
    _, spread = score_displacement(pair.truth, made.layer("displacement"))

    assert spread < 1e-3
    assert np.nanmin(read(made.layer("components"))) == 1.0


def test_more_cells_than_fit_are_unwrapped_as_squares_of_them(pair, made, monkeypatch):
    files = [done.folder / name for done in made.finished[:-1] for name in done.result.files]
    whole = merged(KeptPair(tuple(files), Looks(4, 20)), lines=SHIFT)
    alone = solved(whole)
    cells = whole.grid.shape[0] * whole.grid.shape[1]
    monkeypatch.setattr("peps_wps.chains.interferometry.solve.MOST_UNWRAPPED", cells - 1)
    monkeypatch.setattr("peps_wps.chains.interferometry.solve.MOST_COARSE", cells // 2)

    found = solved(whole)

    assert (alone.unwrapped_looks, found.unwrapped_looks) == (Looks(4, 20), Looks(8, 40))
    known = np.isfinite(alone.phase)
    assert np.array_equal(known, np.isfinite(found.phase))
    # Whole cycles of the same filtered phase: zeros differ by that of the larger cells.
    difference = (found.phase - alone.phase)[known]
    assert np.ptp(difference) < 1e-3
    assert abs(difference[0]) < 0.1
    assert np.mean(found.unwrapped.components[known] == 1) > 0.99
    line, sample = found.reference_place
    row, column = int(line) // 4, int(sample) // 20
    assert abs(found.phase[row, column]) < 0.5


def test_look_vectors_point_to_the_satellite(made):
    """West of an ascending pass looking right; their height is the cosine of the incidence."""
    east, north, up = (read(made.layer("los"), band) for band in (1, 2, 3))
    known = np.isfinite(up)

    np.testing.assert_allclose(
        east[known] ** 2 + north[known] ** 2 + up[known] ** 2, 1.0, atol=1e-5
    )
    incidence = np.radians(read(made.layer("incidence"))[known])
    np.testing.assert_allclose(up[known], np.cos(incidence), atol=1e-5)
    assert np.all(east[known] < -0.5)


def test_heights_are_those_of_the_relief(pair, made):
    with rasterio.open(made.layer("dem")) as dataset:
        heights = dataset.read(1)
        rows, columns = np.nonzero(np.isfinite(heights))
        place = dataset.transform @ (columns + 0.5, rows + 0.5)
        longitude, latitude = Transformer.from_crs(dataset.crs, 4326, always_xy=True).transform(
            *place
        )
    truth = pair.truth.order.scene.terrain.height(np.radians(longitude), np.radians(latitude))
    np.testing.assert_allclose(heights[rows, columns], truth, atol=3.0)  # bilinear in a 1" DEM


def test_the_complex_interferogram_has_the_phase_and_the_coherence_is_not_filtered(made):
    real, imaginary = (read(made.layer("complex"), band) for band in (1, 2))
    wrapped = read(made.layer("wrapped"))
    known = np.isfinite(real) & np.isfinite(wrapped)

    # Bright cells weigh more between cells than their phasors do.
    turned = np.exp(1j * (np.angle(real + 1j * imaginary) - wrapped))[known]
    assert np.abs(turned.mean()) > 0.999
    assert known.mean() > 0.3


def test_metadata_tell_what_was_found(made):
    told = metadata(made)

    shift = told["azimuth_shift"]
    assert abs(shift["lines"] - SHIFT) < 3.0 * shift["standard_error"] < 0.002
    assert abs(told["perpendicular_baseline_m"]) == pytest.approx(85.0, abs=25.0)
    assert told["reference"]["orbit_kind"] == told["secondary"]["orbit_kind"] == "restituted"
    assert any("restituted" in warning for warning in told["warnings"])
    assert told["unwrapping"]["in_largest_percent"] > 99.0
    assert told["unwrapping"]["cells"] == "20x4"
    assert set(told["signs"]) >= {"phase", "displacement", "vertical", "los"}
    assert told["files"].keys() == set(LAYERS)


def test_the_zip_holds_every_layer_as_a_cog(made):
    (path,) = made.folder.glob("*.zip")
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
    assert sorted(name.rsplit("_", 1)[1] for name in names if name.endswith(".tif")) == sorted(
        f"{layer}.tif" for layer in LAYERS
    )
    assert sum(name.endswith(".png") for name in names) == 3
    with rasterio.open(made.layer("displacement")) as dataset:
        assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert (dataset.tags()["UNIT"], dataset.units) == ("m", ("m",))
        assert dataset.res == (80.0, 80.0)
        assert dataset.transform.c % 80.0 == dataset.transform.f % 80.0 == 0.0


def test_the_item_is_sound(made):
    (path,) = (path for path in made.last.folder.glob("*.json") if "metadata" not in path.name)
    validate(json.loads(path.read_text()))
    item = pystac.Item.from_file(str(path))

    assert set(LAYERS) < item.assets.keys()
    assert all((path.parent / asset.href).is_file() for asset in item.assets.values())
    assert item.properties["sar:looks_range"] == 20
    assert item.properties["sar:polarizations"] == ["VV"]
    assert "mgrs:utm_zone" not in item.properties
    assert not any("mgrs" in name for name in item.stac_extensions)


def test_progress_is_told_by_burst(pair, made):
    assert {message for message in pair.told if message.startswith("Computing burst")} == {
        f"Computing burst {name}" for name in metadata(made)["bursts"]
    }


def test_named_bursts_on_tiles_without_unwrapping(pair, made, tmp_path):
    """A tile's pixels; no displacement where nothing is unwrapped; one burst has no overlap."""
    name = metadata(made)["bursts"][0]
    inputs = {
        **pair.titles(),
        "bursts": [name],
        "unwrap": ["none"],
        "filter": ["none"],
        "grid": ["mgrs"],
        "masks": ["no"],
    }
    one = pair.make(InterferogramS1(), tmp_path, inputs)

    assert sorted(path.stem.rsplit("_", 1)[1] for path in one.last.folder.rglob("*.tif")) == sorted(
        {"wrapped", "coherence", "amplitude", "incidence", "los", "dem"}
    )
    with rasterio.open(one.layer("wrapped")) as dataset:
        assert dataset.shape == (1830, 1830)
        assert dataset.tags()["S2_TILE_CORRESPONDING_CODE"] == "31TCJ"
    told = metadata(one)
    assert told["azimuth_shift"] is None
    assert any("misregistration could not be measured" in text for text in told["warnings"])
    assert score_phase(pair.truth, one.layer("wrapped")).concentration > 0.98


def test_the_result_is_cut_to_the_area(pair, tmp_path):
    origin = pair.truth.order.scene.terrain
    x, y = np.degrees([origin.longitude, origin.latitude])
    area = f"POLYGON(({x} {y}, {x + 0.01} {y}, {x + 0.01} {y + 0.01}, {x} {y + 0.01}, {x} {y}))"
    inputs = {**pair.titles(), "geometry": [area], "unwrap": ["none"], "resolution": ["40"]}

    cut = pair.make(InterferogramS1(), tmp_path, inputs)

    with rasterio.open(cut.layer("coherence")) as dataset:
        held = np.isfinite(dataset.read(1))
        assert dataset.width * 40 == pytest.approx(0.01 * 80_500, abs=90)
        # A rectangle of meridians, turned on the map by a degree.
        assert 0.85 < held.mean() < 1.0
