"""`peps withdraw`: a product is out of service in every view, at once."""

import json

import pytest
from werkzeug.test import Client

from peps_wps import cli
from peps_wps.app import create_app
from peps_wps.jobs.dispatcher import Dispatcher
from peps_wps.staging import Archive, RecallService
from tests.jobs.job_house import House


def test_a_withdrawn_product_is_neither_found_nor_served_and_fails_who_waits(
    house: House, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PEPS_CATALOG_URL", house.config.catalog.url)
    uid, kept = house.archive("PRODUCT_0"), house.archive("PRODUCT_1")
    waiting, other = house.submit(product="PRODUCT_0"), house.submit(product="PRODUCT_1")
    archive = Archive(house.config, house.engine)
    dispatcher = Dispatcher(house.config, house.engine, archive)
    dispatcher.run_once()

    var = ["--var", str(house.config.var)]
    assert cli.main(["withdraw", "PRODUCT_0.SAFE", "ABSENT", "--json", *var]) == 1
    printed = capsys.readouterr()
    assert json.loads(printed.out) == [{"title": "PRODUCT_0", "uid": uid}]
    assert "no product is called ABSENT" in printed.err

    RecallService(house.config, house.engine).run_once()
    dispatcher.run_once()
    job = house.job(waiting)
    assert (job.state, job.message) == ("failed", "the product PRODUCT_0 has been withdrawn")
    assert house.job(other).state == "queued"
    client = Client(create_app(house.config, house.engine))
    found = client.get("/resto/api/collections/S1/search.json").json["features"]
    assert [one["id"] for one in found] == [kept]
    assert client.get(f"/resto/collections/S1/{uid}/download").status_code == 410


def test_a_product_withdrawn_for_another_names_it(
    house: House, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PEPS_CATALOG_URL", house.config.catalog.url)
    old, new = house.archive("PRODUCT_0"), house.archive("PRODUCT_1")
    var = ["--var", str(house.config.var)]
    client = Client(create_app(house.config, house.engine))

    assert cli.main(["withdraw", "PRODUCT_0", "--successor", "ABSENT", *var]) == 1
    assert "no product is called ABSENT" in capsys.readouterr().err
    assert client.head(f"/resto/collections/S1/{old}/download").status_code == 202
    assert cli.main(["withdraw", "PRODUCT_0", "--successor", "PRODUCT_1.SAFE", *var]) == 0
    answer = client.get(f"/resto/collections/S1/{old}/download")
    assert answer.status_code == 404
    assert answer.json["ErrorMessage"] == f"Feature has been moved, new feature id is : {new}"
