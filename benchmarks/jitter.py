"""Jitter that detectors see at other times, in a rendered pair: what corrections leave of it.

    python -m benchmarks.jitter [FILE.png]

Waves of neighbouring detectors of the pair are half a period apart. Printed are standard
deviations of the measured displacement by detector, pixels: as it is, less one profile for all
detectors, less a profile of each as S2_CORRELATION has it, and less the truth: the noise of the
windows. FILE shows the first three.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from algorithms.correlation import correlate
from algorithms.correlation.corrections import jitter
from peps_wps.chains.correlation_s2.corrections import Sampling, corrected, track_slope
from simulator.optical.displacement import Attitude, detector_index
from simulator.optical.image_pair import make_pair

SIZE, STEP, WINDOW = 2560, 10, 31
WIDTH, PERIOD, AMPLITUDE = 1280.0, 180.0, 0.06  # pixels
SHOWN = 0.075  # pixels that are black and white
BINS = 51  # nodes of 100 m, 5 km


def main() -> None:
    attitude = Attitude((0.0, AMPLITUDE), PERIOD, (0.0, 0.0), WIDTH, PERIOD / 2)
    pair = make_pair(attitude, SIZE, changed=0.0)
    field = correlate(pair.reference, pair.secondary, window=WINDOW, step=STEP, max_displacement=2)
    row, column = np.meshgrid(field.rows * 1.0, field.columns * 1.0, indexing="ij")
    detectors = (1 + detector_index(row, column, WIDTH)).astype(np.uint8)
    slope = track_slope(detectors)
    if slope is None:
        raise RuntimeError("the pair shows no seam")
    along = np.asarray(row - slope * column, np.float64)
    wave = jitter(field.dx, along, bin_width=STEP, smooth_bins=BINS)
    each = corrected(field.dy, field.dx, ("jitter",), [detectors], Sampling(10, STEP)).dx
    truth = pair.dx[np.ix_(field.rows, field.columns)].astype(np.float32)
    told = {
        "as it is": field.dx,
        "one profile": field.dx - wave,
        "a profile a detector": each,
        "less the truth": field.dx - truth,
    }
    for name, left in told.items():
        spread = [f"{np.nanstd(left[detectors == one]):.4f}" for one in np.unique(detectors)]
        print(f"{name:21} {' '.join(spread)}")
    if len(sys.argv) > 1:
        shown = np.nan_to_num(np.hstack(list(told.values())[:3]))
        grey = np.clip(127.5 * (1 + shown / SHOWN), 0, 255).astype(np.uint8)
        Image.fromarray(grey).save(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
