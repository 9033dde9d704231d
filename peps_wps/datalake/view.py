"""What clients see of the datalake: files that are published, and nothing else that lies there."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from io import FileIO
from pathlib import Path

from peps_wps.datalake.lake import Lake
from storage.datalake import HIDDEN, Product, is_item_name, sha256_of

# A folder that changed so lately may change again without another time of change.
_SETTLED_NS = 2_000_000_000
_KEPT_FOLDERS = 64


@dataclass(frozen=True)
class Seen:
    """A file or folder that is shown; the size of a folder has no meaning."""

    name: str
    modified: datetime
    size_bytes: int
    sha256: str | None = None
    is_folder: bool = False


class DatalakeView:
    """The visible part of the datalake.

    Parameters
    ----------
    lake
        What holds it.
    """

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._root = lake.root.resolve()

    def locate(self, relative: str) -> Path | None:
        """Return where a visible file or folder lies, None where clients have nothing to see.

        That is hidden names, products that are not whole, and links that lead elsewhere.
        """
        parts = relative.split("/") if relative else []
        if "\0" in relative or any(part.startswith(HIDDEN) or not part for part in parts):
            return None
        path = self._root.joinpath(*parts)
        try:
            is_inside = path.resolve(strict=True).is_relative_to(self._root)
        except (OSError, RuntimeError):  # nothing there, a name too long, a loop of links
            return None
        if not is_inside or path.name in self._unfinished(relative.rpartition("/")[0]):
            return None
        return path

    def open(self, path: Path) -> tuple[FileIO, Seen]:
        """Open a file that was located, with what is known of it.

        Raises
        ------
        FileNotFoundError
            When it has gone meanwhile.
        """
        stream = FileIO(path)
        try:
            facts = os.fstat(stream.fileno())
            size, sha256 = self._sums(path.parent).get(path.name, (-1, None))
        except BaseException:
            stream.close()
            raise
        known = sha256 if size == facts.st_size else None
        return stream, Seen(path.name, _instant(facts.st_mtime), facts.st_size, known)

    def entries(self, folder: Path, *, with_digests: bool) -> Iterator[Seen]:
        """Yield what a folder shows; for digests the items of the folder are read."""
        unfinished = self._unfinished(_below(self._root, folder))
        sums = self._sums(folder) if with_digests else {}
        with os.scandir(folder) as found:
            for one in found:
                if one.name.startswith(HIDDEN) or one.name in unfinished:
                    continue
                if one.is_symlink() and not self._leads_inside(Path(one.path)):
                    continue
                facts = one.stat()
                _, sha256 = sums.get(one.name, (0, None))
                modified = _instant(facts.st_mtime)
                yield Seen(one.name, modified, facts.st_size, sha256, is_folder=one.is_dir())

    def _leads_inside(self, link: Path) -> bool:
        return link.exists() and link.resolve().is_relative_to(self._root)

    def _unfinished(self, folder: str) -> set[str]:
        """Return the files of a folder whose product is not there yet, or not any more."""
        return {
            name
            for path, names in self._lake.files.unsettled().items()
            if path.rpartition("/")[0] == folder and self._lake.files.read(path) is None
            for name in names
        }

    def _sums(self, folder: Path) -> dict[str, tuple[int, str | None]]:
        """Return size and digest of the published files of a folder, as their items say."""
        changed_ns = folder.stat().st_mtime_ns
        if abs(datetime.now(UTC).timestamp() * 1e9 - changed_ns) < _SETTLED_NS:
            return _read_sums(self._lake.root, folder)
        return _known_sums(self._lake.root, folder, changed_ns)


@lru_cache(_KEPT_FOLDERS)
def _known_sums(root: Path, folder: Path, _changed_ns: int) -> dict[str, tuple[int, str | None]]:
    """Return the sums of a folder that has not changed since."""
    return _read_sums(root, folder)


def _read_sums(root: Path, folder: Path) -> dict[str, tuple[int, str | None]]:
    lake = Lake(root)
    found: dict[str, tuple[int, str | None]] = {}
    relative = _below(root.resolve(), folder)
    for item in folder.glob("*.json"):
        product = lake.files.read(f"{relative}/{item.name}") if is_item_name(item.name) else None
        if product is not None:
            found.update(_sums_of(product))
    return found


def _sums_of(product: Product) -> Iterator[tuple[str, tuple[int, str | None]]]:
    for name, asset in product.files.items():
        yield name, (asset.get("file:size", -1), sha256_of(asset.get("file:checksum", "")))


def _below(root: Path, folder: Path) -> str:
    """Return the path of a folder below the root, that of the root being empty."""
    return "" if folder == root else folder.relative_to(root).as_posix()


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
