import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog_db.catalogue.gazetteer import Place, find_place, fold, is_loaded, replace_places
from catalog_db.engine import Engine

PLACES = (
    Place(1, "Valence", "FR", 4.9, 44.9, 63_864),
    Place(2, "Valencia", "ES", -0.4, 39.5, 814_208, ("Valence", "València")),
    Place(3, "Londres", "AR", -67.1, -27.7, 3004),
    Place(4, "London", "GB", -0.1, 51.5, 8_961_989, ("Londres", "Lontoo")),
    Place(5, "London", "CA", -81.2, 43.0, 346_765),
    Place(6, "東京", "JP", 139.7, 35.7, 9_733_276, ("Tokyo",)),
)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("London", 4),
        ("london, ca", 5),
        ("LONTOO", 4),
        ("Londres", 4),  # three thousand people against nine million
        ("Londres, AR", 3),
        ("Valence", 1),  # a town's own name, against what others call a larger one
        ("valencia", 2),
        ("東京", 6),
        ("tokyo", 6),
        ("Paris", None),
        ("", None),
        ("x" * 10_000, None),
        ("London,\0\0", 4),
    ],
)
def test_a_name_means_one_place(engine: Engine, text, place):
    with engine.begin() as connection:
        assert not is_loaded(connection)
        assert replace_places(connection, PLACES) == len(PLACES)
        found = find_place(connection, text)

    assert (found and found.id) == place


def test_places_are_replaced_as_a_whole(engine: Engine):
    with engine.begin() as connection:
        replace_places(connection, PLACES)
        replace_places(connection, PLACES[:1])

        assert find_place(connection, "London") is None
        assert find_place(connection, "Valence") == PLACES[0]


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("Saint-Étienne", "saint etienne"),
        ("St. Etienne", "saint etienne"),
        ("L'Haÿ-les-Roses", "l hay les roses"),
        ("Łódź", "lodz"),
        ("Œuilly", "oeuilly"),
        ("STRASSE", fold("Straße")),
    ],
)
def test_names_are_compared_without_accents_case_and_punctuation(name, folded):
    assert fold(name) == folded


@given(st.text())
def test_folding_is_settled_at_once(name):
    assert fold(fold(name)) == fold(name)
