"""Searches by the name of a town."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import shapely
from werkzeug.test import Client

from catalog_db.catalogue import gazetteer, products
from catalog_db.catalogue.gazetteer import Place
from peps_wps.app import Application
from peps_wps.resto.places import load_places
from peps_wps.services import Services
from peps_wps.web import resto
from tests.archive_world import ArchiveWorld
from tests.catalog_db.test_products import grd

SEARCH = "/resto/api/collections/S1/search.json"
TOULOUSE = Place(2972315, "Toulouse", "FR", 1.44367, 43.60426, 511_684, ("Tolosa", "Tuluza"))
TOULOUSE_HILL = Place(1, "Toulouse", "US", -88.5, 31.2, 1200)
TOLOSA = Place(3108040, "Tolosa", "ES", -2.078, 43.1348, 18_044)
SAINT_ETIENNE = Place(2980291, "Saint-Étienne", "FR", 4.39, 45.43389, 176_280)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ArchiveWorld]:
    world = ArchiveWorld(tmp_path)
    with world.engine.begin() as connection:
        places = [TOULOUSE_HILL, TOULOUSE, TOLOSA, SAINT_ETIENNE]
        gazetteer.replace_places(connection, places)
        about = {"toulouse": TOULOUSE, "saint_etienne": SAINT_ETIENNE, "hill": TOULOUSE_HILL}
        products.insert_products(
            connection,
            [
                grd(
                    title=f"S1A_{name}",
                    footprint=shapely.Point(place.longitude, place.latitude).buffer(0.5),
                )
                for name, place in about.items()
            ],
        )
    yield world
    world.engine.dispose()


@pytest.fixture
def client(world: ArchiveWorld) -> Client:
    return Client(Application(Services.of(world.config, world.engine), resto.rules()))


def titles(client: Client, **parameters: str) -> set[str]:
    answer = client.get(SEARCH, query_string=parameters)
    assert answer.status_code == 200
    return {one["properties"]["title"] for one in answer.json["features"]}


@pytest.mark.parametrize("name", ["Toulouse", "TOULOUSE", " toulouse ", "Tuluza", "Toulouse, FR"])
def test_a_town_finds_what_lies_about_the_largest_of_its_name(client, name):
    assert titles(client, q=name) == {"S1A_toulouse"}


def test_the_code_of_its_country_tells_a_town_from_its_namesake(client):
    assert titles(client, q="Toulouse, us") == {"S1A_hill"}


@pytest.mark.parametrize(
    "name", ["Saint-Étienne", "saint etienne", "ST ETIENNE", "Saint-E\u0301tienne"]
)
def test_accents_case_and_dashes_do_not_matter(client, name):
    assert titles(client, q=name) == {"S1A_saint_etienne"}


def test_an_own_name_beats_what_others_call_a_larger_town(client):
    assert titles(client, q="Tolosa") == set()


@pytest.mark.parametrize("name", ["Nowhereville", "???", "é" * 3000, "Toulouse, ZZ"])
def test_an_unknown_place_finds_nothing(client, name):
    assert titles(client, q=name) == set()


def test_a_region_given_as_well_must_be_met(client):
    assert titles(client, q="Toulouse", box="1,43,2,44") == {"S1A_toulouse"}
    assert titles(client, q="Toulouse", box="4,45,5,46") == set()


def test_a_title_is_understood(client):
    assert titles(client, q="S1A_hill") == {"S1A_hill"}


def test_the_answer_says_what_was_looked_for(client):
    query = client.get(SEARCH, query_string={"q": "Toulouse"}).json["properties"]["query"]

    assert query["searchFilters"]["searchTerms"] == "Toulouse"
    assert query["analysis"] == {"query": "Toulouse"}


def test_the_gazetteer_of_the_package_knows_towns_and_is_loaded_once(world):
    assert load_places(world.engine, anew=True)
    assert not load_places(world.engine)
    with world.engine.connect() as connection:
        # Positions within the town; its namesakes are degrees away.
        for name, longitude, latitude in (
            ("Toulouse", 1.444, 43.604),
            ("Londres", -0.126, 51.509),
            ("Łódź", 19.467, 51.75),
            ("東京", 139.692, 35.69),
            ("Valence", 4.89, 44.93),
        ):
            place = gazetteer.find_place(connection, name)
            assert (place.longitude, place.latitude) == pytest.approx(
                (longitude, latitude), abs=0.05
            )
