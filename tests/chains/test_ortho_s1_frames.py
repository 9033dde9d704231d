"""Consecutive frames of one pass: one image without a seam, or each by itself."""

import numpy as np
import pytest

import simulator.truth
from peps_wps.chains.contract import TaskInputs
from peps_wps.chains.ortho_s1.chain import OrthoS1
from peps_wps.errors import ChainError
from tests.chains.simulated_pass import simulate_pass, targets_of

pytestmark = pytest.mark.xdist_group("frames")

LINES = 440


@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    """Three frames whose targets stand up to four lines from the seams."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulator.truth, "EDGE_LINES", 4)
        return simulate_pass(
            tmp_path_factory.mktemp("frames"),
            frames=3,
            lines=LINES,
            polarizations=("VV",),
            longitude=1.4,
            latitude=43.55,
        )


@pytest.fixture(scope="module")
def together(frames):
    return frames.tile()


def _titles(frames, *numbers):
    return " ".join(frames.products[number].title for number in numbers)


def test_no_pixel_is_lost_on_the_seams(frames, together):
    line, sample = _image_place(frames, together)
    samples = frames.frame.samples
    inside = (sample > 100) & (sample < samples - 100) & (line > 30) & (line < 3 * LINES - 30)
    for seam in (LINES, 2 * LINES):
        around = inside & (np.abs(line - seam) < 10)
        assert around.sum() > 10_000
        assert not np.isnan(together.power()[around]).any()


def test_targets_beside_the_seams_are_in_their_place(frames, together):
    beside = [
        min(target["line"], LINES - 1 - target["line"])
        for frame in range(3)
        for target in targets_of(frames.truth(frame))
        if 0 < (LINES * frame + target["line"]) // (LINES / 2) < 5
    ]
    assert min(beside) < 20  # lines; a target is 12 wide
    for frame in range(3):
        found = together.score(frame=frame)
        assert found.missing == 0
        assert found.worst_m <= 1.0
        assert found.rms_m <= 0.30


def test_the_seams_do_not_show(frames, together):
    """The level across a seam is that of the ground: no step, no dip."""
    line, _ = _image_place(frames, together)
    power = together.power()
    for seam in (LINES, 2 * LINES):
        on = np.nanmedian(power[np.abs(line - seam) < 2])
        near = np.nanmedian(power[(np.abs(line - seam) > 2) & (np.abs(line - seam) < 12)])
        assert abs(10 * np.log10(on / near)) < 0.3  # 7000 pixels of 4.4 looks on fields


def test_frames_together_have_no_time_of_day_in_their_name(together):
    assert together.path().name.endswith("_20210809txxxxxx.tif")


def test_all_frames_are_named_in_the_report(frames, together):
    assert together.body["products"] == [product.title for product in frames.products]


def test_a_frame_alone_leaves_its_own_file(frames, together):
    names = [frames.tile(product=_titles(frames, number)).path().name for number in range(2)]
    starts = [f"{product.start:%H%M%S}" for product in frames.products[:2]]
    assert [name[-11:] for name in names] == [f"t{start}.tif" for start in starts]
    assert together.path().name not in names


def test_a_frame_alone_is_its_part_of_the_image(frames, together):
    alone = frames.tile(product=_titles(frames, 1)).power()
    both = np.isfinite(alone) & np.isfinite(together.power())
    # At the corners of a frame, where its edge has a step, half a pixel may belong to either.
    assert both.sum() > 0.9999 * np.isfinite(alone).sum()
    # The same pixels by the same records, but for the half pixel beyond the last line of a frame.
    ratio = together.power()[both] / alone[both]
    assert np.percentile(np.abs(ratio - 1), 99) < 1e-3


def test_the_order_in_which_frames_are_given_does_not_matter(frames, together):
    (task,) = frames.order(product=_titles(frames, 2, 0, 1))
    assert task.products == frames.order()[0].products


def test_frames_with_one_missing_between_them_are_refused(frames, tmp_path):
    """Half a second is missing: too little for the catalogue's times, seen in the annotations."""
    (task,) = frames.order(product=_titles(frames, 0, 2))
    paths = {p.uid: path for p, path in zip(frames.products, frames.paths, strict=True)}
    with pytest.raises(ChainError, match="frames do not continue each other: the second begins"):
        OrthoS1().run(task, TaskInputs(paths, frames.config, tmp_path), lambda *_: None)
    assert list(tmp_path.iterdir()) == []


def _image_place(frames, tile):
    """Line of the pass and sample of every pixel, by a plane through the targets of all frames."""
    targets = [
        (
            *tile.pixel(target),
            target["height"],
            1.0,
            target["line"] + LINES * frame,
            target["sample"],
        )
        for frame in range(3)
        for target in targets_of(frames.truth(frame))
    ]
    known = np.array(targets)
    plane, *_ = np.linalg.lstsq(known[:, :4], known[:, 4:], rcond=None)
    rows, columns = np.indices(tile.power().shape)
    level = np.full(rows.shape, known[:, 2].mean())
    place = np.stack([rows, columns, level, np.ones(rows.shape)], axis=-1) @ plane
    return place[..., 0], place[..., 1]
