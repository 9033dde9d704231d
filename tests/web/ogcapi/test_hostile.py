"""Execute requests that nobody should send: each is refused with a problem, nothing left behind."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from werkzeug.test import Client, EnvironBuilder

from catalog_db.engine import create_engine
from peps_wps.app import Application, create_app
from peps_wps.config import Config
from tests.web.ogcapi.conftest import Mirror, Slow

PATH = "/ogcapi/processes/MIRROR/execution"
ASYNC = {"Prefer": "respond-async"}
SETTINGS = settings(
    max_examples=150,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
MEMBERS = ("inputs", "outputs", "response", "subscriber", "value", "href", "bbox", "crs", "format")
MEMBERS += ("mediaType", "encoding", "transmissionMode", "words", "number", "picture", "features")
NAMES = st.sampled_from(MEMBERS) | st.text(max_size=5)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["raw", "document", "value", "reference", "base64", "image/tiff", "AAE="])
    | st.sampled_from(
        ["file:///etc/passwd", "http://127.0.0.1:1/", "gopher://a", "//a", "\\\\a\\b"]
    )
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
INPUTS = st.fixed_dictionaries(
    {"words": JSON},
    optional=dict.fromkeys(("number", "count", "flag", "box", "picture", "features"), JSON),
)
BODIES = st.fixed_dictionaries({"inputs": INPUTS}, optional={"outputs": JSON, "response": JSON})


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    environ = {
        "PEPS_AUTH_MODE": "open",
        "PEPS_PROCESSING_CHAINS": "tests.web.ogcapi.chains",
        "PEPS_PROCESSING_MAXPROCESSES": "0",
        "PEPS_SERVER_MAXREQUESTSIZE": "100kb",
    }
    config = Config.load(var=tmp_path_factory.mktemp("hostile") / "var", environ=environ)
    engine = create_engine(config.catalog.url)
    yield create_app(config, engine, processes=(Mirror, Slow))
    engine.dispose()


def left_behind(app: Application) -> set[Path]:
    return set(app.services.config.results.path.rglob("*"))


def check(answer: Any) -> None:
    """An order is taken, or refused with a problem that tells nothing of the server."""
    assert answer.status_code in (201, 400, 413, 415), answer.text
    assert "Traceback" not in answer.text
    if answer.status_code != 201:
        problem = answer.get_json()
        assert problem["status"] == answer.status_code
        assert problem["detail"]


@SETTINGS
@given(JSON | BODIES)
@example({"inputs": {"words": {"value": {"value": {"href": "file:///etc/passwd"}}}}})
@example({"inputs": {"words": {"bbox": [1e308, -1e308, float(10**300), 0]}}})
@example({"inputs": {"words": ""}, "outputs": {"report": {"transmissionMode": "value"}}})
@example({"inputs": {"words": "a", "box": {"bbox": [1, 2, 3, 4], "crs": ",,,"}}})
def test_any_json_is_an_order_or_a_problem(app: Application, body: Any) -> None:
    before = left_behind(app)

    check(Client(app).post(PATH, json=body, headers=ASYNC))

    assert left_behind(app) == before


@SETTINGS
@given(st.binary(max_size=300), st.sampled_from(["application/json", "text/xml", "", "a"]))
def test_any_bytes_are_a_problem(app: Application, body: bytes, sent: str) -> None:
    check(Client(app).post(PATH, data=body, content_type=sent, headers=ASYNC))


@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_body_above_the_limit_is_refused_whether_its_length_is_told(
    app: Application, is_chunked: bool
) -> None:
    body = json.dumps({"inputs": {"words": "a" * 200_000}}).encode()
    environ = EnvironBuilder(
        PATH, method="POST", data=body, content_type="application/json"
    ).get_environ()
    if is_chunked:
        del environ["CONTENT_LENGTH"]
        environ["wsgi.input_terminated"] = True

    answer = Client(app).open(environ)

    assert (answer.status_code, answer.content_type) == (413, "application/problem+json")


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "http://127.0.0.1:1/x",
        "http://localhost/x",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]/x",
        "ftp://example.org/x",
        "data:text/plain,x",
        "not an address",
    ],
)
def test_an_input_by_reference_leads_nowhere_unless_it_is_allowed(
    app: Application, address: str
) -> None:
    body = {"inputs": {"words": {"href": address}}}

    answer = Client(app).post(PATH, json=body, headers=ASYNC)

    assert (answer.status_code, answer.get_json()["locator"]) == (400, "words")


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PUT"])
@pytest.mark.parametrize(
    "path", ["/ogcapi/jobs/%00", "/ogcapi/jobs/" + "a" * 5000, "/ogcapi/processes/%FF/execution"]
)
def test_a_strange_address_is_no_defect(app: Application, method: str, path: str) -> None:
    answer = Client(app).open(path, method=method, json={} if method == "POST" else None)

    assert answer.status_code in (400, 404, 405)
    assert answer.content_type == "application/problem+json"
