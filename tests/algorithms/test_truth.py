"""The geometry against the simulator's, which shares no code with it.

The simulator goes forward: a pixel's sphere of equal range meets the zero-Doppler plane and the
relief. The ground point found must come back to the pixel.
"""

import numpy as np
import pytest

from algorithms.radar.geometry import RadarGeometry
from simulator.annotation import parse_annotation
from simulator.geometry import frame_of
from simulator.real_metadata import default_terrain, read_files

# Ascending and descending, both hemispheres, IW, EW and stripmap, IPF 2.36 to 3.90.
PARTS = ["_6FF8", "_ECC8", "_5371", "_8255", "_9550", "_6D00", "_FEC3", "_CEAB", "_BB15", "_4B8B"]


def simulated(path):
    """The simulator's own reading of a co-polarised annotation."""
    return parse_annotation(
        next(
            content
            for name, content in read_files(path).items()
            if name.split("/")[:-1] == ["annotation"] and ("-vv" in name or "-hh" in name)
        )
    )


CASES = [(part, srgr, True) for part in PARTS for srgr in ("linear", "nearest")]


@pytest.mark.parametrize(("part", "srgr", "bistatic"), [*CASES, ("_6FF8", "linear", False)])
def test_simulated_ground_comes_back_to_its_pixel(
    annotation_of, reference_data, part, srgr, bistatic
):
    source = simulated(next((reference_data / "s1" / "safe").glob(f"*{part}*.zip")))
    frame = frame_of(source, bistatic=bistatic, range_rule=srgr)
    line = np.linspace(2.0, frame.lines - 3.0, 40)
    sample = np.linspace(2.0, frame.samples - 3.0, 25)
    ground = frame.ground(line, sample, default_terrain(source, 1))
    annotation, version = annotation_of(part)
    geometry = RadarGeometry.from_annotations([annotation], bistatic=bistatic, srgr=srgr)

    location = geometry.locate(*np.moveaxis(ground, -1, 0))

    # 0.003 of a line or a sample is 3 cm on the ground of IW: a fit of the orbit, the table of
    # slant range, and records interpolated one way or the other. Vectors of IPF 2.36, one a
    # second, scatter by centimetres a second, which the simulator's interpolation follows.
    lines = 0.006 if version < 2.5 else 0.003
    np.testing.assert_allclose(location.line, np.broadcast_to(line[:, None], (40, 25)), atol=lines)
    np.testing.assert_allclose(location.sample, np.broadcast_to(sample, (40, 25)), atol=0.003)
