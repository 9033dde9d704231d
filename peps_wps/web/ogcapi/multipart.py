"""``multipart/related`` messages (RFC 2387): several results in one answer, files unread before."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from werkzeug import Response

_BLOCK_BYTES = 1 << 16


@dataclass(frozen=True)
class Part:
    """One part of a message.

    Parameters
    ----------
    name
        ``Content-ID``, the identifier of the output.
    media_type
        Of the content.
    content
        Bytes, or the file that holds them.
    location
        Where the content is, when the part does not carry it.
    """

    name: str
    media_type: str
    content: bytes | Path = b""
    location: str = ""

    def head(self) -> bytes:
        """Return the headers of the part and the empty line below them."""
        lines = [f"Content-Type: {self.media_type}", f"Content-ID: {self.name}"]
        if self.location:
            lines.append(f"Content-Location: {self.location}")
        return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()

    def blocks(self) -> Iterator[bytes]:
        """Yield the content."""
        if isinstance(self.content, bytes):
            yield self.content
            return
        with self.content.open("rb") as stream:
            while block := stream.read(_BLOCK_BYTES):
                yield block


def multipart_response(parts: Sequence[Part]) -> Response:
    """Return parts, one at least, as a message of the type of the first (RFC 2387, section 3.1)."""
    boundary = f"peps-{secrets.token_hex(16)}"
    kind = parts[0].media_type.partition(";")[0]
    content_type = f'multipart/related; boundary="{boundary}"; type="{kind}"'
    return Response(
        _message(parts, boundary.encode("ascii")),
        content_type=content_type,
        headers={"Cache-Control": "no-store"},
    )


def _message(parts: Sequence[Part], boundary: bytes) -> Iterator[bytes]:
    for part in parts:
        yield b"--" + boundary + b"\r\n" + part.head()
        yield from part.blocks()
        yield b"\r\n"
    yield b"--" + boundary + b"--\r\n"
