"""The work on one Sentinel-2 product: what is alike in the makers of its files."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar

from peps_wps.chains.contract import Json, TaskResult
from peps_wps.chains.optical.results import body_of
from peps_wps.readers.sentinel2 import Sentinel2Scene
from peps_wps.writers.json_document import write_json

OrderT = TypeVar("OrderT")


class SceneWork(ABC, Generic[OrderT]):
    """Computes the result of one product and writes its files.

    Parameters
    ----------
    scene
        The product, open on its tile.
    order
        What is asked.
    folder
        Where the files go.
    """

    def __init__(self, scene: Sentinel2Scene, order: OrderT, folder: Path) -> None:
        self._scene = scene
        self._order = order
        self._folder = folder

    @abstractmethod
    def run(self, threads: int, progress: Callable[[float], None]) -> TaskResult:
        """Compute and write everything.

        Raises
        ------
        ChainError
            When no pixel is valid.
        """

    def _finished(self, item: Json, picture: Path, **further: Any) -> TaskResult:
        """Write the STAC item beside the other files, and return them all.

        Parameters
        ----------
        item
            Its identifier names its file.
        picture
            Of the result.
        further
            What the report says beside.
        """
        write_json(self._folder / f"{item['id']}.json", item)
        files = tuple(sorted(path.name for path in self._folder.iterdir()))
        return TaskResult(body_of(self._scene, picture, **further), files)
