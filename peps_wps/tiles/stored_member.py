"""Files inside the zips that orders give: stored as they are, so that GDAL reads them in place."""

import struct
import zipfile
from pathlib import Path

from peps_wps.tiles.errors import NoSuchMemberError, NotACogError

# APPNOTE.TXT 6.3.10, section 4.3.7: local file header.
_HEADER = struct.Struct("<4s22xHH")
_SIGNATURE = b"PK\x03\x04"


def gdal_path(archive: Path, member: str) -> str:
    """Return what GDAL opens to read a member of a zip without unpacking it.

    Raises
    ------
    OSError
        When there is no such zip.
    NoSuchMemberError
        When it holds no such file, or is no zip.
    NotACogError
        When the member is compressed.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            info = opened.getinfo(member)
    except (KeyError, zipfile.BadZipFile) as error:
        raise NoSuchMemberError(member) from error
    if info.compress_type != zipfile.ZIP_STORED:
        raise NotACogError(member, "it is compressed in its archive")
    with archive.open("rb") as stream:
        stream.seek(info.header_offset)
        header = stream.read(_HEADER.size)
    if len(header) < _HEADER.size or not header.startswith(_SIGNATURE):
        raise NoSuchMemberError(member)
    _, name_length, extra_length = _HEADER.unpack(header)
    start = info.header_offset + _HEADER.size + name_length + extra_length
    return f"/vsisubfile/{start}_{info.file_size},{archive}"


def rasters_in(archive: Path) -> dict[str, int]:
    """Return the names of the GeoTIFFs in a zip, in its order, with their bytes.

    Raises
    ------
    OSError
        When there is no such zip, or it is none.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            sizes = {member.filename: member.file_size for member in opened.infolist()}
    except zipfile.BadZipFile as error:
        raise OSError(f"{archive.name} is no zip") from error
    suffixes = (".tif", ".tiff")
    return {name: size for name, size in sizes.items() if name.lower().endswith(suffixes)}
