"""Who a request is taken for."""

from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from werkzeug import Request
from werkzeug.test import EnvironBuilder

from catalog_db.access import users
from peps_wps.access import ANONYMOUS, Access, Caller, throttle
from peps_wps.access.credentials import credentials_of
from peps_wps.access.origin import comes_from_elsewhere
from peps_wps.access.passwords import PasswordError, hash_password
from peps_wps.errors import TooManyAttemptsError, UnauthorizedError
from tests.access.conftest import PASSWORDS, Service, basic


def request(headers: dict[str, str] | None = None, address: str = "192.0.2.1") -> Request:
    builder = EnvironBuilder(headers=headers, environ_base={"REMOTE_ADDR": address})
    return Request(builder.get_environ())


@pytest.fixture
def access(service: Service) -> Access:
    return service.app.services.access


def test_who_says_nothing_is_anonymous(access: Access) -> None:
    assert access.caller(request()) == Caller(ANONYMOUS)


def test_a_password_tells_user_groups_and_rights(access: Access) -> None:
    caller = access.caller(request(basic("ada@example.org")))

    assert caller == Caller(
        "ada@example.org", frozenset({"radar"}), processes=frozenset({"FULL_MAJA"})
    )
    assert access.caller(request(basic("operator"))).is_operator


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_a_password_is_read_in_both_encodings_that_clients_write(
    access: Access, encoding: str
) -> None:
    assert access.caller(request(basic("eve", encoding=encoding))).name == "eve"


def test_a_password_is_one_however_its_accents_are_typed(access: Access) -> None:
    decomposed = PASSWORDS["eve"].replace("é", "e\u0301")
    assert access.caller(request(basic("eve", decomposed))).name == "eve"


@pytest.mark.parametrize(
    "headers",
    [
        basic("eve", "wrong password"),
        basic("eve", ""),
        basic("nobody", "battery staple"),
        basic("eve", "x" * 700),
        basic("eve\0", PASSWORDS["eve"]),
        {"Authorization": ""},
        {"Authorization": "Basic"},
        {"Authorization": "Basic ???"},
        {"Authorization": "Basic bm9jb2xvbg=="},
        {"Authorization": "Basic " + "QUFB" * 1000},
        {"Authorization": "Negotiate abc"},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer peps_guess"},
        {"X-API-Key": "peps_guess"},
        {"X-API-Key": ""},
    ],
)
def test_credentials_that_are_wrong_are_never_anonymous(
    access: Access, headers: dict[str, str]
) -> None:
    with pytest.raises(UnauthorizedError):
        access.caller(request(headers))


@pytest.mark.parametrize("form", ["bearer", "BEARER", "key", "password", "password, no name"])
def test_a_token_stands_for_its_user_in_each_form(
    service: Service, access: Access, form: str
) -> None:
    token = service.token("eve")
    headers = {
        "bearer": {"Authorization": f"Bearer {token}"},
        "BEARER": {"Authorization": f"BEARER  {token} "},
        "key": {"X-API-Key": token},
        "password": basic("Eve", token),
        "password, no name": basic("", token),
    }[form]

    assert access.caller(request(headers)).name == "eve"


def test_a_token_of_another_or_expired_lets_nobody_in(service: Service, access: Access) -> None:
    others = service.token("ada@example.org")
    expired = service.token("eve", lasts=timedelta(seconds=-1))

    for headers in (basic("eve", others), basic("eve", expired), {"X-API-Key": expired}):
        with pytest.raises(UnauthorizedError):
            access.caller(request(headers))


def test_a_disabled_user_is_out_at_once_by_password_and_token(
    service: Service, access: Access
) -> None:
    token = service.token("eve")
    for headers in (basic("eve"), {"X-API-Key": token}):
        assert access.caller(request(headers)).name == "eve"

    service.disable("eve")

    for headers in (basic("eve"), {"X-API-Key": token}):
        with pytest.raises(UnauthorizedError):
            access.caller(request(headers))


def test_a_new_password_ends_the_old_one_at_once(service: Service, access: Access) -> None:
    assert access.caller(request(basic("eve"))).name == "eve"
    with service.world.engine.begin() as connection:
        users.set_password(connection, "eve", hash_password("another password"))

    with pytest.raises(UnauthorizedError):
        access.caller(request(basic("eve")))
    assert access.caller(request(basic("eve", "another password"))).name == "eve"


def test_a_user_without_password_has_none_that_is_right(service: Service, access: Access) -> None:
    with service.world.engine.begin() as connection:
        users.set_password(connection, "eve", None)

    for password in ("", "None", PASSWORDS["eve"]):
        with pytest.raises(UnauthorizedError):
            access.caller(request(basic("eve", password)))


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the hashes that passwords are checked against, as that happens."""
    against: list[str] = []
    verify = PasswordHasher.verify

    def noted(hasher: PasswordHasher, stored: str, password: str) -> bool:
        against.append(stored)
        return verify(hasher, stored, password)

    monkeypatch.setattr(PasswordHasher, "verify", noted)
    return against


def test_a_client_that_polls_costs_one_check(access: Access, checks: list[str]) -> None:
    for _ in range(20):
        access.caller(request(basic("eve")))

    assert len(checks) == 1


def test_a_name_that_nobody_has_takes_the_same_work(
    service: Service, access: Access, checks: list[str]
) -> None:
    service.disable("operator")
    with service.world.engine.begin() as connection:
        users.set_password(connection, "ada@example.org", None)

    for name in ("eve", "nobody", "operator", "ada@example.org"):
        with pytest.raises(UnauthorizedError):
            access.caller(request(basic(name, "wrong password")))

    assert len(checks) == 4
    # One length of memory, passes and lanes.
    assert len({stored.split("$")[3] for stored in checks}) == 1


def test_too_many_wrong_passwords_are_not_looked_at(
    access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "MOST_BY_BOTH", 3)
    for _ in range(3):
        with pytest.raises(UnauthorizedError):
            access.caller(request(basic("eve", "wrong password")))

    with pytest.raises(TooManyAttemptsError) as refused:
        access.caller(request(basic("eve")))  # right, and not told so
    assert 0 < refused.value.wait_s <= throttle.WINDOW.total_seconds()
    assert refused.value.headers["Retry-After"].isdigit()
    # Others from there, and the user from elsewhere, are as before.
    assert access.caller(request(basic("operator"))).name == "operator"
    assert access.caller(request(basic("eve"), address="192.0.2.2")).name == "eve"


def test_who_is_in_already_is_not_thrown_out_by_others(
    access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "MOST_BY_USER", 2)
    access.caller(request(basic("eve")))
    for number in range(4):
        with pytest.raises((UnauthorizedError, TooManyAttemptsError)):
            access.caller(request(basic("eve", "wrong password"), address=f"198.51.100.{number}"))

    assert access.caller(request(basic("eve"))).name == "eve"


@pytest.mark.parametrize(
    ("forwarded", "proxies", "address", "place"),
    [
        (None, 0, "192.0.2.1", "192.0.2.1"),
        ("198.51.100.1", 0, "192.0.2.1", "192.0.2.1"),
        ("198.51.100.1", 1, "192.0.2.1", "198.51.100.1"),
        ("forged, 198.51.100.1", 1, "192.0.2.1", "198.51.100.1"),
        ("198.51.100.1, 10.0.0.1", 2, "192.0.2.1", "198.51.100.1"),
        (None, 1, "192.0.2.1", "192.0.2.1"),
        (None, 0, "2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        (None, 0, "::ffff:192.0.2.1", "192.0.2.1"),
    ],
)
def test_a_place_is_what_the_trusted_proxies_say(
    forwarded: str | None, proxies: int, address: str, place: str
) -> None:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    assert throttle.place_of(request(headers, address), proxies) == place


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, False),
        ({"Sec-Fetch-Site": "same-origin"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, True),
        ({"Sec-Fetch-Site": "same-site"}, True),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://portal.example"}, False),
        ({"Origin": "http://localhost"}, False),
        ({"Origin": "https://evil.example"}, True),
        ({"Origin": "null"}, True),
    ],
)
def test_a_page_of_another_site_is_known_by_what_its_browser_says(
    headers: dict[str, str], expected: bool
) -> None:
    assert comes_from_elsewhere(request(headers), "https://portal.example") is expected


@pytest.mark.parametrize("password", ["short", "x" * 300, "peps_looks_like_a_token"])
def test_some_passwords_are_refused(password: str) -> None:
    with pytest.raises(PasswordError):
        hash_password(password)


def test_a_password_is_in_no_text_of_its_object() -> None:
    given = credentials_of(request(basic("eve", "secret words")))
    assert "secret" not in repr(given)
