"""Products that are damaged or not what they say: one clear sentence, and nothing left behind."""

import re
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import rasterio

from peps_wps.chains.contract import TaskInputs
from peps_wps.chains.ortho_s1.chain import OrthoS1
from peps_wps.errors import ChainError

pytestmark = pytest.mark.xdist_group("small")

# What PyWPS lets through to the client.
PASSED_ON = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .:!?=,;-_/")


def _truncate(safe: Path) -> None:
    (image,) = (safe / "measurement").iterdir()
    with image.open("r+b") as stream:
        stream.truncate(image.stat().st_size // 2)


def _lose_calibration(safe: Path) -> None:
    next((safe / "annotation" / "calibration").glob("calibration-*")).unlink()


def _lose_noise(safe: Path) -> None:
    next((safe / "annotation" / "calibration").glob("noise-*")).unlink()


def _lose_image(safe: Path) -> None:
    shutil.rmtree(safe / "measurement")


def _lose_annotation(safe: Path) -> None:
    next((safe / "annotation").glob("*.xml")).unlink()


def _edit(safe: Path, folder: str, pattern: str, change) -> None:
    """Change numbers or words of XML files."""
    for path in (safe / folder).glob("*.xml"):
        text, count = re.subn(pattern, change, path.read_text())
        assert count > 0
        path.write_text(text)


def _move_along_track(safe: Path) -> None:
    """The grid lies a kilometre further north: 160 ms of flight."""

    def moved(found: re.Match) -> str:
        return f"<latitude>{float(found[1]) + 0.01:.15e}</latitude>"

    _edit(safe, "annotation", r"<latitude>([-+.\de]+)</latitude>", moved)


def _move_across_track(safe: Path) -> None:
    """The grid's pixels are two samples off."""

    def moved(found: re.Match) -> str:
        return f"<pixel>{int(found[1]) + 2}</pixel>"

    _edit(safe, "annotation", r"<pixel>(\d+)</pixel>(?=\s*<latitude>)", moved)


def _scatter_along_track(safe: Path) -> None:
    """Points of the grid lie a metre north and south of their place in turn: 0.1 lines."""
    turn = iter(range(10_000))

    def moved(found: re.Match) -> str:
        return f"<latitude>{float(found[1]) + (1e-5 if next(turn) % 2 else -1e-5):.15e}</latitude>"

    _edit(safe, "annotation", r"<latitude>([-+.\de]+)</latitude>", moved)


def _rename_slc(safe: Path) -> None:
    _edit(safe, "annotation", "<productType>GRD</productType>", "<productType>SLC</productType>")
    _edit(safe, "annotation", "<projection>Ground Range<", "<projection>Slant Range<")


def _blacken(safe: Path) -> None:
    (image,) = (safe / "measurement").iterdir()
    with rasterio.open(image, "r+") as dataset:
        dataset.write(np.zeros((1, *dataset.shape), np.uint16))


DAMAGE = {
    "truncated TIFF": (_truncate, r"truncated: \d+ bytes found, \d+ expected"),
    "no calibration file": (_lose_calibration, "calibration"),
    "no noise file": (_lose_noise, "has no noise file of VV: order it with denoise=false"),
    "no image": (_lose_image, "has no measurement"),
    "no annotation": (_lose_annotation, "no annotation"),
    "grid along the track": (
        _move_along_track,
        r"azimuth offset of -?1\d\d\.\d{3} ms .* at most 1",
    ),
    "grid across the track": (_move_across_track, r"by \d\.\d{3} samples rms, at most 0.1"),
    "grid with noise": (_scatter_along_track, r"by 0\.\d{3} lines rms, at most 0.05"),
    "SLC under the name of a GRD": (_rename_slc, "Ground Range expected"),
    "all zeros": (_blacken, "no valid pixel of S1A_IW_GRDH_.* on tile 31TCJ"),
}


def _attempt(small, path: Path, scratch: Path) -> str:
    """The sentence with which a task on a damaged product fails."""
    scratch.mkdir()
    (task,) = small.order()
    inputs = TaskInputs({small.products[0].uid: path}, small.config, scratch)
    with pytest.raises(ChainError) as failure:
        OrthoS1().run(task, inputs, lambda *_: None)
    return str(failure.value)


@pytest.fixture(scope="module", params=DAMAGE, ids=lambda name: name.replace(" ", "-"))
def failure(request, small, tmp_path_factory):
    """What was expected, the sentence, and the scratch folder after it."""
    damage, expected = DAMAGE[request.param]
    folder = tmp_path_factory.mktemp("damage")
    safe = folder / small.paths[0].name
    shutil.copytree(small.paths[0], safe)
    damage(safe)
    scratch = folder / "scratch"
    return expected, _attempt(small, safe, scratch), scratch


def test_a_damaged_product_fails_with_its_reason(failure):
    expected, sentence, _ = failure
    assert re.search(expected, sentence)


def test_the_sentence_reaches_the_client_whole(failure):
    _, sentence, _ = failure
    assert set(sentence) <= PASSED_ON
    assert len(sentence) <= 300


def test_nothing_that_looks_finished_is_left(failure):
    _, _, scratch = failure
    assert not [path for path in scratch.rglob("*") if not path.name.startswith(".")]


def test_a_product_without_noise_file_can_be_had_with_its_noise(small, tmp_path):
    safe = tmp_path / small.paths[0].name
    shutil.copytree(small.paths[0], safe)
    _lose_noise(safe)
    tile = small.repacked("noisy", [safe]).tile(denoise="false")
    assert tile.body["denoised"] is False


def test_a_polarisation_that_the_product_lost_is_named(hills, tmp_path):
    """The catalogue knows two, the product on disk has one."""
    safe = tmp_path / hills.paths[0].name
    shutil.copytree(hills.paths[0], safe)
    for path in safe.rglob("*-vh-*"):
        path.unlink()
    (task,) = hills.order(polarizations="VV VH")
    inputs = TaskInputs({hills.products[0].uid: safe}, hills.config, tmp_path)
    with pytest.raises(ChainError, match="VH") as failure:
        OrthoS1().run(task, inputs, lambda *_: None)
    assert set(str(failure.value)) <= PASSED_ON


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_gives_the_pixels_of_the_folder(small, tmp_path, method):
    safe = small.paths[0]
    packed = tmp_path / f"{safe.name}.zip"
    with zipfile.ZipFile(packed, "w", method, compresslevel=1) as archive:
        for path in (safe, *sorted(safe.rglob("*"))):
            archive.write(path, path.relative_to(safe.parent))
    tile = small.repacked(f"zip-{method}", [packed]).tile()
    np.testing.assert_array_equal(tile.stored(), small.tile().stored())


def test_a_product_cut_in_its_zip_is_refused(small, tmp_path):
    safe = small.paths[0]
    packed = tmp_path / f"{safe.name}.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(safe.rglob("*")):
            archive.write(path, path.relative_to(safe.parent))
    with packed.open("r+b") as stream:
        stream.truncate(packed.stat().st_size - 2000)
    sentence = _attempt(small, packed, tmp_path / "scratch")
    assert "is not a readable zip file" in sentence
    assert set(sentence) <= PASSED_ON
