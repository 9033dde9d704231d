"""Downloads: a part that grows, is continued where it was, and must be what was announced."""

import hashlib
import re
import shutil
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import requests

from catalog_db.mirroring.mirror_rows import MirrorProduct
from peps_wps.errors import SafeError
from peps_wps.mirror.errors import CorruptDownloadError, DownloadBrokenError, UnusableProductError
from peps_wps.mirror.hub import Hub
from peps_wps.mirror.transport import CHUNK_BYTES
from peps_wps.readers.integrity import check_readable
from peps_wps.readers.product_metadata import ProductMetadata, metadata_of
from peps_wps.readers.safe import Safe

_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
_MOST_CONTINUATIONS = 1000  # of one attempt

# Told of bytes as they arrive; it may wait, or raise to end the download.
Arrived = Callable[[int], None]


class Download:
    """The zip of a product on its way here.

    Parameters
    ----------
    row
        What was announced: size and MD5.
    folder
        Of all parts of this source; the part has a folder of its own in it.
    """

    def __init__(self, row: MirrorProduct, folder: Path) -> None:
        self._row = row
        # Another content of the same product is another part.
        self._folder = folder / f"{row.hub_id}-{row.checksum}"
        self.path = self._folder / f"{row.name}.zip"
        self._etag_path = self._folder / "etag"

    def run(self, hub: Hub, arrived: Arrived) -> None:
        """Bring what is missing of the part, and check the whole.

        Raises
        ------
        DownloadBrokenError
            When it ended early and nothing more would come; the part stays.
        CorruptDownloadError
            When it is not what was announced; the part is gone.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        for _ in range(_MOST_CONTINUATIONS):
            if (before := self._size()) == self._row.size_bytes:
                break
            broken = self._receive(hub, arrived)
            if broken and self._size() <= before:
                raise DownloadBrokenError(f"ended at byte {self._size()}: {broken}")
        else:
            raise DownloadBrokenError(f"ended {_MOST_CONTINUATIONS} times before its end")
        self._verify()

    def discard(self) -> None:
        """Remove the part."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _size(self) -> int:
        return self.path.stat().st_size if self.path.is_file() else 0

    def _receive(self, hub: Hub, arrived: Arrived) -> str:
        """Continue the part; return why it ended early, empty when the answer was whole."""
        offset = self._size()
        if offset > self._row.size_bytes:
            self._refuse(f"the part has {offset} bytes")
        etag = self._etag_path.read_text() if self._etag_path.is_file() else ""
        with hub.open(self._row.hub_id, offset=offset, etag=etag) as answer:
            begin = self._begin_of(answer, offset)
            if begin == 0:
                self._note_etag(answer)
            with self.path.open("ab" if begin else "wb") as part:
                try:
                    for chunk in answer.iter_content(CHUNK_BYTES):
                        begin += len(chunk)
                        if begin > self._row.size_bytes:
                            self._refuse("more bytes arrive")
                        part.write(chunk)
                        arrived(len(chunk))
                except requests.RequestException as error:
                    return type(error).__name__
        return "" if begin == self._row.size_bytes else "the answer was short"

    def _begin_of(self, answer: requests.Response, offset: int) -> int:
        """Return the byte at which an answer begins."""
        if answer.status_code == 416:
            self._refuse(f"the source has no byte {offset}")
        if answer.status_code == 200:
            length = answer.headers.get("Content-Length", "")
            if length.isdecimal() and int(length) != self._row.size_bytes:
                self._refuse(f"the source offers {length} bytes")
            return 0
        found = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        if found is None or int(found[1]) != offset:
            self._refuse(f"the source continues elsewhere than at byte {offset}")
        if found[2] not in ("*", str(self._row.size_bytes)):
            self._refuse(f"the source offers {found[2]} bytes")
        return offset

    def _note_etag(self, answer: requests.Response) -> None:
        """Remember a strong validator: a weak one does not tell bytes apart (RFC 9110, 8.8.1)."""
        etag = answer.headers.get("ETag", "")
        self._etag_path.write_text(etag if etag.startswith('"') else "")

    def _verify(self) -> None:
        with self.path.open("rb") as part:
            checksum = hashlib.file_digest(part, "md5").hexdigest()
        if checksum != self._row.checksum:
            self._refuse(f"the MD5 is {checksum}, {self._row.checksum} announced")

    def _refuse(self, sentence: str) -> NoReturn:
        self.discard()
        expected = f"{self._row.size_bytes} bytes announced"
        raise CorruptDownloadError(f"{sentence}, {expected}")


def check_product(path: Path, name: str) -> ProductMetadata:
    """Return the description of a product that has arrived as announced.

    Raises
    ------
    UnusableProductError
        When it is another one, cannot be read, or has a damaged file: it would come the same again.
    """
    try:
        safe = Safe.open(path)
        check_readable(safe)
        metadata = metadata_of(safe)
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except (SafeError, zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError) as error:
        raise UnusableProductError(f"as announced, and no sound product: {error}") from error
    if damaged is not None:
        raise UnusableProductError("as announced, and a file in its zip is damaged")
    if metadata.title != name:
        raise UnusableProductError(f"as announced, and holds another product, {metadata.title}")
    return metadata
