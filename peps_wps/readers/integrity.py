"""Whether a product is whole: every file that its manifest states, with its size and checksum.

What a manifest does not state (itself, schemas, the report of a delivery) is not looked at, and
previews may be missing: archives strip them, and nothing is computed from them.
"""

import hashlib
import re
from dataclasses import dataclass

from peps_wps.errors import SafeError
from peps_wps.readers.product_metadata import metadata_of
from peps_wps.readers.safe import MANIFEST, Safe
from peps_wps.readers.sentinel1_grd import check_grd
from peps_wps.readers.wording import printable
from peps_wps.readers.xml_document import find, find_text, parse_xml
from peps_wps.xml_parsing import Element

CHUNK_BYTES = 8 * 2**20
# As manifests write them -> as hashlib does.
_ALGORITHMS = {"MD5": "md5", "SHA-256": "sha256", "SHA3-256": "sha3_256"}
# The open data on AWS have shorter names, and their measurements were written anew.
_LONG_STEM = re.compile(r"s1[a-d]-(\w\w)-(?:grd|slc)-(\w\w)-[^./]*")
_MEASUREMENTS = "measurement/"
_PREVIEWS = "preview/"


class NotAsStatedError(SafeError):
    """A file of a product is missing, or is another one than the manifest states."""


@dataclass(frozen=True)
class StatedFile:
    """A file as the manifest states it: name inside the product, size in bytes, checksum."""

    name: str
    size: int
    algorithm: str
    checksum: str


def check_readable(safe: Safe) -> None:
    """Raise SafeError when the chains could not read a product's metadata."""
    if metadata_of(safe).product_type == "GRD":
        check_grd(safe)


def check_stated_files(safe: Safe) -> None:
    """Compare the files of a product with what its manifest states.

    Every byte is read once.

    Raises
    ------
    NotAsStatedError
        Naming the first file that is missing or has another size or checksum.
    SafeError
        When the manifest cannot be read.
    """
    stated = stated_files(safe.read(MANIFEST), safe.title)
    present = set(safe.names())
    for file in stated:
        name = file.name if file.name in present else _LONG_STEM.sub(r"\1-\2", file.name)
        if name not in present and name.startswith(_PREVIEWS):
            continue
        if name not in present:
            message = f"{safe.title} lacks {printable(file.name)}, which its manifest states"
            raise NotAsStatedError(message)
        is_rewritten = name != file.name and name.startswith(_MEASUREMENTS)
        if not is_rewritten:
            _check_file(safe, name, file)


def stated_files(manifest: bytes, title: str) -> tuple[StatedFile, ...]:
    """Return the files that a manifest states (SAFE 1.3, ``dataObjectSection``)."""
    name = f"manifest of {title}"
    streams = parse_xml(manifest, name).iterfind(".//{*}dataObject/{*}byteStream")
    files = tuple(_stated_file(stream, name) for stream in streams)
    if not files:
        raise SafeError(f"{name} states no files")
    return files


def _stated_file(stream: Element, name: str) -> StatedFile:
    href = find(stream, "{*}fileLocation", name).get("href", "")
    checksum = find(stream, "{*}checksum", name)
    algorithm = checksum.get("checksumName", "")
    size = stream.get("size", "")
    if algorithm not in _ALGORITHMS:
        expected = " or ".join(_ALGORITHMS)
        raise SafeError(f"{name} has a checksum {printable(algorithm)}, {expected} expected")
    if not re.fullmatch(r"[0-9]{1,15}", size):
        raise SafeError(f"{name} has a file of size {printable(size)}, a whole number expected")
    value = find_text(stream, "{*}checksum", name)
    return StatedFile(href.removeprefix("./"), int(size), _ALGORITHMS[algorithm], value.lower())


def _check_file(safe: Safe, name: str, stated: StatedFile) -> None:
    label = f"{printable(name)} of {safe.title}"
    size = safe.size(name)
    if size != stated.size:
        raise NotAsStatedError(f"{label} has {size} bytes, its manifest states {stated.size}")
    digest = hashlib.new(stated.algorithm, usedforsecurity=False)
    source = safe.open_bytes(name)
    for offset in range(0, size, CHUNK_BYTES):
        digest.update(source.read_at(offset, CHUNK_BYTES))
    if digest.hexdigest() != stated.checksum:
        raise NotAsStatedError(
            f"{label} is damaged: checksum {digest.hexdigest()} found, "
            f"its manifest states {printable(stated.checksum)}"
        )
