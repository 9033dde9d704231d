import multiprocessing
import os
import threading

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError

from catalog_db.engine import Engine, create_engine
from catalog_db.locks import Subject, hold
from catalog_db.tables import cell, placement


def _add(connection, name: str) -> None:
    connection.execute(insert(cell).values(name=name, x0=0, y0=0, x1=0, y1=0))


def _count(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(cell))


def test_a_reader_sees_its_snapshot_and_does_not_wait_for_the_writer(engine: Engine):
    with engine.begin() as writer:
        _add(writer, "a")
        with engine.connect() as reader:  # would wait 30 s if the writer stopped it
            before = reader.scalar(select(func.count()).select_from(cell))
        assert before == 0

    assert _count(engine) == 1


def test_what_is_committed_while_a_reader_reads_is_not_seen_by_it(engine: Engine):
    with engine.connect() as reader:
        seen = [reader.scalar(select(func.count()).select_from(cell))]
        with engine.begin() as writer:
            _add(writer, "a")
        seen.append(reader.scalar(select(func.count()).select_from(cell)))

    assert seen == [0, 0]
    assert _count(engine) == 1


def test_what_a_write_transaction_read_stays_true_until_it_writes(engine: Engine):
    # Without a lock before the first read both would read 0 and one would fail, or be lost.
    def increment() -> None:
        with engine.begin() as connection:
            hold(connection, Subject.CATALOGUE)
            number = connection.scalar(select(func.count()).select_from(cell))
            _add(connection, f"cell {number}")

    threads = [threading.Thread(target=increment) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert _count(engine) == 16


def test_a_failed_transaction_leaves_nothing(engine: Engine):
    def add_and_fail() -> None:
        with engine.begin() as connection:
            _add(connection, "a")
            raise RuntimeError("after the insert")

    with pytest.raises(RuntimeError, match="after the insert"):
        add_and_fail()

    assert _count(engine) == 0


def test_foreign_keys_hold(engine: Engine):
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(insert(placement).values(item=1, file=1))


def test_an_engine_works_on_both_sides_of_a_fork(engine: Engine):
    assert _count(engine) == 0  # an idle connection is in the pool now
    child = os.fork()
    if child == 0:
        with engine.begin() as connection:
            _add(connection, "of the child")
        os._exit(0)
    _, status = os.waitpid(child, 0)
    with engine.begin() as connection:
        _add(connection, "of the parent")

    assert status == 0
    assert _count(engine) == 2


def _write(url: str, name: str, number: int) -> None:
    engine = create_engine(url)
    for index in range(number):
        with engine.begin() as connection:
            _add(connection, f"{name} {index}")


def _read(url: str, stop, seen) -> None:
    engine = create_engine(url)
    last = 0
    while not stop.is_set():
        number = _count(engine)
        if number < last:
            raise AssertionError(f"a reader went back from {last} to {number}")
        last = number
    seen.put(last)


def test_processes_write_and_read_at_once_and_none_is_locked_out(url: str):
    fork = multiprocessing.get_context("fork")
    stop, seen = fork.Event(), fork.Queue()
    writers = [fork.Process(target=_write, args=(url, f"writer {i}", 25)) for i in range(4)]
    readers = [fork.Process(target=_read, args=(url, stop, seen)) for _ in range(2)]
    for process in (*writers, *readers):
        process.start()
    for writer in writers:
        writer.join()
    stop.set()
    for reader in readers:
        reader.join()

    assert [process.exitcode for process in (*writers, *readers)] == [0] * 6
    engine = create_engine(url)
    assert _count(engine) == 100
    engine.dispose()
