"""XML of unknown origin neither fetches, expands nor crashes anything."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from peps_wps.xml_parsing import XmlError, XmlLimits, read_xml

GENEROUS = XmlLimits(elements=100_000, attributes=100_000, depth=1000)
BOMB = b'<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><a>&c;</a>'
FILE = b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]><a>&b;</a>'


@pytest.mark.parametrize(
    "content",
    [b"", b"<a>", b"text", b"\0", b"<!DOCTYPE a><a/>", BOMB, FILE, b"<a>" * 300 + b"</a>" * 300],
)
def test_what_is_unsound_is_refused(content: bytes) -> None:
    for limits in (None, GENEROUS):
        with pytest.raises(XmlError):
            read_xml(content, limits)


def test_comments_and_instructions_are_left_out() -> None:
    root = read_xml(b"<?one?><a><!-- two --><?three?><b/></a>")

    assert [child.tag for child in root] == ["b"]


LIMITS = XmlLimits(elements=10, attributes=3, depth=5)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"<a>" + b"<b/>" * 10 + b"</a>", "elements"),
        (b"<a>" + b"<b/>" * 700_000, "elements"),
        (b"<a>" * 6 + b"</a>" * 6, "deeper"),
        (b'<a b="" c="" d="" e=""/>', "attributes"),
        (b"<a " + b" ".join(b'a%d=""' % number for number in range(100_000)) + b"/>", "attributes"),
        ("<a>" + "<b/>" * 10 + "</a>", "elements"),
    ],
)
def test_what_has_too_many_parts_is_refused(content: bytes | str, word: str) -> None:
    if isinstance(content, str):
        content = content.encode("utf-16")
    with pytest.raises(XmlError, match=word):
        read_xml(content, LIMITS)


@pytest.mark.parametrize(
    "content",
    [
        b"<a>" + b"<b/>" * 9 + b"</a>",
        b"<a>" * 5 + b"</a>" * 5,
        b'<a b="" c="" d="">' + b"x" * 200_000 + b"</a>",
        b"<a>" + b"<!---->" * 1000 + b"<?x?>" * 1000 + b"</a>",
    ],
)
def test_what_is_within_its_limits_is_read_as_without(content: bytes) -> None:
    assert etree.tostring(read_xml(content, LIMITS)) == etree.tostring(read_xml(content))


@given(st.binary(max_size=300) | st.text("<>/ab=\"' &;![]-?", max_size=60).map(str.encode))
def test_limits_change_nothing_but_what_is_beyond_them(content: bytes) -> None:
    try:
        expected = etree.tostring(read_xml(content))
    except XmlError:
        with pytest.raises(XmlError):
            read_xml(content, GENEROUS)
    else:
        assert etree.tostring(read_xml(content, GENEROUS)) == expected
