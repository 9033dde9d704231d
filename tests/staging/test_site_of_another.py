"""A PEPS whose masters are on the tape of another PEPS: recalled there, fetched, verified here."""

import time
from dataclasses import replace
from datetime import timedelta

import pytest

from catalog_db import times
from catalog_db.access import users
from catalog_db.access.users import User
from peps_wps.access import tokens
from peps_wps.app import Application
from peps_wps.services import Services
from peps_wps.web import download, tape_rest
from tests.archive_world import HASTY, ArchiveWorld
from tests.background import running
from tests.loopback import on_the_loopback
from tests.patience import stretched, until

CONFIG = """
[tape:site]
backend = wlcg
url = {url}
data_url = {url}
folder = /archive
token_file = site.token
"""
PATH = "S1/2021/08/09/P1.zip"
CONTENT = b"from afar" * 10_000
PATIENT = replace(HASTY, idle_s=0.05)


def recalling(*worlds):
    return running(*(one.service(PATIENT) for one in worlds))


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch):
    """Give a loaded machine the time it takes."""
    monkeypatch.setattr("storage.backends.wlcg_site._TIMEOUT_S", (stretched(5), stretched(10)))


@pytest.fixture
def far(tmp_path, databases):
    """The site: it knows a user of the other one, and has a product on tape."""
    with databases.fresh("sqlite", tmp_path / "far"):
        far = ArchiveWorld(tmp_path / "far", PEPS_AUTH_MODE="basic")
        far.add("P1", CONTENT)
        with far.engine.begin() as connection:
            users.add(connection, User("near", times.now(), None))
        yield far


@pytest.fixture
def near(tmp_path, databases, far):
    """The service in front of it."""
    folder = tmp_path / "near"
    with databases.fresh("sqlite", folder):
        app = Application(
            Services.of(far.config, far.engine), [*tape_rest.rules(), *download.rules()]
        )
        with on_the_loopback(app) as url:
            config = folder / "near.cfg"
            config.write_text(CONFIG.format(url=url))
            near = ArchiveWorld(folder, PEPS_CONFIG=str(config))
            token, _ = tokens.issue(far.engine, "near", label="t", lasts=timedelta(hours=1))
            (folder / "site.token").write_text(token)
            (folder / "site.token").chmod(0o600)
            yield near


def known(near, content=CONTENT):
    """Make the product known where it is not; return its uid."""
    uid = near.add("P1", content)
    with near.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE file SET backend = 'site', tape = NULL, position = NULL")
    return uid


def test_a_product_comes_from_the_tape_of_the_other(near, far):
    uid = known(near)
    request = near.archive.request([uid], user="u", purpose="p")
    with recalling(near, far):
        until(lambda: near.archive.status(request).ready)
    assert near.archive.path(uid).read_bytes() == CONTENT
    # The other one was told that it is no more needed, and the request there is forgotten.
    assert far.archive.pool_state().pinned_bytes == 0
    assert far.archive.requests(only_open=False) == []


def test_another_content_there_is_refused_here(near, far):
    uid = known(near, CONTENT[::-1])
    request = near.archive.request([uid], user="u", purpose="p")
    with recalling(near, far):
        until(lambda: any(row.attempt > 1 for row in near.recalls()))
    assert not near.archive.status(request).ready
    assert not near.pool_file("P1").exists()


def test_a_token_that_is_refused_costs_no_attempt_and_a_new_one_is_taken(near, far):
    token = near.root / "site.token"
    right = token.read_text()
    token.write_text("wrong")
    uid = known(near)
    request = near.archive.request([uid], user="u", purpose="p")
    with recalling(near, far):
        time.sleep(0.3)
        assert not near.archive.status(request).failed
        token.write_text(right)
        until(lambda: near.archive.status(request).ready)
    assert near.archive.path(uid).read_bytes() == CONTENT
    (row,) = near.recalls()
    assert row.attempt == 1
