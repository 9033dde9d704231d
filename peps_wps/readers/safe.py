"""A SAFE product as a set of named files, whether it lies in a folder or in a zip.

Nothing is unpacked. Names are relative to the product's root, with slashes. What may be hostile in
a file of unknown origin (names that leave the product, bombs, broken archives) is refused here.
"""

import os
import re
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path, PurePosixPath

from peps_wps.errors import SafeError
from peps_wps.readers.byte_source import ByteSource, DeflatedBytes, StoredBytes
from peps_wps.readers.manifest import Manifest, parse_manifest
from peps_wps.readers.wording import printable

MANIFEST = "manifest.safe"
METADATA_LIMIT = 64 * 2**20  # bytes; the largest real annotation is below 3 MB
PRODUCT_LIMIT = 64 * 2**30  # bytes, expanded; the largest real product is below 10 GB
# Measurements compress about twice, empty ones as far as DEFLATE goes: judged from this size on.
RATIO_FROM = 512 * 2**20
RATIO_LIMIT = 200
MEMBER_LIMIT = 10_000  # files in one product; a Sentinel-2 product of many granules has 5,000
_SIGNATURE = b"PK\x03\x04"
_LOCAL_HEADER = 30  # bytes before name and extra field (PKWARE APPNOTE 6.3.10, 4.3.7)


class Safe(ABC):
    """A product in the Standard Archive Format for Europe.

    Attributes
    ----------
    path
        The folder or the zip file.
    title
        Name of the product, without ``.SAFE``.
    """

    def __init__(self, path: Path, title: str, sizes: dict[str, int]) -> None:
        self.path = path
        self.title = title
        self._sizes = sizes

    @staticmethod
    def open(path: Path) -> "Safe":
        """Open a SAFE folder or a zip file that holds one.

        Raises
        ------
        SafeError
            When there is no product at `path`, or it is broken or hostile.
        """
        if path.is_dir():
            return SafeFolder(path)
        if path.is_file():
            return SafeZip(path)
        raise SafeError(f"{printable(path.name)} is neither a SAFE folder nor a zip file")

    def names(self, prefix: str = "", suffix: str = "") -> list[str]:
        """Return the sorted names of the files that start and end so."""
        return sorted(n for n in self._sizes if n.startswith(prefix) and n.endswith(suffix))

    def size(self, name: str) -> int:
        """Return the expanded size of a file in bytes."""
        try:
            return self._sizes[name]
        except KeyError:
            raise SafeError(f"{self.title} has no file {printable(name)}") from None

    def read(self, name: str, limit: int = METADATA_LIMIT) -> bytes:
        """Return a whole file of metadata, at most `limit` bytes."""
        size = self.size(name)
        if size > limit:
            raise SafeError(
                f"{printable(name)} of {self.title} expands to {size} bytes, "
                f"at most {limit} expected"
            )
        return self.open_bytes(name).read_at(0, size)

    @abstractmethod
    def open_bytes(self, name: str) -> ByteSource:
        """Return random access to the bytes of a file."""

    @abstractmethod
    def gdal_path(self, name: str) -> str:
        """Return what GDAL calls a file."""

    @cached_property
    def manifest(self) -> Manifest:
        """What the manifest says."""
        return parse_manifest(self.read(MANIFEST), self.title)


class SafeFolder(Safe):
    """A product unpacked in a folder."""

    def __init__(self, path: Path) -> None:
        if not (path / MANIFEST).is_file():
            raise SafeError(f"{printable(path.name)} has no {MANIFEST}")
        root = path.resolve()
        sizes = {}
        for folder, _, files in os.walk(root):
            for file in files:
                target = Path(folder, file)
                if not target.resolve().is_relative_to(root):
                    raise SafeError(
                        f"{printable(file)} of {printable(path.name)} links out of the product"
                    )
                sizes[target.relative_to(root).as_posix()] = target.stat().st_size
        super().__init__(path, printable(root.name.removesuffix(".SAFE")), sizes)

    def open_bytes(self, name: str) -> ByteSource:
        """Return random access to the bytes of a file."""
        return StoredBytes(self.path / name, offset=0, size=self.size(name))

    def gdal_path(self, name: str) -> str:
        """Return what GDAL calls a file."""
        return str(self.path / name)


class SafeZip(Safe):
    """A product in a zip file: members stored or deflated."""

    def __init__(self, path: Path) -> None:
        label = printable(path.name)
        try:
            with zipfile.ZipFile(path) as archive:
                members = [m for m in archive.infolist() if not m.filename.endswith("/")]
        except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as error:
            raise SafeError(f"{label} is not a readable zip file") from error
        _refuse_hostile(members, label)
        self._root = _product_root((info.filename for info in members), label)
        self._members = {
            info.filename.removeprefix(self._root): info
            for info in members
            if info.filename.startswith(self._root)
        }
        title = PurePosixPath(self._root).name or re.sub(r"(\.SAFE)?\.zip$", "", path.name)
        sizes = {name: info.file_size for name, info in self._members.items()}
        super().__init__(path, printable(title.removesuffix(".SAFE")), sizes)

    def read(self, name: str, limit: int = METADATA_LIMIT) -> bytes:
        """Return a whole file of metadata, whose checksum must hold."""
        data = super().read(name, limit)
        expected = self._members[name].CRC
        if zlib.crc32(data) != expected:
            raise SafeError(
                f"{printable(name)} is damaged: checksum {zlib.crc32(data):08x} found, "
                f"{expected:08x} expected"
            )
        return data

    def open_bytes(self, name: str) -> ByteSource:
        """Return random access to the bytes of a member."""
        size = self.size(name)
        info = self._members[name]
        label = printable(name)
        with self.path.open("rb") as archive:
            archive.seek(max(0, info.header_offset))
            header = archive.read(_LOCAL_HEADER)
            end = archive.seek(0, os.SEEK_END)
        # A damaged directory may say that a member starts before the file does.
        if info.header_offset < 0 or len(header) < _LOCAL_HEADER or header[:4] != _SIGNATURE:
            raise SafeError(f"{label} has no header in {printable(self.path.name)}")
        name_length = int.from_bytes(header[26:28], "little")
        extra_length = int.from_bytes(header[28:30], "little")
        offset = info.header_offset + _LOCAL_HEADER + name_length + extra_length
        if offset + info.compress_size > end:
            raise SafeError(
                f"{label} ends at byte {end} of {printable(self.path.name)}, "
                f"byte {offset + info.compress_size} expected"
            )
        if info.compress_type == zipfile.ZIP_STORED:
            return StoredBytes(self.path, offset=offset, size=size)
        if info.compress_type == zipfile.ZIP_DEFLATED:
            return DeflatedBytes(
                self.path,
                offset=offset,
                compressed_size=info.compress_size,
                size=size,
                checksum=info.CRC,
                label=label,
            )
        raise SafeError(
            f"{label} is compressed by method {info.compress_type}, stored or deflated expected"
        )

    def gdal_path(self, name: str) -> str:
        """Return what GDAL calls a member; the braces allow any extension."""
        return f"/vsizip/{{{self.path.resolve()}}}/{self._root}{name}"


def _refuse_hostile(members: list[zipfile.ZipInfo], label: str) -> None:
    """Refuse names that leave the product, encryption, and archives that expand beyond reason."""
    if len(members) > MEMBER_LIMIT:
        raise SafeError(f"{label} holds {len(members)} files, at most {MEMBER_LIMIT} expected")
    for info in members:
        parts = info.filename.split("/")
        if ".." in parts or "" in parts or "\\" in info.filename or ":" in parts[0]:
            raise SafeError(f"{label} holds a file with the unsafe name {printable(info.filename)}")
        if info.flag_bits & 0x1:
            raise SafeError(f"{label} is encrypted")
    expanded = sum(info.file_size for info in members)
    compressed = max(1, sum(info.compress_size for info in members))
    if expanded > PRODUCT_LIMIT:
        raise SafeError(f"{label} expands to {expanded} bytes, at most {PRODUCT_LIMIT} expected")
    if expanded > RATIO_FROM and expanded > RATIO_LIMIT * compressed:
        raise SafeError(
            f"{label} expands {expanded // compressed} times, at most {RATIO_LIMIT} times expected"
        )


def _product_root(names: Iterable[str], label: str) -> str:
    """Return the folder of the one manifest, with its slash; empty when it lies at the top."""
    roots = [name.removesuffix(MANIFEST) for name in names if PurePosixPath(name).name == MANIFEST]
    if not roots:
        raise SafeError(f"{label} has no {MANIFEST}")
    if len(roots) > 1:
        raise SafeError(f"{label} holds {len(roots)} products, 1 expected")
    return roots[0]
