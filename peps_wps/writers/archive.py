"""The zip that a client fetches: stored, since compressed rasters shrink no further."""

import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path

from peps_wps.writers.publish import published

_COPIED_AT_ONCE = 4 * 2**20
# The earliest time that a zip can hold: equal contents make equal archives.
_TIME = (1980, 1, 1, 0, 0, 0)
_REGULAR_FILE = 0o100644


def write_archive(path: Path, members: Mapping[str, Path]) -> None:
    """Write a zip of files, byte for byte the same for the same members.

    Parameters
    ----------
    path
        The zip; it appears whole or not at all.
    members
        File of each name inside, in the order they shall have.
    """
    with published(path) as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, file in members.items():
            info = zipfile.ZipInfo(name, _TIME)
            info.external_attr = _REGULAR_FILE << 16
            info.create_system = 3  # Unix, wherever this runs
            info.file_size = file.stat().st_size  # decides whether its header needs ZIP64
            with file.open("rb") as source, archive.open(info, "w") as target:
                shutil.copyfileobj(source, target, _COPIED_AT_ONCE)
