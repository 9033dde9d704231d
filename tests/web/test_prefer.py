"""The Prefer header, with the examples of RFC 7240 and what servers join."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peps_wps.web.prefer import Preferences


@pytest.mark.parametrize(
    ("headers", "respond_async", "wait_s"),
    [
        ([], False, None),
        ([""], False, None),
        (["respond-async"], True, None),
        (["Respond-Async"], True, None),
        (["respond-async, wait=10"], True, 10),
        (["respond-async", "wait=10"], True, 10),
        (["wait=10;x=1, respond-async;y"], True, 10),
        (['foo; bar="a, respond-async"'], False, None),
        (['foo="respond-async, wait=3", wait=4'], False, 4),
        (['return=minimal; foo="some parameter", wait = 5'], False, 5),
        (['wait="7"'], False, 7),
        (["wait=1, wait=2"], False, 1),
        (["wait=-1"], False, None),
        (["wait=1.5"], False, None),
        (["wait=soon"], False, None),
        (["wait"], False, None),
        (["wait=99999999999"], False, None),
        (["handling=lenient,, respond-async"], True, None),
        (["priority=5"], False, None),
    ],
)
def test_preferences(headers: list[str], respond_async: bool, wait_s: int | None) -> None:
    assert Preferences.parse(headers) == Preferences(respond_async, wait_s)


@given(st.lists(st.text(alphabet='respond-async,wait="; =\\0123', max_size=300), max_size=4))
def test_any_header_is_read_at_once(headers: list[str]) -> None:
    found = Preferences.parse(headers)

    assert found.wait_s is None or found.wait_s >= 0


def test_a_hostile_header_takes_no_time() -> None:
    assert Preferences.parse(["a=" + '"\\' * 100_000]) == Preferences()
    assert Preferences.parse(["=" * 100_000]) == Preferences()
    assert Preferences.parse([" " * 100_000 + "x"]) == Preferences()
    # As long as is read: a hundred of them, which are one each where time grows with the cube.
    for _ in range(100):
        assert Preferences.parse(["a" * 999 + '"']) == Preferences()
