"""Bodies in JSON: what one reader could take for another document is refused."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug import Request
from werkzeug.test import EnvironBuilder

from peps_wps.web.json_body import DEEPEST, LARGEST_INTEGER, parse_json, read_json
from peps_wps.web.problem import ProblemError

# What XML 1.0 and databases carry, which every view of a job must.
TEXTS = st.text(
    st.characters(min_codepoint=0x20, exclude_categories=("Cs",), exclude_characters="\ufffe\uffff")
)
NUMBERS = st.integers(-LARGEST_INTEGER, LARGEST_INTEGER) | st.floats(
    allow_nan=False, allow_infinity=False
)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_json_comes_back_as_another_writer_wrote_it(value: Any) -> None:
    assert parse_json(json.dumps(value).encode()) == value


def test_a_name_given_twice_is_found_among_a_hundred_thousand() -> None:
    names = ",".join(f'"{number}":0' for number in range(100_000))

    # Comparing each with each would take minutes: the limit of time of a test is the measure.
    with pytest.raises(ProblemError) as refused:
        parse_json(f'{{{names},"99999":0}}'.encode())

    assert refused.value.locator == "99999"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{'a': 1}",
        b'{"a": 1,}',
        b'{"a": 1} x',
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": 1, "b": 1}}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": 9007199254740992}',
        b'{"a": ' + b"9" * 100_000 + b"}",
        b'{"a": "\xff"}',
        b'{"a": "\xed\xa0\x80"}',
        rb'{"a": "\ud800"}',
        rb'{"a": "\u0000"}',
        rb'{"\u0008": 1}',
        b'\xef\xbb\xbf{"a": 1}',
        '{"a": 1}'.encode("utf-16"),
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1),
    ],
)
def test_a_doubtful_document_is_refused(body: bytes) -> None:
    with pytest.raises(ProblemError) as refused:
        parse_json(body)

    assert refused.value.status == 400
    assert len(refused.value.detail) < 200


def test_nesting_is_taken_up_to_its_limit() -> None:
    body = b"[" * DEEPEST + b"]" * DEEPEST

    assert json.dumps(parse_json(body)) == body.decode()


@given(st.binary(max_size=200))
def test_any_bytes_are_json_or_a_problem(body: bytes) -> None:
    with contextlib.suppress(ProblemError):
        parse_json(body)


@pytest.mark.parametrize("sent", ["", "text/plain", "application/x-www-form-urlencoded"])
def test_another_media_type_is_refused_unread(sent: str) -> None:
    request = Request(EnvironBuilder(method="POST", data=b"{}", content_type=sent).get_environ())

    with pytest.raises(ProblemError, match="application/json") as refused:
        read_json(request)
    assert refused.value.status == 415


@pytest.mark.parametrize("sent", ["application/json; charset=utf-8", "application/geo+json"])
def test_json_under_its_names_is_read(sent: str) -> None:
    request = Request(EnvironBuilder(method="POST", data=b"{}", content_type=sent).get_environ())

    assert read_json(request) == {}
