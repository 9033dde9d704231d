"""Files appear whole or not at all: partial name, fsync, rename."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def published(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes its name only when the block has ended well.

    The bytes go to `.<name>.partial` in the same folder; on an error that file is removed and
    whatever had the name before stays.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def publish_folder(folder: Path, destination: Path) -> None:
    """Give a finished folder its final name in one step, its files made durable first."""
    for name in folder.rglob("*"):
        if name.is_file():
            with name.open("rb") as stream:
                os.fsync(stream.fileno())
    destination.parent.mkdir(parents=True, exist_ok=True)
    folder.replace(destination)
    sync_folder(destination.parent)
