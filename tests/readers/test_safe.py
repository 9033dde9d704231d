"""Broken and hostile products are refused in one sentence."""

import re
import zipfile
from pathlib import Path

import pytest

from peps_wps.errors import SafeError
from peps_wps.readers import safe as safe_module
from peps_wps.readers.manifest import parse_manifest
from peps_wps.readers.safe import Safe
from peps_wps.readers.xml_document import parse_xml
from tests.readers.safe_builder import TITLE, SafeRecipe, write_folder, zip_folder

# What PyWPS lets through of a message.
ALLOWED = re.compile(r"[A-Za-z0-9 .:!?=,;_/-]{1,300}")


def refusal(path: Path) -> str:
    with pytest.raises(SafeError) as caught:
        _ = Safe.open(path).manifest
    assert ALLOWED.fullmatch(str(caught.value)), str(caught.value)
    return str(caught.value)


def zip_of(path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, compression)
    return path


@pytest.fixture
def recipe() -> SafeRecipe:
    return SafeRecipe()


def test_folder_and_zip_say_the_same(recipe: SafeRecipe, tmp_path: Path) -> None:
    folder = write_folder(recipe, tmp_path)
    archive = zip_folder(folder, tmp_path / "anything.zip", zipfile.ZIP_DEFLATED)
    for safe in (Safe.open(folder), Safe.open(archive)):
        assert safe.title == TITLE
        assert safe.names() == ["manifest.safe"]
        assert safe.read("manifest.safe") == (folder / "manifest.safe").read_bytes()
        assert safe.manifest.relative_orbit == 59


def test_a_zip_without_a_folder_is_named_after_its_file(recipe: SafeRecipe, tmp_path: Path) -> None:
    manifest = (write_folder(recipe, tmp_path) / "manifest.safe").read_bytes()
    path = zip_of(tmp_path / f"{TITLE}.SAFE.zip", {"manifest.safe": manifest})
    assert Safe.open(path).title == TITLE


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "a/../../b", "a\\..\\b", "c:/x"])
def test_names_that_leave_the_product_are_refused(tmp_path: Path, name: str) -> None:
    path = zip_of(tmp_path / "p.zip", {"X.SAFE/manifest.safe": b"<a/>", name: b"x"})
    assert "unsafe name" in refusal(path)


def test_a_link_out_of_the_product_is_refused(recipe: SafeRecipe, tmp_path: Path) -> None:
    folder = write_folder(recipe, tmp_path)
    (tmp_path / "secret").write_text("secret")
    (folder / "annotation" / "x.xml").symlink_to(tmp_path / "secret")
    assert "links out of the product" in refusal(folder)


def test_a_manifest_that_expands_too_far_is_refused(tmp_path: Path) -> None:
    huge = b" " * (safe_module.METADATA_LIMIT + 1)
    path = zip_of(tmp_path / "p.zip", {"X.SAFE/manifest.safe": huge}, zipfile.ZIP_DEFLATED)
    assert "at most 67108864 expected" in refusal(path)


def test_an_archive_that_expands_beyond_reason_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(safe_module, "RATIO_FROM", 2**20)
    members = {"X.SAFE/manifest.safe": b"<a/>", "X.SAFE/measurement/a.tiff": b"\0" * 2**22}
    path = zip_of(tmp_path / "p.zip", members, zipfile.ZIP_DEFLATED)
    assert re.search(r"expands \d+ times, at most 200 times expected", refusal(path))


def test_an_archive_of_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    members = {"X.SAFE/manifest.safe": b"<a/>", "X.SAFE/b": b"\0" * 100}
    path = zip_of(tmp_path / "p.zip", members)
    monkeypatch.setattr(safe_module, "PRODUCT_LIMIT", 100)
    assert refusal(path) == "p.zip expands to 104 bytes, at most 100 expected"
    monkeypatch.setattr(safe_module, "MEMBER_LIMIT", 1)
    assert refusal(path) == "p.zip holds 2 files, at most 1 expected"


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "p.zip", {"X.SAFE/manifest.safe": b"<a/>"})
    data = bytearray(path.read_bytes())
    entry = data.index(b"PK\x01\x02")
    data[entry + 8] |= 1
    path.write_bytes(data)
    assert refusal(path) == "p.zip is encrypted"


def test_a_member_larger_than_it_says_is_not_read_further(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "p.zip", {"X.SAFE/manifest.safe": b"<a>" + b" " * 500}, 8)
    data = bytearray(path.read_bytes())
    entry = data.index(b"PK\x01\x02")
    data[entry + 24 : entry + 28] = (100).to_bytes(4, "little")  # the size in the directory
    path.write_bytes(data)
    assert "is damaged: checksum" in refusal(path)


def test_a_broken_zip_is_refused(recipe: SafeRecipe, tmp_path: Path) -> None:
    path = zip_folder(write_folder(recipe, tmp_path), tmp_path / "p(1).zip")
    path.write_bytes(path.read_bytes()[:-30])
    assert refusal(path) == "p_1_.zip is not a readable zip file"


def test_what_is_no_product_is_refused(tmp_path: Path) -> None:
    assert "is neither a SAFE folder nor a zip file" in refusal(tmp_path / "absent")
    assert "has no manifest.safe" in refusal(tmp_path)
    assert "has no manifest.safe" in refusal(zip_of(tmp_path / "p.zip", {"a/b": b""}))


def test_two_products_in_one_zip_are_refused(tmp_path: Path) -> None:
    members = {"A.SAFE/manifest.safe": b"<a/>", "B.SAFE/manifest.safe": b"<a/>"}
    assert "holds 2 products, 1 expected" in refusal(zip_of(tmp_path / "p.zip", members))


def test_an_unknown_compression_is_refused(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "p.zip", {"X.SAFE/manifest.safe": b"<a/>"}, zipfile.ZIP_LZMA)
    assert "compressed by method 14, stored or deflated expected" in refusal(path)


@pytest.mark.parametrize(
    "text",
    [
        b"<a><b></a>",
        b"",
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        b'<!DOCTYPE a [<!ENTITY x "y"><!ENTITY z "&x;&x;&x;">]><a>&z;</a>',
    ],
)
def test_xml_that_is_broken_or_declares_entities_is_refused(text: bytes) -> None:
    with pytest.raises(SafeError, match=r"an\.xml"):
        parse_xml(text, "an.xml")


@pytest.mark.parametrize(
    ("found", "instead", "message"),
    [
        ("SENTINEL-1<", "SENTINEL-2<", "is not a Sentinel-1 product"),
        ("46.0,1.5", "46.0;1.5", "malformed footprint"),
        ("46.0,1.5", "946.0,1.5", "outside the Earth"),
        ("46.0,1.5", "nan,1.5", "outside the Earth"),
        ("302867", "many", "no integer in missionDataTakeID"),
        ("2021-08-09T17:39:53.153776", "yesterday", "malformed time"),
        ("Polarisation>VV<", "Polarisation>XX<", "names no polarisation"),
    ],
)
def test_a_manifest_with_nonsense_is_refused(
    recipe: SafeRecipe, tmp_path: Path, found: str, instead: str, message: str
) -> None:
    text = (write_folder(recipe, tmp_path) / "manifest.safe").read_text()
    assert found in text
    with pytest.raises(SafeError, match=message) as caught:
        parse_manifest(text.replace(found, instead).encode(), TITLE)
    assert ALLOWED.fullmatch(str(caught.value)), str(caught.value)


def test_a_footprint_across_the_antimeridian_runs_on_past_180() -> None:
    from tests.readers.safe_builder import manifest

    text = manifest(SafeRecipe(footprint="60.0,178.0 60.4,-178.0 59.0,-177.5 58.6,178.4"))
    footprint = parse_manifest(text.encode(), TITLE).footprint
    assert footprint.bounds == (178.0, 58.6, 182.5, 60.4)
