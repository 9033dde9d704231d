"""What the process that jobs are forked from has loaded already: seconds saved on each job.

No thread is started here, and no dataset, connection or kernel pool opened: none survives a fork.
"""

import importlib

# Imported for the time it takes, once.
MODULES = (
    "rasterio",
    "rasterio.warp",
    "pyproj",
    "scipy.interpolate",
    "shapely",
    "catalog_db.jobs",
    "peps_wps.jobs.executor",
    "peps_wps.staging",
)


def warm_up() -> None:
    """Import what chains import and load the compiled kernels."""
    for name in MODULES:
        importlib.import_module(name)
    importlib.import_module("algorithms.warm").warm()
