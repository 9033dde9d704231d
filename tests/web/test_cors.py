"""Pages of other sites, as a browser lets them in."""

from pathlib import Path

import pytest
from werkzeug.test import Client

from peps_wps.app import Application, create_app
from peps_wps.config import Config
from peps_wps.errors import ConfigError

ASKED = {"Origin": "https://map.example", "Access-Control-Request-Method": "DELETE"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Application:
    environ = {"PEPS_AUTH_MODE": "open"}
    return create_app(Config.load(var=tmp_path_factory.mktemp("cors") / "var", environ=environ))


@pytest.mark.parametrize("path", ["/ogcapi/jobs/1", "/resto/wps", "/nowhere"])
def test_a_preflight_is_answered_without_asking_who_it_is(app: Application, path: str) -> None:
    answer = Client(app).options(path, headers=ASKED)

    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "DELETE" in answer.headers["Access-Control-Allow-Methods"]
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]


@pytest.mark.parametrize("path", ["/ogcapi", "/ogcapi/jobs/1", "/resto/wps", "/health/live"])
def test_a_page_may_read_answers_and_errors(app: Application, path: str) -> None:
    answer = Client(app).get(path, headers={"Origin": "https://map.example"})

    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Location" in answer.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(("origin", "header"), [("", None), ("https://a.example",) * 2])
def test_the_operator_says_whose_pages(tmp_path: Path, origin: str, header: str | None) -> None:
    environ = {"PEPS_AUTH_MODE": "open", "PEPS_SERVER_ALLOWED_ORIGIN": origin}
    app = create_app(Config.load(var=tmp_path / "var", environ=environ))

    answer = Client(app).get("/ogcapi")

    assert answer.headers.get("Access-Control-Allow-Origin") == header


def test_an_origin_is_no_path(tmp_path: Path) -> None:
    environ = {"PEPS_SERVER_ALLOWED_ORIGIN": "https://a.example/map"}

    with pytest.raises(ConfigError, match="allowed_origin"):
        Config.load(var=tmp_path / "var", environ=environ)
