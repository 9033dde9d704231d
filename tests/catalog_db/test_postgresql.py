"""What only a server does: it ends sessions, has room for so many, lets no reader write."""

import itertools
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event, func, insert, select, text
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError

from catalog_db import locks
from catalog_db.engine import (
    BUSY_TIMEOUT_S,
    IDLE_TIMEOUT_S,
    MOST_CONNECTIONS,
    Engine,
    create_engine,
)
from catalog_db.patience import patiently
from catalog_db.tables import cell
from tests.database import Databases
from tests.patience import stretched


@pytest.fixture
def server_url(databases: Databases, tmp_path: Path) -> Iterator[str]:
    with databases.fresh("postgresql", tmp_path) as url:
        yield url


@pytest.fixture
def on_server(server_url: str) -> Iterator[Engine]:
    engine = create_engine(server_url)
    yield engine
    engine.dispose()


def test_two_hundred_threads_share_ten_connections(on_server: Engine) -> None:
    # Counted here: the server ends a session some time after its client has left.
    changes: list[int] = []
    event.listen(on_server, "connect", lambda *_: changes.append(1))
    event.listen(on_server, "close", lambda *_: changes.append(-1))

    def add(number: int) -> None:
        with on_server.begin() as connection:
            connection.execute(insert(cell).values(name=str(number), x0=0, y0=0, x1=0, y1=0))

    threads = [threading.Thread(target=add, args=(number,)) for number in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert max(itertools.accumulate(changes)) <= MOST_CONNECTIONS
    with on_server.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(cell)) == 200


def test_a_reader_cannot_write(on_server: Engine) -> None:
    with (
        pytest.raises(DatabaseError, match="read-only transaction"),
        on_server.connect() as connection,
    ):
        connection.execute(insert(cell).values(name="a", x0=0, y0=0, x1=0, y1=0))


def test_a_session_ends_its_waiting_and_its_idling_by_itself(on_server: Engine) -> None:
    settings = {
        "lock_timeout": f"{BUSY_TIMEOUT_S}s",
        "idle_in_transaction_session_timeout": f"{IDLE_TIMEOUT_S // 60}min",
    }
    with on_server.connect() as connection:
        for name, value in settings.items():
            assert connection.scalar(text(f"SHOW {name}")) == value


def test_what_a_session_held_is_free_once_the_server_has_ended_it(on_server: Engine) -> None:
    stopped, taken, ended = threading.Event(), threading.Event(), []

    def hold_and_stop() -> None:
        if ended:  # a second try
            return
        try:
            with on_server.begin() as connection:
                connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = '300ms'"))
                locks.hold(connection, locks.Subject.JOBS)
                stopped.set()
                taken.wait(stretched(60))  # as a process that was stopped
                connection.execute(text("SELECT 1"))
        except DBAPIError as error:
            ended.append(error)
            raise

    holder = threading.Thread(target=patiently, args=(hold_and_stop,))
    holder.start()
    assert stopped.wait(stretched(60))
    with on_server.begin() as connection:
        locks.hold(connection, locks.Subject.JOBS)
        taken.set()
    holder.join()

    assert [error.connection_invalidated for error in ended] == [True]


def test_a_lock_waited_for_in_vain_is_tried_again(on_server: Engine) -> None:
    held, free, refusals = threading.Event(), threading.Event(), []

    def hold() -> None:
        with on_server.begin() as connection:
            locks.hold(connection, locks.Subject.ARCHIVE)
            held.set()
            free.wait(stretched(60))

    def take() -> str:
        try:
            with on_server.begin() as connection:
                connection.execute(text("SET LOCAL lock_timeout = '50ms'"))
                locks.hold(connection, locks.Subject.ARCHIVE)
                return "taken"
        except OperationalError as error:
            refusals.append(error)
            free.set()
            raise

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(stretched(60))
    assert patiently(take, pause_s=0.1) == "taken"
    holder.join()

    assert refusals


def test_patience_ends(on_server: Engine) -> None:
    def refused() -> None:
        raise OperationalError("SELECT 1", {}, Exception("the server is away"))

    with pytest.raises(OperationalError):
        patiently(refused, patience_s=0.05, pause_s=0.01)


def test_null_characters_are_stored_as_what_stands_for_them(on_server: Engine) -> None:
    with on_server.begin() as connection:
        connection.execute(insert(cell).values(name="a\x00b", x0=0, y0=0, x1=0, y1=0))
        assert connection.scalar(select(cell.c.name)) == "a\ufffdb"
        assert connection.scalar(select(cell.c.id).where(cell.c.name == "ab\x00")) is None
