"""Other engines on one pair, in an environment of their own.

    PYTHON correlators.py METHOD PAIR.npz ANSWER.npz WINDOW SEARCH

PAIR holds reference, secondary, rows and columns of nodes; ANSWER gets dy, dx and cpu_s. PYTHON has
NumPy, opencv-python-headless and scikit-image, and for the method autorift the package `autoRIFT`
of its repository with its core compiled by

    g++ -O2 -shared -fPIC -std=c++11 -I... bindings/autoriftcoremodule.cpp -o autoriftcore.so
"""

import sys
import time

import numpy as np

UPSAMPLING = 50
LEAST_CORRELATION = 0.5
OVERSAMPLING = 64  # of autoRIFT: steps of 1 / 64 pixel
SPARSE = 3  # every third node, for what takes a millisecond each


def main() -> None:
    method, given, answer, window, search = sys.argv[1:]
    with np.load(given) as pair:
        images = pair["reference"], pair["secondary"]
        nodes = pair["rows"], pair["columns"]
    measure = METHODS[method](int(window), float(search))
    start = time.process_time()
    dy, dx, share = measure(*images, *nodes)
    seconds = (time.process_time() - start) / share
    np.savez(answer, dy=dy, dx=dx, cpu_s=seconds)


def places(rows, columns, shape, reach):
    """Yield the nodes whose surroundings lie in the image."""
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            inside = reach <= row < shape[0] - reach and reach <= column < shape[1] - reach
            if inside:
                yield i, j, row, column


def unanswered(rows, columns):
    return (np.full((rows.size, columns.size), np.nan, np.float32) for _ in range(2))


def match_template(window, search):
    """Zero-mean normalised correlation of OpenCV with a parabola, as pycorr does."""
    import cv2

    cv2.setNumThreads(1)
    half, radius = window // 2, int(np.ceil(search)) + 1

    def vertex(before, middle, after):
        curvature = before - 2.0 * middle + after
        return 0.0 if curvature >= 0.0 else 0.5 * (before - after) / curvature

    def measure(reference, secondary, rows, columns):
        reference, secondary = reference.astype(np.float32), secondary.astype(np.float32)
        dy, dx = unanswered(rows, columns)
        reach = half + radius
        for i, j, row, column in places(rows, columns, reference.shape, reach + 1):
            template = reference[row - half : row + half + 1, column - half : column + half + 1]
            around = secondary[row - reach : row + reach + 1, column - reach : column + reach + 1]
            scores = cv2.matchTemplate(around, template, cv2.TM_CCOEFF_NORMED)
            y, x = np.unravel_index(scores.argmax(), scores.shape)
            edge = scores.shape[0] - 1
            if scores[y, x] < LEAST_CORRELATION or not (0 < y < edge and 0 < x < edge):
                continue
            dy[i, j] = y - radius + vertex(*scores[y - 1 : y + 2, x])
            dx[i, j] = x - radius + vertex(*scores[y, x - 1 : x + 2])
        return dy, dx, 1.0

    return measure


def lucas_kanade(window, search):
    """Return OpenCV's pyramidal Lucas-Kanade, the engine of KARIOS."""
    import cv2

    cv2.setNumThreads(1)

    def measure(reference, secondary, rows, columns):
        images = []
        for image in (reference, secondary):
            low, high = np.percentile(image, (0.5, 99.5))
            images.append(np.clip(255.0 * (image - low) / (high - low), 0, 255).astype(np.uint8))
        column, row = np.meshgrid(columns.astype(np.float32), rows.astype(np.float32))
        points = np.column_stack([column.ravel(), row.ravel()])[:, None]
        levels = max(1, int(np.ceil(np.log2(max(search, 2.0)))))
        found, status, _ = cv2.calcOpticalFlowPyrLK(
            *images, points, None, winSize=(window, window), maxLevel=levels
        )
        moved = np.where(status[:, None] == 1, found - points, np.nan)[:, 0].astype(np.float32)
        return moved[:, 1].reshape(row.shape), moved[:, 0].reshape(row.shape), 1.0

    return measure


def phase_correlation(window, search):
    """Scikit-image's upsampled cross-correlation under a Hann window, on some of the nodes."""
    from skimage.registration import phase_cross_correlation

    half = window // 2
    taper = np.hanning(window + 2)[1:-1]
    taper = np.outer(taper, taper)

    def measure(reference, secondary, rows, columns):
        dy, dx = unanswered(rows, columns)
        chosen = [
            place
            for place in places(rows, columns, reference.shape, half + int(search) + 1)
            if place[0] % SPARSE == 0 and place[1] % SPARSE == 0
        ]
        for i, j, row, column in chosen:
            at = np.s_[row - half : row + half + 1, column - half : column + half + 1]
            first, second = (image[at].astype(np.float64) for image in (reference, secondary))
            first, second = ((part - part.mean()) * taper for part in (first, second))
            moved = phase_cross_correlation(
                first, second, upsample_factor=UPSAMPLING, normalization=None
            )[0]
            if np.abs(moved).max() <= search + 1:
                dy[i, j], dx[i, j] = -moved
        return dy, dx, len(chosen) / dy.size

    return measure


def autorift(window, search):
    """Return autoRIFT with its high-pass filter: nested chips of 32 and 64 pixels."""
    # Names that NumPy no longer has.
    vars(np).update(int=int, float=float)
    np.lib.pad = np.pad
    from autoRIFT import autoRIFT

    chip = 16 * round(window / 16)

    def measure(reference, secondary, rows, columns):
        work = autoRIFT()
        work.I1, work.I2 = reference.astype(np.float32), secondary.astype(np.float32)
        work.xGrid, work.yGrid = (grid.astype(np.float32) for grid in np.meshgrid(columns, rows))
        shape = work.xGrid.shape
        work.SkipSampleX = work.SkipSampleY = int(columns[1] - columns[0])
        work.ChipSize0X = work.ChipSizeMinX = chip
        work.ChipSizeMaxX = 2 * chip
        work.SearchLimitX = np.full(shape, 2 * search, np.float32)
        work.SearchLimitY = np.full(shape, 2 * search, np.float32)
        work.Dx0 = work.Dy0 = np.zeros(shape, np.float32)
        work.OverSampleRatio = OVERSAMPLING
        work.preprocess_filt_hps()
        work.uniform_data_type()
        work.runAutorift()
        dy, dx = unanswered(rows, columns)
        kept = work.Dx.shape
        # It measures towards the reference along columns, and upwards.
        dx[: kept[0], : kept[1]] = work.Dx
        dy[: kept[0], : kept[1]] = -work.Dy
        return dy, dx, 1.0

    return measure


METHODS = {
    "match_template": match_template,
    "lucas_kanade": lucas_kanade,
    "phase_correlation": phase_correlation,
    "autorift": autorift,
}

if __name__ == "__main__":
    main()
