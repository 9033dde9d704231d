"""Catalogues of the benchmarks' generator, loaded once for many tests."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.catalogue.generator import Catalogue
from benchmarks.catalogue.queries import Answer, Asked, Truth, query_mix
from catalog_db import bulk
from catalog_db.engine import Connection, create_engine
from catalog_db.migrations import upgrade

IS_DRILL = os.environ.get("PEPS_DRILLS") == "1"
# `make drills` sets it to all that PEPS held.
PRODUCTS = int(os.environ.get("PEPS_PRODUCTS", "1_000_000" if IS_DRILL else "100_000"))


@dataclass(frozen=True)
class Examined:
    """A made-up catalogue, two hundred searches, and what each must find."""

    catalogue: Catalogue
    mix: list[Asked]
    answers: list[Answer]


def examined(number: int, *, share: float = 1.0) -> Examined:
    """Make a catalogue and look at every product of it for each search."""
    catalogue = Catalogue(number, share=share)
    mix = query_mix(catalogue)
    truth = Truth(catalogue)
    return Examined(catalogue, mix, [truth.answer(asked) for asked in mix])


@contextmanager
def loaded(catalogue: Catalogue, url: str) -> Iterator[Connection]:
    """Give a connection to a database that holds a catalogue."""
    engine = create_engine(url)
    upgrade(engine)
    number = bulk.load(engine, catalogue.kinds, catalogue.placed[0], catalogue.batches())
    assert number == catalogue.number
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":  # a reader waits while other tests work
            connection.exec_driver_sql("SET idle_in_transaction_session_timeout = 0")
        yield connection
    engine.dispose()
