"""The datalake as chains, commands and the web use it: products, catalogue on disk, journal, locks.

All of it is files in one folder: a task on a node of a cluster, which has no database, publishes as
any other does.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from peps_wps.datalake import catalogue
from storage.datalake import HIDDEN, Datalake, Product
from storage.datalake_journal import Journal
from storage.datalake_lock import DatalakeLocks, Waiting

# Property of a product that was made of another one of its folder: the name of that item.
SOURCE = "peps:source"
_STATE = f"{HIDDEN}state"


class Lake:
    """What is published to stay.

    Parameters
    ----------
    root
        The folder of ``[datalake] path``.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files = Datalake(root, self.settle)
        self.journal = Journal(root / f"{HIDDEN}journal")
        self._locks = DatalakeLocks(root / f"{HIDDEN}locks")

    def product(self, folder: str, identifier: str) -> Product | None:
        """Return what is published under a name, None where nothing is, or not all of it."""
        return self.files.product(f"{folder}/{identifier}.json")

    def publish(self, folder: str, item: Mapping[str, Any], files: Sequence[Path]) -> Product:
        """Publish a product, in place of the one of this name; see `Datalake.publish`.

        Parameters
        ----------
        folder
            ``S1-L1-ORTHO/31TGL/2018/07/20``; the first part is the collection of the item.
        item
            Without the links to its catalogue, which are added, and the sums of its files.
        files
            Those that it names by relative links.
        """
        return self.files.publish(folder, catalogue.linked(dict(item), folder), files)

    def remove(self, path: str) -> None:
        """Remove the product of an item."""
        self.files.remove(path)

    def origin(self, path: str) -> str:
        """Return the item that the product of an item was made of, or itself.

        Products go with those that they were made of: nothing else says what is in them.
        """
        product = self.files.read(path)
        return path if product is None else origin_of(product)

    def state_folder(self, folder: str) -> Path:
        """Return a folder that no client sees, for what a chain keeps from order to order.

        What lies there appears whole or not at all by the chain's own care.

        Parameters
        ----------
        folder
            Whose state it is: ``S1-L1-ORTHO/31TGL``.
        """
        return self.files.path(f"{folder}/{_STATE}")

    def states(self, pattern: str) -> Iterator[str]:
        """Yield the folders that have a state: those of a pattern such as ``S1-L1-ORTHO/*``."""
        for state in sorted(self.root.glob(f"{pattern}/{_STATE}")):
            yield state.parent.relative_to(self.root).as_posix()

    def lock(
        self,
        key: str,
        *,
        holder: str = "",
        patience_s: float | None = None,
        waiting: Waiting | None = None,
    ) -> AbstractContextManager[None]:
        """Return what holds a key alone in a `with` block; see `DatalakeLocks.held`."""
        return self._locks.held(key, holder=holder, patience_s=patience_s, waiting=waiting)

    def settle(self, path: str) -> None:
        """Bring catalogue and journal up to date with an item that has appeared or gone."""
        product = self.files.read(path)
        self.render(path.rpartition("/")[0])
        self.journal.note(path, None if product is None else product.size_bytes)

    def render(self, folder: str) -> None:
        """Render the catalogue of a folder and of those above it."""
        catalogue.update(self.root, folder)


def origin_of(product: Product) -> str:
    """Return the item that a product was made of, or its own: both lie in one folder."""
    source = product.item["properties"].get(SOURCE)
    return product.path if source is None else f"{product.folder}/{source}.json"
