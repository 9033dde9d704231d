"""The datalake on disk: products that are there whole or not at all, for who reads the folder.

A product is a STAC item and the files beside it that the item names. Its files come first and the
item last, each by a rename; they go in the other order. So a product without its item does not
exist, whoever looks. A mark in a hidden folder is held by the process that publishes or removes and
names the files concerned: the mark of a dead process says what is to be settled, by anybody.
"""

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from storage.errors import DatalakeConflictError
from storage.held_file import open_held
from storage.part_file import PREFIX, PartFile, file_checksum, make_folder, sync_folder
from storage.pool import checked

Json = dict[str, Any]

# What nobody is shown begins so: parts, marks, what chains keep for themselves.
HIDDEN = "."
ITEM_SUFFIX = ".json"
# Documents of the static catalogue; no product can have their name.
CATALOGUES = ("catalog.json", "collection.json")
_MARKS = ".publishing"
_FOLDERS = ".folders.lock"
_WRITING = 0o222  # mode bits
# Multihash of the extension "file": function 0x12 (sha2-256), 0x20 bytes.
_SHA256 = "1220"


@dataclass(frozen=True)
class Product:
    """What is published together.

    Parameters
    ----------
    path
        Of the item, below the root: ``S1-L1-ORTHO/31TGL/2018/07/20/<id>.json``.
    item
        The STAC item.
    """

    path: str
    item: Json

    @property
    def folder(self) -> str:
        """Where it lies, below the root."""
        return self.path.rpartition("/")[0]

    @property
    def files(self) -> dict[str, Json]:
        """Its assets that lie beside the item, by file name."""
        named = {name_of(asset["href"]): asset for asset in self.item["assets"].values()}
        return {name: asset for name, asset in named.items() if name}

    @property
    def size_bytes(self) -> int:
        """Of all files."""
        return sum(int(asset.get("file:size", 0)) for asset in self.files.values())


# Told of the path of an item that has appeared or gone, before others may touch the product.
Settled = Callable[[str], None]


class Datalake:
    """A folder of published products.

    Parameters
    ----------
    root
        The folder; created when first needed.
    settled
        Keeps what is derived from the products: catalogues, tables. May be told twice.
    """

    def __init__(self, root: Path, settled: Settled = lambda _path: None) -> None:
        self.root = root
        self._settled = settled
        self._marks = root / _MARKS

    def path(self, relative: str) -> Path:
        """Return where something lies or will lie; refuse a path that leaves the root."""
        return self.root / checked(relative)

    def product(self, path: str) -> Product | None:
        """Return the product of an item, None where there is none, or not all of it yet."""
        if self._mark(path).exists():
            return None
        return self.read(path)

    def products(self, under: str = "") -> Iterator[Product]:
        """Yield the products below a folder, in the order of their paths."""
        top = self.path(under) if under else self.root
        for folder, names, files in os.walk(top):
            names[:] = sorted(name for name in names if not name.startswith(HIDDEN))
            for name in sorted(files):
                if is_item_name(name):
                    path = str((Path(folder) / name).relative_to(self.root))
                    if (product := self.product(path)) is not None:
                        yield product

    def publish(self, folder: str, item: Mapping[str, Any], files: Sequence[Path]) -> Product:
        """Publish a product, in place of the one of this name if there is one.

        Parameters
        ----------
        folder
            Below the root.
        item
            The STAC item; ``file:size`` and ``file:checksum`` of its assets are added.
        files
            Those that its assets name; they stay where they are, for reading only: on the file
            system of the datalake no byte is copied.

        Raises
        ------
        DatalakeConflictError
            When files and assets do not name each other, or a file is another product's.
        OSError
            When the disk is full; what was published before is there then, or nothing.
        """
        path = f"{folder}/{item['id']}{ITEM_SUFFIX}"
        new = Product(path, {**item})
        names = [file.name for file in files]
        if sorted(names) != sorted(new.files) or not is_item_name(f"{item['id']}{ITEM_SUFFIX}"):
            raise DatalakeConflictError(
                f"{path} names {sorted(new.files)}, its files are {sorted(names)}"
            )
        with self._marked(path, names), self._folders_kept():
            make_folder(self.path(folder))
            whole = self._staged(new, files)
            self._replace(whole)
        return whole

    def remove(self, path: str) -> None:
        """Remove a product: its item first, then its files, then the folders that are empty."""
        with self._marked(path, []):
            self._unlink_item(path)

    def recover(self) -> list[str]:
        """Settle what dead processes have left; return the paths of the items concerned."""
        settled = []
        for mark in sorted(self._marks.glob("*")):
            with suppress(BlockingIOError), open_held(mark, waits=False) as stream:
                settled += self._settle(mark, stream)
        return settled

    def unsettled(self) -> dict[str, list[str]]:
        """Return the items that are being published or removed, with their files."""
        found: dict[str, list[str]] = {}
        for mark in sorted(self._marks.glob("*")):
            with suppress(FileNotFoundError):
                said = _said(mark.read_bytes())
                found |= {said["item"]: said["files"]} if said else {}
        return found

    def damage(self, product: Product) -> Iterator[str]:
        """Yield what is wrong with the files of a product; reads them all."""
        for name, asset in product.files.items():
            path = self.path(f"{product.folder}/{name}")
            if not path.is_file():
                yield f"{name} is missing"
            elif path.stat().st_size != asset.get("file:size"):
                yield f"{name} has {path.stat().st_size} bytes, not {asset.get('file:size')}"
            elif multihash(file_checksum(path)) != asset.get("file:checksum"):
                yield f"{name} is not what was published: its checksum differs"

    def _mark(self, path: str) -> Path:
        return self._marks / hashlib.sha256(str(checked(path)).encode()).hexdigest()

    def read(self, path: str) -> Product | None:
        """Return what the item says, whatever is under way."""
        try:
            item = json.loads(self.path(path).read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return None
        return Product(path, item)

    @contextmanager
    def _marked(self, path: str, names: Sequence[str]) -> Iterator[None]:
        """Hold the mark of a product while it changes; settle it at the end, however it came."""
        mark = self._mark(path)
        make_folder(self._marks)
        with open_held(mark) as stream:
            before = self.read(path)
            said = _said(stream.read()) or {"files": []}
            ours = {*said["files"], *(before.files if before else ())}
            try:
                self._refuse_strange(path, set(names) - ours)
            except DatalakeConflictError:
                self._settle(mark, stream)
                raise
            was_there = before is not None or said.get("was_there", False)
            mark_text = {"item": path, "files": sorted(ours.union(names)), "was_there": was_there}
            _write_mark(stream, mark_text)
            sync_folder(self._marks)
            try:
                yield
            finally:
                self._settle(mark, stream)

    def _folders_kept(self) -> IO[bytes]:
        """Keep others from removing empty folders, until the result is closed."""
        return open_held(self.root / _FOLDERS, is_shared=True)

    def _refuse_strange(self, path: str, names: Iterable[str]) -> None:
        """Refuse to take a file that another product of the folder has."""
        folder = self.path(path).parent
        there = {name for name in names if (folder / name).exists()}
        for file in sorted(folder.glob(f"*{ITEM_SUFFIX}")) if there else ():
            other = file.relative_to(self.root).as_posix()
            if other != path and is_item_name(file.name):
                taken = there.intersection(found.files if (found := self.read(other)) else ())
                if taken:
                    raise DatalakeConflictError(f"{min(taken)} belongs to {other}")

    def _staged(self, new: Product, files: Sequence[Path]) -> Product:
        """Bring the files into their folder as parts; return the product with their sums."""
        facts = {}
        for file in files:
            part = self.path(new.folder) / f"{PREFIX}{file.name}"
            _bring(file, part)
            checksum = multihash(file_checksum(part))
            facts[file.name] = {"file:size": part.stat().st_size, "file:checksum": checksum}
        assets = {
            key: {**asset, **facts.get(name_of(asset["href"]), {})}
            for key, asset in new.item["assets"].items()
        }
        return Product(new.path, {**new.item, "assets": assets})

    def _replace(self, new: Product) -> None:
        """Let the parts take their names, no item being there meanwhile, and write the item."""
        folder = self.path(new.folder)
        before = self.read(new.path)
        self._unlink_item(new.path)
        for name in set(before.files if before else ()) - set(new.files):
            (folder / name).unlink(missing_ok=True)
        for name in new.files:
            (folder / f"{PREFIX}{name}").replace(folder / name)
        sync_folder(folder)
        with PartFile(folder, Path(new.path).name) as part:
            text = json.dumps(new.item, indent=1, ensure_ascii=False, allow_nan=False)
            part.write(text.encode() + b"\n")
            part.publish(self.path(new.path))

    def _unlink_item(self, path: str) -> None:
        with suppress(FileNotFoundError, NotADirectoryError):
            self.path(path).unlink()
            sync_folder(self.path(path).parent)

    def _settle(self, mark: Path, stream: IO[bytes]) -> list[str]:
        """Finish what was begun, or undo it, as the item says; the mark is held and goes last."""
        stream.seek(0)
        said = _said(stream.read())
        if said is None:  # nothing was begun
            mark.unlink()
            return []
        path = said["item"]
        product = self.read(path)
        folder = self.path(path).parent
        for name in {*said["files"], Path(path).name}:
            (folder / f"{PREFIX}{name}").unlink(missing_ok=True)
        for name in set(said["files"]) - set(product.files if product else ()):
            (folder / name).unlink(missing_ok=True)
        if product is not None or said["was_there"]:
            self._settled(path)
        if product is None:
            self._drop_empty(folder)
        mark.unlink()
        sync_folder(self._marks)
        return [path]

    def _drop_empty(self, folder: Path) -> None:
        """Remove a folder and those above that hold nothing, unless somebody is publishing."""
        with suppress(BlockingIOError), open_held(self.root / _FOLDERS, waits=False):
            while folder != self.root and not (folder.is_dir() and any(folder.iterdir())):
                with suppress(FileNotFoundError):
                    folder.rmdir()
                folder = folder.parent


def name_of(href: str) -> str:
    """Return the name of the file beside the item that a link leads to, "" where to another."""
    name = href.removeprefix("./")
    return "" if "/" in name or ":" in name or name.startswith(HIDDEN) else name


def is_item_name(name: str) -> bool:
    """Tell whether a file of this name is the item of a product."""
    is_document = name.endswith(ITEM_SUFFIX) and not name.startswith(HIDDEN)
    return is_document and "/" not in name and name not in CATALOGUES


def multihash(sha256: str) -> str:
    """Return a digest as the extension "file" of STAC writes it."""
    return _SHA256 + sha256


def sha256_of(multihash: str) -> str | None:
    """Return the digest of a multihash, None if it is another kind."""
    is_sha256 = multihash.startswith(_SHA256) and len(multihash) == len(_SHA256) + 64
    return multihash.removeprefix(_SHA256) if is_sha256 else None


def _bring(source: Path, part: Path) -> None:
    """Give a file a second name in the datalake, copied where it is on another file system."""
    part.unlink(missing_ok=True)
    try:
        os.link(source, part)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK):
            raise
        shutil.copyfile(source, part)
    part.chmod(part.stat().st_mode & ~_WRITING)
    with part.open("rb") as stream:
        os.fsync(stream.fileno())


def _write_mark(stream: IO[bytes], said: Json) -> None:
    """Write what a mark says after what it said: the last whole line holds."""
    stream.write(b"\n" + json.dumps(said).encode() + b"\n")
    stream.flush()
    os.fsync(stream.fileno())


def _said(content: bytes) -> Json | None:
    """Return what the last whole line of a mark says, None where there is none."""
    lines = [line for line in content.split(b"\n")[:-1] if line]
    for line in reversed(lines):
        with suppress(ValueError):
            said: Json = json.loads(line)
            return said
    return None
