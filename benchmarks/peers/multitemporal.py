"""CNES's multitemporal filter, as it was part of S1Tiling: two modules of the Orfeo ToolBox.

They are in the history of github.com/CNES/S1Tiling, in the folder otbapps/otbsarmultitempfiltering
of the commit before 3d9f2ed. With Debian's libotb-dev 8.1.1, the lines of SetDocName taken out:

    for name in Outcore Filter; do
        g++ -std=c++14 -O2 -DNDEBUG -fPIC -shared -fpermissive -w -Iinclude \
            $(ls -d /usr/include/OTB-* /usr/include/ITK-* /usr/include/gdal | sed 's/^/-I/') \
            app/otbMultitempFiltering$name.cxx -o MODULES/otbapp_MultitempFiltering$name.so \
            -lOTBApplicationEngine-8.1 -lOTBCommon-8.1 -lOTBImageBase-8.1 -lOTBImageIO-8.1 \
            -lOTBImageManipulation-8.1 -lOTBStreaming-8.1 -lOTBStatistics-8.1 -lITKCommon-4.13
    done
"""

import os
import resource
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import Cost

LAUNCHER = "otbApplicationLauncherCommandLine"
RAM_MB = 4096


def filter_images(modules: Path, paths: Sequence[Path], *, threads: int) -> Cost:
    """Filter images into the folder `filtered` beside them, 5 x 5; return what it cost.

    Parameters
    ----------
    modules
        Folder of the two modules.
    paths
        Images of one folder, 0 for no data; not compressed, which is what suits the modules best.
    """
    folder = paths[0].parent
    (folder / "filtered").mkdir(exist_ok=True)
    environment = {
        **os.environ,
        "OTB_APPLICATION_PATH": str(modules),
        "OTB_LOGGER_LEVEL": "WARNING",
        "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": str(threads),
    }
    images, core = list(map(str, paths)), str(folder / "outcore.tif")
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    for name, further in (
        ("Outcore", ["-ram", str(RAM_MB)]),
        ("Filter", ["-enl", str(folder / "enl.tif")]),
    ):
        subprocess.run(
            [
                *(LAUNCHER, f"MultitempFiltering{name}", "-inl", *images),
                *("-oc", core, "-wr", "2", *further),
            ],
            env=environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(time.perf_counter() - start, cpu, after.ru_maxrss / 1e6)
