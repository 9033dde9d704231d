"""Any sequence of orders, looks, ends and dismissals: every address tells the same story."""

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule
from sqlalchemy import update
from werkzeug.test import Client

from catalog_db import times
from catalog_db.engine import create_engine
from catalog_db.tables import job as table
from peps_wps.app import create_app
from peps_wps.config import Config
from tests.web.ogcapi.conftest import Mirror, Slow

ENVIRON = {"PEPS_AUTH_MODE": "open", "PEPS_PROCESSING_CHAINS": "tests.web.ogcapi.chains"}
RESULTS = json.dumps({"words": {"value": "a", "type": "text/plain"}})
# The status of the results of a job in each of its own.
RESULTS_OF = {"accepted": 404, "running": 404, "successful": 200, "failed": 500, "dismissed": 410}


class Orders(RuleBasedStateMachine):
    """The service, and a dictionary that says what it should say."""

    jobs = Bundle("jobs")

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        config = Config.load(var=Path(self.folder.name) / "var", environ=ENVIRON)
        self.engine = create_engine(config.catalog.url)
        self.client = Client(create_app(config, self.engine, processes=(Mirror, Slow)))
        self.expected: dict[str, str] = {}

    def teardown(self) -> None:
        if hasattr(self, "engine"):
            self.engine.dispose()
            self.folder.cleanup()

    def get(self, path: str) -> Any:
        headers = {"Accept": "application/json"}
        return self.client.get(f"/ogcapi{path}", headers=headers, buffered=True)

    @rule(target=jobs, words=st.sampled_from(["a", ["a", "b"], {"value": "c"}]))
    def order(self, words: Any) -> str:
        path = "/ogcapi/processes/MIRROR/execution"
        body = {"inputs": {"words": words}}
        answer = self.client.post(path, json=body, headers={"Prefer": "respond-async"})
        assert answer.status_code == 201
        job_id = str(answer.get_json()["jobID"])
        self.expected[job_id] = "accepted"
        return job_id

    @rule(words=st.sampled_from([[], [["a"]], {"type": "a/b"}, ["a"] * 4]))
    def order_wrongly(self, words: Any) -> None:
        path = "/ogcapi/processes/MIRROR/execution"
        assert self.client.post(path, json={"inputs": {"words": words}}).status_code == 400

    @rule(job_id=jobs, state=st.sampled_from(["running", "succeeded", "failed"]))
    def go_on(self, job_id: str, state: str) -> None:
        """Do what a worker would."""
        if self.expected[job_id] not in ("accepted", "running"):
            return
        now = times.to_us(times.now())
        columns: dict[str, Any] = {"state": state, "started_us": now}
        if state != "running":
            columns |= {"finished_us": now, "results": RESULTS if state == "succeeded" else None}
        with self.engine.begin() as connection:
            connection.execute(update(table).where(table.c.id == job_id).values(**columns))
        self.expected[job_id] = "successful" if state == "succeeded" else state

    @rule(job_id=jobs)
    def dismiss(self, job_id: str) -> None:
        answer = self.client.delete(f"/ogcapi/jobs/{job_id}")
        assert (answer.status_code, answer.get_json()["status"]) == (200, "dismissed")
        self.expected[job_id] = "dismissed"

    @rule(job_id=consumes(jobs))
    def look_at_one_that_is_unknown(self, job_id: str) -> None:
        assert self.get(f"/jobs/{job_id[::-1]}").status_code == 404

    @invariant()
    def every_address_says_the_same(self) -> None:
        if not hasattr(self, "expected"):
            return
        listed = {
            one["jobID"]: one["status"] for one in self.get("/jobs?limit=1000").get_json()["jobs"]
        }
        assert listed == self.expected
        for job_id, status in self.expected.items():
            assert self.get(f"/jobs/{job_id}").get_json()["status"] == status
            assert self.get(f"/jobs/{job_id}/results").status_code == RESULTS_OF[status]


TestOrders = Orders.TestCase
TestOrders.settings = settings(
    max_examples=6,
    stateful_step_count=12,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
