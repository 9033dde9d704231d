"""XML of unknown origin neither fetches, expands nor crashes anything."""

import pytest

from peps_wps.xml_parsing import XmlError, read_xml

BOMB = b'<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><a>&c;</a>'
FILE = b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]><a>&b;</a>'


@pytest.mark.parametrize(
    "content",
    [b"", b"<a>", b"text", b"\0", b"<!DOCTYPE a><a/>", BOMB, FILE, b"<a>" * 300 + b"</a>" * 300],
)
def test_what_is_unsound_is_refused(content: bytes) -> None:
    with pytest.raises(XmlError):
        read_xml(content)


def test_comments_and_instructions_are_left_out() -> None:
    root = read_xml(b"<?one?><a><!-- two --><?three?><b/></a>")

    assert [child.tag for child in root] == ["b"]
