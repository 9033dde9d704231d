"""Where links in results lead to."""

from pathlib import Path

import pytest

from peps_wps import jobs
from tests.jobs.job_house import opened_house

CONFIGURED, ASKED = "https://peps.example.org", "http://proxy:8080"


@pytest.mark.one_database
@pytest.mark.parametrize(("url", "expected"), [(CONFIGURED, CONFIGURED), ("", ASKED)])
def test_links_lead_to_the_configured_address_else_to_that_of_the_order(
    tmp_path: Path, database_url: str, url: str, expected: str
) -> None:
    environ = {"PEPS_SERVER_URL": url}
    with opened_house(tmp_path, database_url=database_url, environ=environ) as house:
        inputs = {"behaviour": ["link"], "journal": [str(house.journal)]}
        job = jobs.submit(
            house.engine,
            house.config,
            process="STAND_IN",
            inputs=inputs,
            owner="one",
            response_options={"base": ASKED},
        )
        house.start()
        house.wait(job.id)
        (line,) = house.lines("links to")
    assert line.endswith(f"links to {expected}")
