"""The datalake as chains and the web use it: its folder, its catalogue on disk, its table."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from catalog_db import times
from catalog_db.datalake import published
from catalog_db.engine import Engine, create_engine
from catalog_db.patience import patiently
from peps_wps.config import Config
from peps_wps.datalake.tile_lock import Lease, LeaseTerms, Waiting, tile_lock
from storage.datalake import HIDDEN, Datalake, Product

STATE = f"{HIDDEN}state"


class Lake:
    """What is published to stay.

    Parameters
    ----------
    config
        ``[datalake]`` says where, ``[processing]`` how long leases hold.
    engine
        The database of the configuration; opened here where a task has none, and closed by `close`.
    """

    def __init__(self, config: Config, engine: Engine | None = None) -> None:
        self._config = config
        self._is_own_engine = engine is None
        self._engine = engine or create_engine(config.catalog.url)
        self.files = Datalake(config.datalake.path, self._settled)

    def close(self) -> None:
        """Let go of the database, if it was opened here."""
        if self._is_own_engine:
            self._engine.dispose()

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
        """
        return self.files.publish(folder, item, files)

    def remove(self, path: str) -> None:
        """Remove the product of an item."""
        self.files.remove(path)

    def state_folder(self, folder: str) -> Path:
        """Return a folder that no client sees, for what a chain keeps from order to order.

        What lies there appears whole or not at all by the chain's own care.

        Parameters
        ----------
        folder
            Whose state it is: ``S1-L1-ORTHO/31TGL``.
        """
        return self.files.path(f"{folder}/{STATE}")

    @contextmanager
    def lock(
        self,
        key: str,
        holder: str,
        *,
        patience_s: float,
        waiting: Waiting | None = None,
    ) -> Iterator[Lease]:
        """Hold a lock of the datalake; see `tile_lock`."""
        processing = self._config.processing
        with tile_lock(
            self._engine,
            key,
            holder,
            patience_s=patience_s,
            waiting=waiting or _say_nothing,
            terms=LeaseTerms(processing.lease_s, processing.heartbeat_s),
        ) as lease:
            yield lease

    def _settled(self, path: str) -> None:
        """Bring the table up to date with an item that has appeared or gone."""
        product = self.files.read(path)
        self._write(lambda connection: _note(connection, path, product))

    def _write(self, action: Callable[[Any], None]) -> None:
        def transaction() -> None:
            with self._engine.begin() as connection:
                action(connection)

        patiently(transaction)


def _note(connection: Any, path: str, product: Product | None) -> None:
    if product is None:
        published.forget(connection, path)
    else:
        published.note(connection, path, product.size_bytes, times.now())


def _say_nothing(_holder: str) -> None:
    """Leave unsaid who holds a lock."""
