"""Answers of a source, checked: what is not as its interface says is refused by name.

Entities `Products` and `DeletedProducts` of the OData service of the Copernicus Data Space
Ecosystem (documentation.dataspace.copernicus.eu, APIs, OData).
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from catalog_db.mirroring.mirror_rows import Announcement, Deletion
from peps_wps.mirror.errors import HubAnswerError

_LONGEST_ANSWER = 64 * 2**20  # bytes; 1000 products have about 3 MB
_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.-]{0,190}")
_EXTENSION = re.compile(r"\.(SAFE|SEN3|zip)$")
_MD5 = re.compile(r"[0-9a-fA-F]{32}")
_LARGEST = 2**42  # bytes; the largest product is below 10 GB
_MOST_TEXT = 200
# Causes of a deletion that say that the product was no good (documentation, "DeletedProducts").
_IS_CORRUPT = re.compile("corrupt|checksum|damaged", re.IGNORECASE)


def read_answer(chunks: Iterator[bytes]) -> dict[str, Any]:
    """Return a JSON object, read no further than an answer can be long."""
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > _LONGEST_ANSWER:
            raise HubAnswerError(f"an answer has more than {_LONGEST_ANSWER} bytes")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise HubAnswerError(f"an answer of {len(body)} bytes is no JSON") from error
    if not isinstance(document, dict):
        raise HubAnswerError("an answer is no JSON object")
    return document


def entries_of(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the entries of a page."""
    entries = document.get("value")
    if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        raise HubAnswerError("an answer has no list of entries")
    return entries


def count_of(document: Mapping[str, Any]) -> int:
    """Return how many entries there are on all pages."""
    number = document.get("@odata.count")
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        raise HubAnswerError("an answer has no count")
    return number


def announcement_of(entry: Mapping[str, Any], collection: str) -> Announcement:
    """Return a product; one without size or MD5 is not for fetching, and says so."""
    size_bytes, checksum = entry.get("ContentLength"), _md5_of(entry.get("Checksum"))
    if not isinstance(size_bytes, int) or not 0 < size_bytes <= _LARGEST:
        size_bytes, checksum = 0, None
    published = time_of(entry, "PublicationDate")
    is_modified = isinstance(entry.get("ModificationDate"), str)
    return Announcement(
        hub_id=_identifier(entry),
        collection=collection,
        name=_name(entry),
        size_bytes=size_bytes,
        checksum=checksum,
        published=published,
        modified=time_of(entry, "ModificationDate") if is_modified else published,
    )


def deletion_of(entry: Mapping[str, Any]) -> Deletion:
    """Return a product that is gone."""
    cause = entry.get("DeletionCause")
    cause = cause[:_MOST_TEXT] if isinstance(cause, str) and cause else "no cause stated"
    return Deletion(
        hub_id=_identifier(entry),
        deleted=time_of(entry, "DeletionDate"),
        cause=cause,
        is_corrupt=_IS_CORRUPT.search(cause) is not None,
    )


def time_of(entry: Mapping[str, Any], key: str) -> datetime:
    """Return an instant; one without a zone is nobody's."""
    text = entry.get(key)
    try:
        instant = datetime.fromisoformat(text if isinstance(text, str) else "")
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise HubAnswerError(f"{key} of an entry is no time: {str(text)[:40]}")
    return instant.astimezone(UTC)


def _identifier(entry: Mapping[str, Any]) -> str:
    text = entry.get("Id")
    if not isinstance(text, str) or not _ID.fullmatch(text):
        raise HubAnswerError(f"Id of an entry is none: {str(text)[:40]}")
    return text


def _name(entry: Mapping[str, Any]) -> str:
    text = entry.get("Name")
    name = _EXTENSION.sub("", text) if isinstance(text, str) else ""
    if not _NAME.fullmatch(name):
        raise HubAnswerError(f"Name of {entry.get('Id')} is none: {str(text)[:40]}")
    return name


def _md5_of(checksums: object) -> str | None:
    for one in checksums if isinstance(checksums, list) else ():
        if isinstance(one, dict) and one.get("Algorithm") == "MD5":
            value = one.get("Value")
            if isinstance(value, str) and _MD5.fullmatch(value):
                return value.lower()
    return None
