"""Identifiers, times and titles of products, a column of them at once."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from catalog_db.catalogue.product import NAMESPACE

_US = 1_000_000


def uids(collections: list[str], titles: list[str]) -> list[bytes]:
    """Return version 5 uuids (RFC 4122, 4.3), as bytes."""
    start = hashlib.sha1(NAMESPACE.bytes, usedforsecurity=False)
    digests = []
    for collection, title in zip(collections, titles, strict=True):
        digest = start.copy()
        digest.update(f"{collection}:{title}".encode())
        digests.append(digest.digest())
    table = np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 20)[:, :16].copy()
    table[:, 6] = table[:, 6] & 0x0F | 0x50
    table[:, 8] = table[:, 8] & 0x3F | 0x80
    content = table.tobytes()
    return [content[start : start + 16] for start in range(0, len(content), 16)]


def compact_times(instants_us: NDArray[np.int64]) -> NDArray[np.bytes_]:
    """Return times as 20190816T052639."""
    text = np.datetime_as_string((instants_us // _US).astype("datetime64[s]"))
    letters = text.astype("S19").view("S1").reshape(-1, 19)
    kept = [0, 1, 2, 3, 5, 6, 8, 9, 10, 11, 12, 14, 15, 17, 18]
    return np.ascontiguousarray(letters[:, kept]).view("S15").ravel()


def digits(numbers: NDArray[np.int64], width: int, base: int) -> NDArray[np.bytes_]:
    """Return numbers with leading zeros."""
    powers = base ** np.arange(width - 1, -1, -1)
    values = numbers[:, None] // powers % base
    alphabet = np.frombuffer(b"0123456789ABCDEF", np.uint8)
    return np.ascontiguousarray(alphabet[values]).view(f"S{width}").ravel()


def joined(*parts: NDArray[np.bytes_] | bytes) -> NDArray[np.bytes_]:
    """Return texts put together, each part of one width."""
    number = max(len(part) for part in parts if isinstance(part, np.ndarray))
    columns = []
    for part in parts:
        whole = np.full(number, part) if isinstance(part, bytes) else part
        columns.append(np.ascontiguousarray(whole).view(np.uint8).reshape(number, whole.itemsize))
    table = np.concatenate(columns, axis=1)
    return table.view(f"S{table.shape[1]}").ravel()
