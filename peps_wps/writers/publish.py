"""Results appear whole or not at all, as `storage.part_file` has it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from storage.part_file import PartFile, make_folder, sync_folder


@contextmanager
def published(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes its name only when the block has ended well.

    On an error what was written is removed and whatever had the name before stays.
    """
    with PartFile(path.parent, path.name) as part:
        yield part.stream
        part.publish(path)


def publish_folder(folder: Path, destination: Path) -> None:
    """Give a finished folder its final name in one step, its files made durable first."""
    for name in folder.rglob("*"):
        if name.is_file():
            with name.open("rb") as stream:
                os.fsync(stream.fileno())
    make_folder(destination.parent)
    folder.replace(destination)
    sync_folder(destination.parent)
