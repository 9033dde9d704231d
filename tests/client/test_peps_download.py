"""`peps_download` leaves the files that peps_download.py leaves, for the options that it has."""

import json
from pathlib import Path

import pytest

from peps_wps.cli.peps_download import main, relative_orbit
from peps_wps.client import Product
from tests.client.conftest import ON_DISK, ON_TAPE, Place, title

NAMES = {title(number) for number in (*ON_DISK, *ON_TAPE)}
TOULOUSE = ("-c", "S1", "--lon", "1.4", "--lat", "43.6")


@pytest.fixture
def folder(place: Place, tmp_path: Path, monkeypatch) -> Path:
    """The working folder, with credentials in it."""
    monkeypatch.setenv("PEPS_URL", place.url)
    monkeypatch.chdir(tmp_path)
    auth = tmp_path / "peps.txt"
    auth.write_text("ada@example.org a secret\n")
    auth.chmod(0o600)
    return tmp_path


def zips(folder: Path) -> set[str]:
    return {path.stem for path in folder.glob("*.zip")}


@pytest.mark.parametrize(
    "where",
    [
        ("--lon", "1.4", "--lat", "43.6"),
        ("--lonmin", "1", "--lonmax", "2", "--latmin", "43", "--latmax", "44"),
    ],
)
def test_every_product_of_a_place_is_left_as_a_zip_beside_the_search(place, folder, where):
    code = main(["-c", "S1", *where, "-a", "peps.txt", "-d", "2021-08-01", "-f", "2021-09-01"])

    assert code == 0
    assert zips(folder) == NAMES
    assert all((folder / f"{name}.zip").read_bytes() == place.contents[name] for name in NAMES)
    features = json.loads((folder / "search.json").read_text())["features"]
    assert {one["properties"]["productIdentifier"] for one in features} == NAMES


def test_extraction_leaves_folders_alone_in_the_folder_that_is_named(folder):
    code = main([*TOULOUSE, "-a", "peps.txt", "-w", "out", "-x", "--json", "found.json"])

    assert code == 0
    assert {path.name for path in (folder / "out").iterdir()} == {f"{one}.SAFE" for one in NAMES}
    assert (folder / "found.json").is_file()


def test_what_is_there_as_zip_or_folder_is_left_alone(place, folder):
    (folder / f"{title(0)}.SAFE").mkdir()
    assert main([*TOULOUSE, "-a", "peps.txt"]) == 0
    assert zips(folder) == NAMES - {title(0)}
    place.faults.seen.clear()
    assert main([*TOULOUSE, "-a", "peps.txt"]) == 0
    assert place.faults.seen == []


def test_no_download_lists_products_without_credentials(folder, capsys):
    assert main([*TOULOUSE, "-a", "peps.txt", "-n"]) == 0

    out = capsys.readouterr().out
    assert {line.split()[0] for line in out.splitlines()} == NAMES
    assert "secret" not in out
    assert zips(folder) == set()


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ([*TOULOUSE, "--sat", "S1B"], 5),
        ([*TOULOUSE, "-p", "SLC"], 5),
        ([*TOULOUSE, "-f", "2021-08-01"], 5),
        ([*TOULOUSE, "--sat", "S2A"], 2),
        ([*TOULOUSE, "-l", "Toulouse"], 2),
        (["-c", "S1"], 2),
        (["-c", "S2ST", "-t", "Toulouse"], 2),
        ([], 2),
    ],
)
def test_what_selects_nothing_or_makes_no_sense_is_told(folder, options, code):
    assert main(options) == code
    assert zips(folder) == set()


def test_a_readable_file_of_credentials_is_used_with_a_warning(folder, capsys):
    (folder / "peps.txt").chmod(0o644)
    assert main([*TOULOUSE, "-a", "peps.txt", "-n"]) == 0
    assert "chmod 600 peps.txt" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["", "ada@example.org\n"])
def test_a_file_without_credentials_is_told(folder, content, capsys):
    (folder / "peps.txt").write_text(content)
    assert main([*TOULOUSE, "-a", "peps.txt"]) == 4
    assert "address and a password" in capsys.readouterr().err


def test_a_missing_file_of_credentials_is_told(folder):
    assert main([*TOULOUSE, "-a", "none.txt"]) == 1


@pytest.mark.parametrize(
    ("name", "shown", "orbit"),
    [
        ("S1A_IW_GRDH_1SDV_20210809T173953", {"platform": "S1A", "orbitNumber": 39156}, 59),
        ("S1B_IW_GRDH_1SDV_20210811T174000", {"platform": "S1B", "orbitNumber": 28185}, 159),
        ("S1C_IW", {"platform": "S1C", "orbitNumber": 3000, "relativeOrbitNumber": 30}, 30),
        ("S2A_MSIL1C_20200815T005251_N0209_R002_T55PDR_20200815T023440", {}, 2),
        ("S3A_OL", {}, None),
    ],
)
def test_relative_orbits_are_those_of_the_satellites(name, shown, orbit):
    product = Product("1", name, name[:2], "disk", "http://h/", properties=shown)
    assert relative_orbit(product) == orbit


def test_products_of_another_orbit_are_left_out(folder):
    assert main([*TOULOUSE, "-o", "60", "-n"]) == 5
