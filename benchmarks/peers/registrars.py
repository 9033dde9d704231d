"""AROSICS on one pair, in an environment of its own.

    PYTHON registrars.py METHOD PAIR.npz ANSWER.npz STEP SEARCH

METHOD is global or local; PAIR holds reference and target, ANSWER gets row, column, dy, dx of the
tie points that it keeps, found and cpu_s. PYTHON has arosics 1.12.1, numpy < 2 and gdal of the
version of the system's libgdal, built with that NumPy installed:

    pip install "setuptools<58" wheel "numpy<2"
    pip install --no-build-isolation gdal==$(gdal-config --version)
    pip install "numpy<2" gdal==$(gdal-config --version) arosics==1.12.1
"""

import sys
import time
import warnings

import numpy as np

PIXEL = 10.0
GLOBAL_WINDOW, LOCAL_WINDOW = (256, 256), (64, 64)
CORNER = (600_000.0, 4_900_000.0)


def main() -> None:
    method, given, answer, step, search = sys.argv[1:]
    warnings.simplefilter("ignore")
    from geoarray import GeoArray
    from pyproj import CRS

    projection = CRS.from_epsg(32631).to_wkt("WKT1_GDAL")
    transform = (CORNER[0], PIXEL, 0.0, CORNER[1], 0.0, -PIXEL)
    with np.load(given) as pair:
        images = [
            GeoArray(pair[name], transform, projection, nodata=0)
            for name in ("reference", "target")
        ]
    start = time.process_time()
    found = METHODS[method](*images, int(step), int(float(search)))
    np.savez(answer, cpu_s=time.process_time() - start, **found)


def shifted(reference, target, _step, search):
    """Phase correlation in one window."""
    from arosics import COREG

    work = COREG(reference, target, ws=GLOBAL_WINDOW, max_shift=search, q=True, progress=False)
    work.calculate_spatial_shifts()
    middle = np.array([reference.rows / 2.0]), np.array([reference.cols / 2.0])
    # It says how the target is to be moved.
    shift = work.coreg_info["corrected_shifts_px"]
    moved = {"dx": np.array([-shift["x"]]), "dy": np.array([-shift["y"]])}
    return {"row": middle[0], "column": middle[1], "found": 1, **moved}


def tied(reference, target, step, search):
    """Phase correlation at the nodes of a grid, with its three filters of outliers."""
    from arosics import COREG_LOCAL

    work = COREG_LOCAL(
        reference,
        target,
        grid_res=step,
        window_size=LOCAL_WINDOW,
        max_shift=search,
        CPUs=1,
        q=True,
        progress=False,
    )
    table = work.CoRegPoints_table
    found = table[table.ABS_SHIFT != -9999]
    kept = found[~found.OUTLIER.astype(bool)]
    return {
        "row": kept.Y_IM.to_numpy(float),
        "column": kept.X_IM.to_numpy(float),
        "dy": -kept.Y_SHIFT_PX.to_numpy(float),
        "dx": -kept.X_SHIFT_PX.to_numpy(float),
        "found": len(found),
    }


METHODS = {"global": shifted, "local": tied}

if __name__ == "__main__":
    main()
