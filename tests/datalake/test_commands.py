"""`peps datalake`: what it says is what is there, and what it removes goes whole or stays."""

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog_db import times
from peps_wps import cli
from peps_wps.datalake.retention import Limits, due
from storage.datalake_journal import Entry

DAYS = ("2020-01-08", "2020-01-20", "2020-02-01")


@pytest.fixture
def peps(tmp_path, capsys):
    """Runs the command: exit code, and what it answered as JSON."""

    def run(*arguments):
        capsys.readouterr()
        code = cli.main(["datalake", *arguments, "--json", "--var", str(tmp_path / "var")])
        said = capsys.readouterr().out
        return code, json.loads(said) if said else None

    return run


@pytest.fixture
def products(publish):
    return [publish(day) for day in DAYS]


def paths(products):
    return [product.path for product in products]


def present(lake):
    return paths(lake.files.products())


def test_products_are_listed_in_the_order_of_publication(peps, products):
    code, listed = peps("list")
    assert code == 0
    assert [one["path"] for one in listed] == paths(products)
    assert [one["size_bytes"] for one in listed] == [one.size_bytes for one in products]
    assert peps("list", "S1-L1-ORTHO/33NWB/2020/02")[1] == listed[2:]
    assert peps("list", "S1-L1-ORTHO/31TGL") == (5, [])


def test_the_size_is_that_of_the_files(peps, products, publish):
    other = publish(collection="S1-L1-ORTHO-5f2c09ab")
    _, size = peps("size")
    assert size["size_bytes"] == 3 * products[0].size_bytes + other.size_bytes
    assert [one["products"] for one in size["collections"]] == [3, 1]


def test_a_dry_run_says_what_would_go_and_removes_nothing(peps, products, lake):
    budget = str(products[0].size_bytes * 2.5 / 1e9)
    code, said = peps("prune", "--dry-run", "--budget-gb", budget)
    assert code == 0
    assert [(one["path"], one["reason"]) for one in said["chosen"]] == [(products[0].path, "size")]
    assert present(lake) == paths(products)
    assert peps("prune", "--budget-gb", budget)[1]["removed"] == [products[0].path]
    assert present(lake) == paths(products[1:])


def test_without_limits_nothing_is_pruned(peps, products, lake):
    assert peps("prune")[1]["chosen"] == []
    assert present(lake) == paths(products)


def test_age_and_size_choose_the_oldest_first():
    now = times.now()
    ages = {"a": 40, "b": 20, "c": 10, "d": 1}
    entries = {name: Entry(now - timedelta(days=age), name, 100) for name, age in ages.items()}
    limits = Limits(timedelta(days=30), 200)
    assert [(one.path, one.reason) for one in due(entries, limits, now)] == [
        ("a", "age"),
        ("b", "size"),
    ]
    assert list(due(entries, Limits(), now)) == []


def test_a_tile_that_is_worked_on_is_left_alone(peps, products, lake, publish):
    other = publish(tile="33NVB")
    with lake.lock("S1-L1-ORTHO/33NWB/20200108_007", holder="job 12"):
        code, said = peps("prune", "--budget-gb", "0.000000001")
    assert code == 1
    assert said["removed"] == [other.path]
    assert set(said["in_use"]) == set(paths(products))
    assert present(lake) == paths(products)


def test_what_was_made_of_a_date_goes_with_it_and_neither_before_the_other_is_due():
    now = times.now()
    ages = {"date": 40, "other": 35, "date_filtered": 20}
    entries = {name: Entry(now - timedelta(days=age), name, 100) for name, age in ages.items()}

    def chosen(limits):
        origin = {"date_filtered": "date"}
        return [one.path for one in due(entries, limits, now, lambda path: origin.get(path, path))]

    assert chosen(Limits(age=timedelta(days=30))) == ["other"]
    assert chosen(Limits(age=timedelta(days=15))) == ["other", "date_filtered", "date"]
    assert chosen(Limits(size_bytes=100)) == ["other", "date_filtered", "date"]
    assert chosen(Limits(size_bytes=200)) == ["other"]


@given(
    named=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), unique=True, max_size=12),
    age=st.none() | st.integers(0, 12),
    size=st.none() | st.integers(0, 60),
)
def test_what_goes_is_what_the_last_of_each_origin_decides(named, age, size):
    """The plain way: everything is put together first."""
    now = times.now()
    paths = [f"{folder}/{name}" for folder, name in named]
    entries = {
        path: Entry(now - timedelta(days=len(paths) - day), path, day + 1)
        for day, path in enumerate(paths)
    }
    limits = Limits(None if age is None else timedelta(days=age, hours=12), size)

    def origin(path):
        return f"{path[:-1]}{int(path[-1]) // 3}"

    together = {}
    for path in paths:
        together.setdefault(origin(path), []).append(path)
    left, expected = sum(one.size_bytes for one in entries.values()), set()
    for group in sorted(together.values(), key=lambda one: entries[one[-1]].at):
        is_old = limits.age is not None and entries[group[-1]].at < now - limits.age
        if is_old or (size is not None and left > size):
            left -= sum(entries[path].size_bytes for path in group)
            expected.update(group)

    chosen = [one.path for one in due(entries, limits, now, origin)]

    assert len(chosen) == len(expected)
    assert set(chosen) == expected


def test_no_more_items_are_read_than_lie_in_the_folders_of_what_goes():
    now = times.now()
    entries = {
        path: Entry(now - timedelta(days=age), path, 100)
        for age in range(100, 0, -1)
        for path in (f"{age}/date", f"{age}/other")
    }
    read = []

    def origin(path):
        read.append(path)
        return path

    assert len(list(due(entries, Limits(timedelta(days=97.5)), now, origin))) == 6
    assert read == [f"{age}/{name}" for age in (100, 99, 98) for name in ("date", "other")]


def test_retention_leaves_no_filtered_file_without_its_date(peps, products, lake, publish):
    filtered = publish(DAYS[0], kind="_filtered")

    def pruned(number):
        """Let about so many products stay; return what went."""
        budget = number * filtered.size_bytes / 1e9
        return peps("prune", "--budget-gb", str(budget))[1]["removed"]

    assert pruned(2.5) == [products[1].path, products[2].path]
    assert set(present(lake)) == {products[0].path, filtered.path}
    assert pruned(1.5) == [filtered.path, products[0].path]


def test_a_date_that_is_removed_takes_what_was_made_of_it(peps, products, lake, publish):
    filtered = [publish(day, kind="_filtered") for day in DAYS[:2]]
    assert peps("remove", filtered[0].path)[1]["removed"] == [filtered[0].path]
    gone = peps("remove", products[1].path)[1]["removed"]
    assert gone == [filtered[1].path, products[1].path]
    assert present(lake) == [products[0].path, products[2].path]


def test_in_a_folder_that_is_removed_dates_go_after_what_was_made_of_them(
    peps, products, lake, publish
):
    filtered = publish(DAYS[0], kind="_filtered")
    gone = peps("remove", products[0].path.rpartition("/")[0])[1]["removed"]
    assert gone == [filtered.path, products[0].path]


@pytest.mark.parametrize("ending", [".json", ".tif"])
def test_a_product_is_removed_by_its_item_or_one_of_its_files(peps, products, lake, ending):
    path = products[1].path.removesuffix(".json") + ending
    assert peps("remove", path)[0] == 0
    assert present(lake) == [products[0].path, products[2].path]


def test_a_folder_is_removed_with_all_below_it(peps, products, lake):
    assert peps("remove", "S1-L1-ORTHO/33NWB/2020/01/")[0] == 0
    assert present(lake) == [products[2].path]
    assert peps("list")[1][0]["path"] == products[2].path


@pytest.mark.parametrize("path", ["S1-L1-ORTHO/31TGL", "../var", "/etc", "S1-L1-ORTHO/nothing.tif"])
def test_what_is_not_published_is_not_removed(peps, products, lake, path):
    assert peps("remove", products[0].path, path) == (5, None)
    assert present(lake) == paths(products)


def test_damage_is_told_and_ends_with_an_error(peps, products, lake):
    assert peps("verify") == (
        0,
        {"products": 3, "problems": {}, "unsettled": [], "settled": []},
    )
    name = next(iter(products[0].files))
    lake.files.path(f"{products[0].folder}/{name}").unlink()
    code, said = peps("verify")
    assert code == 1
    assert said["problems"] == {products[0].path: [f"{name} is missing"]}


def test_journal_and_catalogue_are_made_again_from_the_products(peps, products, lake):
    for day in (lake.root / ".journal").glob("*.ndjson"):
        day.unlink()
    catalogue = lake.root / "catalog.json"
    before = catalogue.read_bytes()
    catalogue.unlink()
    assert peps("verify", "--repair")[0] == 1
    assert catalogue.read_bytes() == before
    assert peps("verify")[0] == 0
    assert sorted(one["path"] for one in peps("list")[1]) == sorted(paths(products))


def test_people_are_told_in_words(products, tmp_path, capsys):
    state = ["--var", str(tmp_path / "var")]
    for action in ("list", "size", "verify", "prune"):
        assert cli.main(["datalake", action, *state]) == 0
    said = capsys.readouterr().out
    assert f"{products[0].size_bytes:,}  {products[0].path}" in said
    assert "3 products  " in said
    assert "3 products checked, 0 with problems" in said
    assert "0 products were removed, 0 bytes" in said
