"""A file that is being received: what came so far outlives the program, and is taken up again.

Beside ``<name>`` there are ``<name>.part`` with the bytes and ``<name>.part.from`` with what the
server calls the state of the file that they are of, for ``If-Range`` (RFC 9110, section 13.1.5).
"""

import fcntl
import hashlib
import os
import zlib
from io import FileIO
from pathlib import Path
from typing import Protocol, Self

from peps_wps.client.errors import ClientError, WrongBytesError
from storage.part_file import chunks_of, make_folder, sync_folder


class Digest(Protocol):
    """What `hashlib` makes, as far as it is used here."""

    def update(self, data: bytes | memoryview, /) -> None:
        """Take bytes in."""

    def hexdigest(self) -> str:
        """Return the checksum of the bytes so far."""


class _Adler32:
    """The checksum of grid storage (RFC 1950), as `hashlib` would have it."""

    def __init__(self) -> None:
        self._value = 1

    def update(self, data: bytes | memoryview, /) -> None:
        self._value = zlib.adler32(data, self._value)

    def hexdigest(self) -> str:
        return f"{self._value:08x}"


def new_digest(algorithm: str | None) -> Digest | None:
    """Return what computes a checksum such as ``SHA-256`` or ``MD5``; None where it is unknown."""
    name = (algorithm or "").lower().replace("-", "")
    if name == "adler32":
        return _Adler32()
    if name not in ("md5", "sha1", "sha256", "sha384", "sha512"):
        return None
    return hashlib.new(name, usedforsecurity=False)


class Part:
    """The file while it is received; locked, so that no two programs write it.

    Parameters
    ----------
    destination
        The name that it gets when it is whole.
    algorithm
        Of the checksum that will be verified, None without one.
    """

    def __init__(self, destination: Path, algorithm: str | None) -> None:
        self._destination = destination
        self._algorithm = algorithm
        self.path = destination.with_name(f"{destination.name}.part")
        self._note = destination.with_name(f"{destination.name}.part.from")
        self._is_removed = False

    def __enter__(self) -> Self:
        make_folder(self._destination.parent.absolute())
        self._stream = _open_locked(self.path)
        try:
            self._digest = new_digest(self._algorithm)
            for chunk in chunks_of(self._stream):
                if self._digest is not None:
                    self._digest.update(chunk)
            self.size_bytes = self._stream.tell()
        except BaseException:
            self._stream.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self.size_bytes == 0 and not self._is_removed:
            self.remove()
        self._stream.close()

    @property
    def validator(self) -> str | None:
        """What the server called the state of the file that these bytes are of."""
        try:
            return self._note.read_text(encoding="latin-1") or None
        except FileNotFoundError:
            return None

    def begin(self, validator: str | None) -> None:
        """Throw away what is there; what comes now is of the state that `validator` names."""
        self._stream.seek(0)
        self._stream.truncate()
        self._digest = new_digest(self._algorithm)
        self.size_bytes = 0
        if validator is None:
            self._note.unlink(missing_ok=True)
        else:
            self._note.write_text(validator, encoding="latin-1")

    def write(self, chunk: bytes) -> None:
        """Append bytes."""
        rest = memoryview(chunk)
        while rest:
            rest = rest[self._stream.write(rest) :]
        if self._digest is not None:
            self._digest.update(chunk)
        self.size_bytes += len(chunk)

    def verify(self, size_bytes: int | None, checksum: str | None) -> None:
        """Raise `WrongBytesError` unless size and checksum, where they are known, are right."""
        if size_bytes is not None and self.size_bytes != size_bytes:
            raise WrongBytesError(f"{self.size_bytes} bytes came, {size_bytes} are expected")
        if self._digest is None or checksum is None:
            return
        if (found := self._digest.hexdigest()) != checksum:
            raise WrongBytesError(
                f"the {self._algorithm} of what came is {found}, {checksum} is expected"
            )

    def publish(self) -> None:
        """Force the bytes to disk and give them their name."""
        self.settle()
        self.path.replace(self._destination)
        self._is_removed = True
        self._note.unlink(missing_ok=True)
        sync_folder(self._destination.parent)

    def settle(self) -> None:
        """Force the bytes to disk."""
        self._stream.flush()
        os.fsync(self._stream.fileno())

    def remove(self) -> None:
        """Throw it away."""
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)
        self._is_removed = True


def _open_locked(path: Path) -> FileIO:
    """Open a part for appending, at its beginning; nobody else may have it open."""
    stream = path.open("a+b", buffering=0)
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        stream.close()
        raise ClientError(f"another program is receiving {path}") from None
    stream.seek(0)
    return stream
