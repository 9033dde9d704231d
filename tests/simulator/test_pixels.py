import numpy as np
import pytest
import rasterio

from simulator.acquisition import Order, plan
from simulator.annotation import NoiseBlock, Radiometry, Table
from simulator.geometry import RadarFrame, frame_of
from simulator.instrument import IW, Processor
from simulator.landscape import Discs, only_fields, parcels, random_bits, scenery
from simulator.measurement import QuickLook
from simulator.pixels import Scene, Targets, strips, valid_samples
from simulator.s1_grd import read_metadata
from simulator.terrain import Terrain
from simulator.truth import place_truth

LINES, SAMPLES = 160, 400
NO_DISCS = Discs(np.empty(0), np.empty(0), np.empty(0), np.empty((0, 2)))
NO_TARGETS = Targets(np.empty(0), np.empty(0), np.empty((0, 2)))


def constant(value: float) -> Table:
    return Table(
        np.array([0.0, LINES]),
        (np.array([0.0, SAMPLES]),) * 2,
        (np.full(2, value),) * 2,
    )


def radiometry(noise: float) -> Radiometry:
    tables = {"sigmaNought": constant(500.0), "betaNought": constant(474.0)}
    return Radiometry(tables | {"gamma": constant(400.0)}, constant(noise), ())


@pytest.fixture(scope="module")
def frame() -> RadarFrame:
    flat = Terrain(*np.radians((1.4, 43.6)), 200.0, np.empty((0, 4)))
    order = Order(
        IW, Processor.of("3.31"), flat.longitude, flat.latitude, lines=LINES, samples=SAMPLES
    )
    return plan(order, flat).frames[0]


def scene(**changes) -> Scene:
    terrain = Terrain(*np.radians((1.4, 43.6)), 200.0, np.empty((0, 4)))
    everywhere = Discs(
        np.array([terrain.longitude]),
        np.array([terrain.latitude]),
        np.array([20_000.0]),
        np.array([[0.1, 0.02]]),
    )
    whole = np.column_stack((np.zeros(LINES), np.full(LINES, SAMPLES - 1))).astype(np.int32)
    given = {
        "terrain": terrain,
        "discs": everywhere,
        "targets": NO_TARGETS,
        "looks": 4.4,
        "seed": 5,
        "first_line": 0,
        "valid": whole,
    }
    return Scene(**(given | changes))


def image(frame, scene, tables, **options):
    return np.concatenate(list(strips(frame, scene, tables, **options)), axis=1)


def test_without_speckle_power_is_calibrated_signal_plus_noise(frame):
    tables = {"VV": radiometry(900.0), "VH": radiometry(700.0)}

    co, cross = image(frame, scene(looks=0.0), tables)

    # Digital numbers are whole: half a unit off at most.
    assert np.abs(co - np.sqrt(0.1 * 400.0**2 + 900.0)).max() <= 0.5
    assert np.abs(cross - np.sqrt(0.02 * 400.0**2 + 700.0)).max() <= 0.5


def test_noise_of_a_block_multiplies_there_only(frame):
    table = radiometry(900.0)
    block = NoiseBlock(40, 99, 100, 199, np.array([40.0, 99.0]), np.array([2.0, 3.0]))
    table = Radiometry(table.calibration, table.noise, (block,))

    (co,) = image(frame, scene(looks=0.0), {"VV": table})

    factor = np.ones((LINES, SAMPLES))
    factor[40:100, 100:200] = np.interp(np.arange(40, 100), [40, 99], [2, 3])[:, None]
    assert np.abs(co - np.sqrt(0.1 * 400.0**2 + 900.0 * factor)).max() <= 0.51


def test_speckle_has_mean_one_and_the_looks_asked_for(frame):
    (co,) = image(frame, scene(), {"VV": radiometry(0.0)})
    power = co.astype(float) ** 2 / (0.1 * 400.0**2)
    count = power.size

    # Standard errors: of the mean 1 / sqrt(4.4 n); of the looks about sqrt(2.5 / n) relative.
    assert power.mean() == pytest.approx(1.0, abs=4 / np.sqrt(4.4 * count))
    assert 1 / power.var() == pytest.approx(4.4, rel=5 * np.sqrt(2.5 / count))
    neighbours = np.corrcoef(power[:, 1:].ravel(), power[:, :-1].ravel())[0, 1]
    assert abs(neighbours) < 4 / np.sqrt(count)
    below = np.corrcoef(power[1:].ravel(), power[:-1].ravel())[0, 1]
    assert abs(below) < 4 / np.sqrt(count)


def test_polarisations_have_speckle_of_their_own(frame):
    co, cross = image(frame, scene(), {"VV": radiometry(0.0), "VH": radiometry(0.0)})
    assert abs(np.corrcoef(co.ravel(), cross.ravel())[0, 1]) < 4 / np.sqrt(co.size)


def test_threads_do_not_change_the_image(frame):
    tables = {"VV": radiometry(900.0)}
    np.testing.assert_array_equal(
        image(frame, scene(), tables, threads=1), image(frame, scene(), tables, threads=3)
    )


def test_a_target_lies_at_its_sub_pixel_place(frame):
    where = Targets(np.array([63.6, 100.2]), np.array([50.3, 211.8]), np.full((2, 2), 80.0))

    (co,) = image(frame, scene(looks=0.0, targets=where), {"VV": radiometry(0.0)})

    power = co.astype(float) ** 2 - np.median(co.astype(float)) ** 2
    for line, sample in zip(where.line, where.sample, strict=True):
        rows, columns = np.mgrid[-5:6, -5:6]
        rows, columns = rows + round(line), columns + round(sample)
        weight = power[rows, columns]
        # Rounding of the digital numbers around the target, 0.5 of 130: 1e-3 pixel.
        assert (weight * rows).sum() / weight.sum() == pytest.approx(line, abs=2e-3)
        assert (weight * columns).sum() / weight.sum() == pytest.approx(sample, abs=2e-3)


@pytest.mark.parametrize("clean", [True, False])
def test_pixels_outside_the_swath_are_zero_or_old_border_noise(frame, clean):
    valid = valid_samples(LINES, SAMPLES, ragged_start=True, ragged_stop=False)

    (co,) = image(frame, scene(valid=valid, clean_border=clean), {"VV": radiometry(900.0)})

    column = np.arange(SAMPLES)
    inside = (column >= valid[:, :1]) & (column <= valid[:, 1:])
    assert (co[inside] >= 1).all()
    assert not inside[:8].any()
    assert inside[16:].any(axis=1).all()
    outside = co[~inside]
    # Border noise stays below 30, the limit by which ESA's method knows it.
    assert (outside == 0).all() if clean else (0 < outside.max() < 30)


def test_the_country_is_the_same_in_the_next_frame(frame):
    tables = {"VV": radiometry(0.0)}
    whole = image(frame, scene(discs=NO_DISCS), tables)[0]
    later = RadarFrame(
        frame.first_line_time + 64 * frame.line_interval,
        *(getattr(frame, name) for name in ("line_interval", "range_spacing")),
        LINES - 64,
        *(getattr(frame, name) for name in ("samples", "trajectory", "ground_range", "bulk_delay")),
    )

    tail = image(later, scene(discs=NO_DISCS, first_line=64), tables)[0]

    np.testing.assert_array_equal(tail, whole[64:])


def test_discs_that_touch_are_refused():
    terrain = Terrain(0.0, 0.7, 0.0, np.empty((0, 4)))
    discs = Discs(np.array([0.0, 1e-4]), np.array([0.7, 0.7]), np.full(2, 500.0), np.ones((2, 2)))
    with pytest.raises(ValueError, match="closer"):
        discs.index(terrain)


def test_hashed_bits_are_even():
    bits = [int(random_bits(a, b, 3)) for a in range(-40, 40) for b in range(-25, 25)]
    ones = np.array([[(value >> k) & 1 for k in range(64)] for value in bits])
    # Binomial: 4000 draws of one half, five standard errors.
    assert np.abs(ones.mean(axis=0) - 0.5).max() < 5 * 0.5 / np.sqrt(len(bits))
    assert len(set(bits)) == len(bits)


def test_patches_of_a_product_have_their_gamma0(product):
    """The product as its files describe it: calibrated here with the LUTs' own formula."""
    annotation, tables = read_metadata(product.path)
    frame = frame_of(annotation)
    truth = place_truth([frame], product.terrain, np.random.default_rng(1))
    where = frame.locate(*truth.patch_place.T)
    for kind, (name, suffix) in enumerate((("VV", "001"), ("VH", "002"))):
        (path,) = (product.path / "measurement").glob(f"*{suffix}.tiff")
        with rasterio.open(path) as dataset:
            numbers = dataset.read(1).astype(float)
        for (line, sample), gamma0 in zip(where, truth.patch_gamma0[:, kind], strict=True):
            rows = np.arange(round(line) - 40, round(line) + 41)
            columns = np.arange(round(sample) - 40, round(sample) + 41)
            if rows[0] < 20 or rows[-1] > 880 or columns[0] < 90 or columns[-1] > 1400:
                continue
            item = tables[name]
            gain = item.calibration["gamma"].vectors(1500)[0, columns].astype(float)
            eta = np.array(
                [
                    np.interp(columns, *vector)
                    for vector in zip(item.noise.sample, item.noise.value, strict=True)
                ]
            )
            share = np.interp(rows, item.noise.line, np.arange(item.noise.line.size))
            low = np.minimum(share.astype(int), item.noise.line.size - 2)
            eta = eta[low] + (share - low)[:, None] * (eta[low + 1] - eta[low])
            for block in item.noise_blocks:
                inside = (columns >= block.first_sample) & (columns <= block.last_sample)
                eta[:, inside] *= np.interp(rows, block.line, block.value)[:, None]
            found = ((numbers[np.ix_(rows, columns)] ** 2 - eta) / gain**2).mean()
            noise = (eta / gain**2).mean()
            # Speckle: (gamma0 + noise) / sqrt(4.4 * 81**2), four standard errors.
            assert abs(found - gamma0) < 4 * (gamma0 + noise) / np.sqrt(4.4 * 81**2)


def test_a_quick_look_keeps_the_shape_of_the_image(rng):
    look = QuickLook((1000, 1300), width=100)
    for start in range(0, 1000, 64):
        look.append(rng.integers(1, 300, (2, min(64, 1000 - start), 1300), dtype=np.uint16))

    with rasterio.MemoryFile(look.png()) as file, file.open() as dataset:
        # Every 13th line, and means of 13 samples.
        assert dataset.shape == (77, 100)
        assert dataset.count == 3
        assert dataset.read().std() > 0


def test_where_only_fields_are_promised_there_is_nothing_else(rng):
    """The short cut of plain cells must not change the country."""
    margin, promised = 60.0, 0
    for east, north in rng.uniform(-120_000, 120_000, (4000, 2)):
        if only_fields(east, north, margin, 5):
            promised += 1
            for turn in rng.uniform(0, 2 * np.pi, 5):
                place = east + margin * np.cos(turn), north + margin * np.sin(turn)
                assert scenery(*place, 5) == parcels(*place, 5)
    assert promised > 1000


def test_a_strip_between_two_lines_of_the_picture_adds_nothing():
    look = QuickLook((100, 2600), width=51)
    for lines in (60, 30, 10):
        look.append(np.full((2, lines, 2600), 100, np.uint16))
    assert sum(rows.shape[1] for rows in look.rows) == -(-100 // look.step)
