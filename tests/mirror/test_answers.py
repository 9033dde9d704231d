"""Answers of hubs that are wrong: refused by name, or taken for what they can be taken for."""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog_db.mirroring.mirror_announcing import NO_CHECKSUM
from peps_wps.mirror import answers
from peps_wps.mirror.errors import HubAnswerError

ENTRY = {
    "Id": "a8dd0cfd-613e-45ce-868c-d79177b916ed",
    "Name": "S1A_IW_GRDH_1SDV_20210809T173953_20210809T174018_039156_049F13_6FF8.SAFE",
    "ContentLength": 1_000_000_000,
    "PublicationDate": "2021-08-09T20:00:00.123456Z",
    "ModificationDate": "2021-08-10T20:00:00Z",
    "Checksum": [
        {"Value": "00" * 32, "Algorithm": "BLAKE3"},
        {"Value": "D41D8CD98F00B204E9800998ECF8427E", "Algorithm": "MD5"},
    ],
}


def test_a_product_is_read_as_the_documentation_has_it() -> None:
    found = answers.announcement_of(ENTRY, "SENTINEL-1")
    assert found.name.endswith("_6FF8")
    assert found.checksum == "d41d8cd98f00b204e9800998ecf8427e"
    assert found.published == datetime(2021, 8, 9, 20, 0, 0, 123456, UTC)
    assert found.modified == datetime(2021, 8, 10, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("Id", "../../etc", "Id of an entry is none"),
        ("Id", None, "Id of an entry is none"),
        ("Name", "../S1A.SAFE", "Name of"),
        ("Name", 7, "Name of"),
        ("PublicationDate", "2021-08-09T20:00:00", "is no time"),
        ("PublicationDate", "yesterday", "is no time"),
        ("PublicationDate", None, "is no time"),
    ],
)
def test_an_entry_that_cannot_be_followed_is_refused(key: str, value: object, message: str) -> None:
    with pytest.raises(HubAnswerError, match=message):
        answers.announcement_of({**ENTRY, key: value}, "SENTINEL-1")


@pytest.mark.parametrize(
    "change",
    [
        {"Checksum": []},
        {"Checksum": None},
        {"Checksum": [{"Algorithm": "MD5", "Value": "short"}]},
        {"ContentLength": 0},
        {"ContentLength": "many"},
        {"ContentLength": 2**60},
    ],
)
def test_what_cannot_be_verified_is_not_for_fetching(change: dict[str, Any]) -> None:
    assert answers.announcement_of({**ENTRY, **change}, "SENTINEL-1").checksum is None
    assert "MD5" in NO_CHECKSUM


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"text"', b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_document_is_refused(body: bytes) -> None:
    with pytest.raises(HubAnswerError):
        answers.read_answer(iter([body]))


def test_an_answer_is_read_no_further_than_one_can_be_long() -> None:
    def endless() -> Any:
        while True:
            yield bytes(2**20)

    with pytest.raises(HubAnswerError, match="more than"):
        answers.read_answer(endless())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=3,
)
READERS: list[Callable[[dict[str, Any]], object]] = [
    lambda entry: answers.announcement_of(entry, "SENTINEL-1"),
    answers.deletion_of,
    answers.entries_of,
    answers.count_of,
]


@given(
    st.sampled_from(READERS),
    st.dictionaries(st.sampled_from([*ENTRY, "value"]), JSON, max_size=3),
)
def test_any_entry_is_read_or_refused(
    read: Callable[[dict[str, Any]], object], change: dict[str, Any]
) -> None:
    entry = answers.read_answer(iter([json.dumps({**ENTRY, **change}).encode()]))
    with suppress(HubAnswerError):
        read(entry)


@pytest.mark.parametrize(
    ("cause", "is_corrupt"),
    [
        ("Corrupted product", True),
        ("Missing checksum", True),
        ("Duplicated product", False),
        ("Obsolete product", False),
        (None, False),
    ],
)
def test_causes_of_deletions(cause: str | None, is_corrupt: bool) -> None:
    entry = {"Id": "x", "DeletionDate": "2021-08-10T20:00:00Z", "DeletionCause": cause}
    assert answers.deletion_of(entry).is_corrupt is is_corrupt
