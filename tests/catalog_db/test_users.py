import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from catalog_db import migrations
from catalog_db.access import login_attempts, tokens, users
from catalog_db.access.tokens import Token
from catalog_db.access.users import Holder, Right, User
from catalog_db.engine import Engine
from catalog_db.errors import DuplicateUserError, UnknownUserError, UserNameError

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ADA = User("ada@example.org", NOW, "hash", groups=frozenset({"radar"}))


@pytest.fixture(autouse=True)
def _schema(engine: Engine) -> None:
    migrations.upgrade(engine)


@pytest.fixture
def _ada(engine: Engine) -> None:
    with engine.begin() as connection:
        users.add(connection, ADA)


@pytest.mark.usefixtures("_ada")
def test_a_user_is_read_as_written_whatever_the_case_of_the_name(engine: Engine) -> None:
    with engine.connect() as connection:
        assert users.get(connection, "Ada@Example.org") == ADA
        assert users.list_users(connection) == [ADA]
        for other in ("nobody", "", "a\0b", "a b", "x" * 65, "\ud800"):
            assert users.get(connection, other) is None


@pytest.mark.usefixtures("_ada")
def test_a_name_is_given_once(engine: Engine) -> None:
    with engine.begin() as connection, pytest.raises(DuplicateUserError):
        users.add(connection, replace(ADA, name="ADA@example.org"))


@pytest.mark.parametrize(
    "name", ["", "a b", "anonymous", "ANONYMOUS", "x" * 65, "a:b", "a\n", "-a", "é", "a\0"]
)
def test_some_names_are_none(engine: Engine, name: str) -> None:
    with engine.begin() as connection, pytest.raises(UserNameError):
        users.add(connection, User(name, NOW))


@pytest.mark.usefixtures("_ada")
def test_rights_come_from_the_user_and_from_groups(engine: Engine) -> None:
    rights = [
        Right("FULL_MAJA", Holder("group", "radar")),
        Right("S1_ORTHO", Holder("user", "ada@example.org")),
        Right("SECRET", Holder("group", "optical")),
        # A group called as the user is another holder.
        Right("OTHER", Holder("group", "ada@example.org")),
    ]
    with engine.begin() as connection:
        for right in [*rights, *rights]:
            users.grant(connection, right)
        held = users.processes_of(connection, ADA.name, ADA.groups)
        assert held == {"FULL_MAJA", "S1_ORTHO"}

        assert users.revoke(connection, rights[0])
        assert not users.revoke(connection, rights[0])
        assert users.processes_of(connection, ADA.name, ADA.groups) == {"S1_ORTHO"}
        assert users.processes_of(connection, ADA.name, ()) == {"S1_ORTHO"}


@pytest.mark.usefixtures("_ada")
def test_groups_are_joined_and_left(engine: Engine) -> None:
    with engine.begin() as connection:
        users.join(connection, ADA.name, ["radar", "optical"])
        assert users.require(connection, ADA.name).groups == {"radar", "optical"}
        users.leave(connection, ADA.name, ["radar"])
        assert users.require(connection, ADA.name).groups == {"optical"}


def test_what_is_for_a_user_needs_one(engine: Engine) -> None:
    with engine.begin() as connection:
        with pytest.raises(UnknownUserError):
            users.grant(connection, Right("X", Holder("user", "nobody")))
        with pytest.raises(UnknownUserError):
            users.set_disabled(connection, "nobody", is_disabled=True)


@pytest.mark.usefixtures("_ada")
def test_a_token_holds_until_it_expires_or_is_revoked(engine: Engine) -> None:
    day = timedelta(days=1)
    with engine.begin() as connection:
        tokens.add(connection, Token("one", ADA.name, "", NOW, NOW + day), "d1")
        tokens.add(connection, Token("two", ADA.name, "", NOW, NOW + day), "d2")

        assert tokens.owner(connection, "d1", NOW) == ADA.name
        assert tokens.owner(connection, "d1", NOW + day) is None
        assert tokens.owner(connection, "d3", NOW) is None
        assert not tokens.revoke(connection, "eve", "one")
        assert tokens.revoke(connection, ADA.name, "one")
        assert tokens.owner(connection, "d1", NOW) is None
        assert [one.id for one in tokens.list_tokens(connection, ADA.name)] == ["two"]


@pytest.mark.usefixtures("_ada")
def test_the_oldest_tokens_of_a_label_make_room(engine: Engine) -> None:
    with engine.begin() as connection:
        for number in range(5):
            begun = NOW + timedelta(seconds=number)
            issued = Token(f"t{number}", ADA.name, "fetched", begun, NOW + timedelta(days=1))
            tokens.add(connection, issued, f"d{number}")
        kept = Token("kept", ADA.name, "mine", NOW - timedelta(days=9), NOW + timedelta(days=1))
        tokens.add(connection, kept, "d9")
        tokens.trim(connection, ADA.name, "fetched", keep=2, now=NOW)

        names = {one.id for one in tokens.list_tokens(connection, ADA.name)}
    assert names == {"t3", "t4", "kept"}


def test_attempts_at_once_find_the_limit_of_those_one_after_the_other(engine: Engine) -> None:
    allowed = []

    def attempt() -> None:
        with engine.begin() as connection:
            until = login_attempts.begin(connection, {"a": 5, "b": 100}, NOW, timedelta(minutes=5))
        if until is None:
            allowed.append(1)
        else:
            assert until == NOW + timedelta(minutes=5)

    threads = [threading.Thread(target=attempt) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(allowed) == 5


def test_failures_are_forgotten_after_the_window(engine: Engine) -> None:
    window = timedelta(minutes=5)
    with engine.begin() as connection:
        assert login_attempts.begin(connection, {"a": 1}, NOW, window) is None
        assert login_attempts.begin(connection, {"a": 1}, NOW, window) == NOW + window
        assert login_attempts.begin(connection, {"a": 1}, NOW + window, window) is None


def test_a_success_takes_its_attempt_back(engine: Engine) -> None:
    limits = {"both": 3, "place": 3}
    window = timedelta(minutes=5)
    with engine.begin() as connection:
        for _ in range(20):
            assert login_attempts.begin(connection, limits, NOW, window) is None
            login_attempts.succeed(connection, "both", {"place"})
