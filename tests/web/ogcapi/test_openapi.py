"""The OpenAPI definition against the server: what it says is what the server does."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from jsonschema import Draft4Validator
from schemathesis import GenerationMode as Mode
from schemathesis.specs.openapi.checks import positive_data_acceptance
from schemathesis.specs.openapi.definitions import OPENAPI_30
from sqlalchemy import update
from werkzeug.test import Client

from catalog_db import times
from catalog_db.engine import Engine, create_engine
from catalog_db.processing.jobs import Job
from catalog_db.tables import job as table
from peps_wps import jobs
from peps_wps.app import Application, create_app
from peps_wps.config import Config
from peps_wps.web import ogcapi
from peps_wps.web.ogcapi.addresses import ROOT
from tests.web.ogcapi.conftest import Mirror, Slow

# The parameters of the definition, by the names that the server's addresses give them.
NAMES = {"<process_id>": "{processID}", "<job_id>": "{jobID}", "<output>": "{outputID}"}
OPERATIONS = [
    (method.lower(), re.sub("<[a-z_]+>", lambda found: NAMES[found[0]], rule.rule[len(ROOT) :]))
    for rule in ogcapi.rules()
    for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
]
PROCESSES = ("MIRROR", "SLOW", "slow-s1")
RESULTS = {
    "words": {"value": "a", "type": "text/plain"},
    "number": {"value": "1.5", "type": "text/plain"},
    "features": {"value": {"type": "Feature"}, "type": "application/geo+json"},
}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """A service whose jobs end the moment they are accepted."""
    environ = {"PEPS_AUTH_MODE": "open", "PEPS_PROCESSING_CHAINS": "tests.web.ogcapi.chains"}
    config = Config.load(var=tmp_path_factory.mktemp("openapi") / "var", environ=environ)
    engine = create_engine(config.catalog.url)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("peps_wps.jobs.submit", ending(jobs.submit))
        yield create_app(config, engine, processes=(Mirror, Slow))
    engine.dispose()


def ending(submit: Any) -> Any:
    """Return a submission after which the job has ended."""

    def submitted(engine: Engine, config: Config, **order: Any) -> Job:
        job = submit(engine, config, **order)
        now = times.to_us(times.now())
        ended = {"state": "succeeded", "results": json.dumps(RESULTS)}
        with engine.begin() as connection:
            connection.execute(
                update(table)
                .where(table.c.id == job.id)
                .values(started_us=now, finished_us=now, **ended)
            )
        return jobs.get(engine, config, job.id) or job

    return submitted


@pytest.fixture(scope="module")
def definition(app: Application) -> dict[str, Any]:
    answer = Client(app).get("/ogcapi/api")
    assert answer.content_type == "application/vnd.oai.openapi+json;version=3.0"
    return dict(answer.get_json())


@pytest.fixture(scope="module")
def schema(app: Application, definition: dict[str, Any]) -> Any:
    """The definition, loaded from the server; half of the requests name what there is."""
    client = Client(app)
    body = {"inputs": {"words": "a"}}
    path = "/ogcapi/processes/MIRROR/execution"
    made = client.post(path, json=body, headers={"Prefer": "respond-async"})
    loaded = schemathesis.openapi.from_wsgi("/ogcapi/api", app)
    known = {
        "processID": [*PROCESSES, "MIRROR"],
        "jobID": [made.get_json()["jobID"]],
        "outputID": ["words", "features", "report"],
    }

    @loaded.hook
    def map_path_parameters(_context: Any, path_parameters: Any) -> dict[str, Any]:
        return {
            name: known[name][len(value) % len(known[name])] if len(value) % 2 else value
            for name, value in (path_parameters or {}).items()
        }

    return loaded


def test_the_definition_is_valid_openapi(definition: dict[str, Any]) -> None:
    Draft4Validator(OPENAPI_30).validate(definition)
    names = [
        operation["operationId"]
        for methods in definition["paths"].values()
        for operation in methods.values()
    ]
    assert len(names) == len(set(names))


def test_every_address_of_the_server_is_in_the_definition(definition: dict[str, Any]) -> None:
    said = {(method, path) for path, methods in definition["paths"].items() for method in methods}

    assert said == set(OPERATIONS)


def test_every_reference_leads_to_a_schema(definition: dict[str, Any]) -> None:
    text = json.dumps(definition)
    for reference in set(re.findall(r'"#/([^"]+)"', text)):
        found: Any = definition
        for name in reference.split("/"):
            found = found[name]


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_the_server_does_what_the_definition_says(
    schema: Any, app: Application, method: str, path: str
) -> None:
    operation = schema[path][method]
    before = folders(app)

    @given(operation.as_strategy() | operation.as_strategy(generation_mode=Mode.NEGATIVE))
    @settings(
        max_examples=60,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any) -> None:
        answer = case.call()
        # Which inputs a process takes is in its description, not in the definition.
        case.validate_response(answer, excluded_checks=[positive_data_acceptance])
        text = answer.content.decode("utf-8", "replace")
        assert "Traceback" not in text
        assert str(app.services.config.results.path) not in text

    ask()
    assert folders(app) == before


def folders(app: Application) -> set[Path]:
    """Return what lies below the folder of results."""
    return set(app.services.config.results.path.rglob("*"))
