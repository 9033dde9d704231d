"""What a folder of the datalake shows, and how: as Apache's mod_autoindex writes it, or as JSON.

Names, columns, sorting by ``?C=M;O=D``, sizes and times have the form that years of scripts read;
times are UTC.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC
from html import escape
from typing import Any
from urllib.parse import quote

from catalog_db import times
from peps_wps.datalake.view import Seen

# Column -> title and the order that a first click asks for.
_COLUMNS = {"N": "Name", "M": "Last modified", "S": "Size"}
_SORTED_BY: dict[str, Callable[[Seen], tuple[Any, ...]]] = {
    "N": lambda entry: (entry.name,),
    "M": lambda entry: (entry.modified, entry.name),
    "S": lambda entry: (-1 if entry.is_folder else entry.size_bytes, entry.name),
}
_IMAGE = ".tif"
# A number of three digits at most stands before each unit.
_UNITS = "KMGTPE"
_LARGEST = 973
_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Cpath fill='{fill}' stroke='%23555' d='{outline}'/%3E%3C/svg%3E"
)
_FOLDER = _ICON.format(fill="%23f4d27a", outline="M1 3h5l1 2h8v9H1z")
_FILE = _ICON.format(fill="%23fff", outline="M3 1h7l3 3v11H3z")
_BACK = _ICON.format(fill="%23fff", outline="M9 3v3h5v4H9v3L3 8z")
# Words for text browsers and scripts, pictures for people.
_STYLE = f"""
 table {{ border-spacing: 6px 1px }}
 td.icon {{ width: 18px; font-size: 0; background: no-repeat center / 16px }}
 td.folder {{ background-image: url("{_FOLDER}") }}
 td.file {{ background-image: url("{_FILE}") }}
 td.back {{ background-image: url("{_BACK}") }}
"""


@dataclass(frozen=True)
class Order:
    """How entries are sorted: by a column, N, M or S, rising or falling."""

    column: str = "N"
    is_falling: bool = False

    @classmethod
    def of(cls, query: str) -> "Order":
        """Return the order that a query asks for: ``C=M;O=D``; of others, that by name."""
        given = dict(pair.partition("=")[::2] for pair in re.split("[;&]", query))
        column = given.get("C", "N")
        return cls(column if column in _COLUMNS else "N", given.get("O") == "D")

    def sorted(self, entries: Sequence[Seen]) -> list[Seen]:
        """Return the entries in this order; equal ones by their names."""
        return sorted(entries, key=_SORTED_BY[self.column], reverse=self.is_falling)


def page(address: str, entries: Sequence[Seen], order: Order) -> str:
    """Return the page of a folder.

    Parameters
    ----------
    address
        Its path on the server, with a slash at its end.
    entries
        What it shows, in any order.
    order
        How they are sorted.
    """
    title = f"Index of {escape(address.rstrip('/'))}"
    rule = '   <tr><th colspan="4"><hr></th></tr>'
    rows = [_row(entry) for entry in order.sorted(entries)]
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html>\n <head>\n  <meta charset="utf-8">',
            f"  <title>{title}</title>\n  <style>{_STYLE}</style>\n </head>\n <body>",
            f"<h1>{title}</h1>\n  <table>\n   <tr><th></th>{_heads(order)}</tr>",
            rule,
            _parent(address),
            *rows,
            rule,
            "</table>\n</body></html>\n",
        ]
    )


def document(
    address: str, entries: Sequence[Seen], order: Order, map_of: Callable[[str], str]
) -> dict[str, object]:
    """Return the same as a JSON document; `map_of` gives the address of the map of an image."""
    listed = []
    for entry in order.sorted(entries):
        said: dict[str, object] = {
            "name": entry.name,
            "type": "directory" if entry.is_folder else "file",
            "href": _href(entry),
            "modified": times.to_text(entry.modified),
        }
        if not entry.is_folder:
            said |= {"size": entry.size_bytes}
        if entry.sha256 is not None:
            said |= {"sha256": entry.sha256}
        if entry.name.endswith(_IMAGE) and not entry.is_folder:
            said |= {"map": map_of(entry.name)}
        listed.append(said)
    return {"path": address, "entries": listed}


def size_text(size_bytes: int) -> str:
    """Return a size in four characters: ``973`` bytes and more are ``1.0K``, then ``1.8G``."""
    if size_bytes < _LARGEST:
        return f"{size_bytes:3d} "
    value = float(size_bytes)
    for unit in _UNITS:
        value /= 1024
        if value < 9.95:
            return f"{value:.1f}{unit}"
        if value < _LARGEST:
            return f"{value:3.0f}{unit}"
    return f"{value:.0f}{_UNITS[-1]}"


def _heads(order: Order) -> str:
    """Return the heads of the columns; that in use asks for the other order."""
    return "".join(
        f'<th><a href="?C={column};O={_next(order, column)}">{title}</a></th>'
        for column, title in _COLUMNS.items()
    )


def _next(order: Order, column: str) -> str:
    return "D" if column == order.column and not order.is_falling else "A"


def _parent(address: str) -> str:
    above = address.rstrip("/").rpartition("/")[0] + "/"
    return (
        '<tr><td valign="top" class="icon back">[PARENTDIR]</td>'
        f'<td><a href="{quote(above)}">Parent Directory</a></td>'
        '<td>&nbsp;</td><td align="right">  - </td></tr>'
    )


def _row(entry: Seen) -> str:
    kind, word = ("folder", "[DIR]") if entry.is_folder else ("file", "[   ]")
    name = f"{entry.name}/" if entry.is_folder else entry.name
    size = "  - " if entry.is_folder else size_text(entry.size_bytes)
    when = entry.modified.astimezone(UTC)
    return (
        f'<tr><td valign="top" class="icon {kind}">{word}</td>'
        f'<td><a href="{_href(entry)}">{escape(name)}</a></td>'
        f'<td align="right">{when:%Y-%m-%d %H:%M}  </td><td align="right">{size}</td></tr>'
    )


def _href(entry: Seen) -> str:
    """Return the relative address."""
    return quote(entry.name) + ("/" if entry.is_folder else "")
