"""One way to make a file of a product folder: a stored zip, the same bytes every time.

Stored, not deflated: measurement TIFFs of a zip can then be read in place, and the size is known
from the names and sizes alone. The first entry is the folder itself, which download clients take
for the name of the product.
"""

import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from storage.errors import StorageError
from storage.part_file import chunks_of

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip can say
_FOLDER_MODE = stat.S_IFDIR | 0o755
_FILE_MODE = stat.S_IFREG | 0o644
_MSDOS_FOLDER = 0x10


def zip_folder(folder: Path, stream: BinaryIO) -> None:
    """Write a folder as a stored zip; entries are sorted by name, the folder's own comes first.

    Parameters
    ----------
    folder
        The product, ``<title>.SAFE``.
    stream
        Where the zip goes; must be seekable, so that no entry needs a trailing descriptor.

    Raises
    ------
    StorageError
        When the folder holds anything but files and folders: a link may lead outside.
    """
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for path in _entries(folder):
            name = path.relative_to(folder.parent).as_posix()
            if path.is_dir():
                archive.writestr(_entry(f"{name}/", _FOLDER_MODE, _MSDOS_FOLDER), b"")
                continue
            entry = _entry(name, _FILE_MODE, 0)
            entry.file_size = path.stat().st_size  # lets zipfile choose ZIP64 by itself
            with path.open("rb") as source, archive.open(entry, "w") as target:
                for chunk in chunks_of(source):
                    target.write(chunk)


def _entries(folder: Path) -> Iterator[Path]:
    """Yield a folder and everything below it, sorted, each folder before its content."""
    yield folder
    for path in sorted(folder.iterdir()):
        if path.is_symlink() or not (path.is_dir() or path.is_file()):
            raise StorageError(f"{path} is neither a file nor a folder")
        if path.is_dir():
            yield from _entries(path)
        else:
            yield path


def _entry(name: str, mode: int, attributes: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.create_system = 3  # Unix, wherever the zip is made
    entry.external_attr = mode << 16 | attributes
    return entry
