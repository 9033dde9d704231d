"""The folder in the zip of a product: whole or not there."""

import errno
import shutil
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from peps_wps.client.errors import NoSpaceError, WrongBytesError
from storage.part_file import sync_folder


def extract(archive: Path) -> Path:
    """Replace the zip of a product by what it holds; return the folder.

    Parameters
    ----------
    archive
        A zip with one folder at its top, ``<title>.SAFE/``.

    Raises
    ------
    WrongBytesError
        When it is no zip, a member is damaged, or it holds anything but one folder.
    NoSpaceError
        When the disk has no room for what it holds.
    """
    parent = archive.parent
    partial = parent / f".{archive.stem}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    needed = 0
    try:
        with zipfile.ZipFile(archive) as opened:
            name = _top_folder(opened)
            needed = sum(member.file_size for member in opened.infolist())
            if needed > (free := shutil.disk_usage(parent).free):
                raise NoSpaceError(parent, needed, free)
            opened.extractall(partial)
        folder = parent / name
        if folder.exists():
            shutil.rmtree(folder)
        (partial / name).replace(folder)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise WrongBytesError(f"{archive} cannot be extracted: {error}") from error
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise NoSpaceError(parent, needed, shutil.disk_usage(parent).free) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    archive.unlink()
    sync_folder(parent)
    return folder


def _top_folder(opened: zipfile.ZipFile) -> str:
    """Return the one folder that everything lies in."""
    paths = [PurePosixPath(name) for name in opened.namelist()]
    tops = {path.parts[0] for path in paths if path.parts}
    is_safe = all(not path.is_absolute() and ".." not in path.parts for path in paths)
    if len(tops) != 1 or not is_safe or tops & {".", ".."}:
        raise WrongBytesError(f"{opened.filename} does not hold one folder, as products do")
    return tops.pop()
