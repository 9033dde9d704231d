"""The fields extension: which members of an item a client wants."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from peps_wps.web.problem import ProblemError

Json = dict[str, Any]

# What an item holds when nothing is named (STAC API - Fields, 1.0.0).
_USUAL = (
    "type",
    "stac_version",
    "stac_extensions",
    "id",
    "collection",
    "geometry",
    "bbox",
    "links",
    "assets",
    "properties.datetime",
)
# What says which item of what it is.
_ALWAYS = ("type", "stac_version", "id", "collection")
_MOST = 200


@dataclass(frozen=True)
class Selection:
    """Paths that are wanted, all when None, and paths that are not.

    A longer path beats a shorter one: all properties but one, or one property of an item that
    shall have none. Of the same path wanted and not wanted, it is wanted.
    """

    include: tuple[str, ...] | None
    exclude: tuple[str, ...]

    def of(self, item: Json) -> Json:
        """Return the item with what is wanted only; `item` stays as it is."""
        if self.include is None:
            chosen = copy.copy(item)
        else:
            chosen = {}
            for path in sorted({*self.include, *_ALWAYS}, key=_depth):
                _copy_path(item, chosen, path.split("."))
        included = self.include or ()
        for path in sorted({*self.exclude} - {*included, *_ALWAYS}, key=_depth):
            _drop(chosen, path.split("."))
            for name in included:
                if name.startswith(f"{path}."):
                    _copy_path(item, chosen, name.split("."))
        return chosen


def read_names(text: str) -> Selection:
    """Read the parameter of a GET: names, ``-`` before what is not wanted, ``+`` or nothing."""
    # A plus sign in a query string may arrive as a blank.
    names = [name.strip() for name in text.split(",") if name.strip()]
    include = tuple(name.removeprefix("+") for name in names if not name.startswith("-"))
    exclude = tuple(name[1:] for name in names if name.startswith("-"))
    return _selection(include or (None if exclude else _USUAL), exclude)


def read_object(document: object) -> Selection:
    """Read the member of a POST: ``{"include": [...], "exclude": [...]}``."""
    if not isinstance(document, Mapping):
        raise ProblemError(400, "fields is an object with include and exclude", locator="fields")
    include, exclude = _names(document, "include"), _names(document, "exclude")
    if exclude and "include" not in document:
        # Without a word on what to include all is wanted but what is excluded.
        return _selection(None, exclude)
    usual = tuple(name for name in _USUAL if name not in exclude)
    return _selection(include or usual, exclude)


def _selection(include: tuple[str, ...] | None, exclude: tuple[str, ...]) -> Selection:
    if len(include or ()) + len(exclude) > _MOST:
        raise ProblemError(400, f"fields names more than {_MOST} members", locator="fields")
    return Selection(include, exclude)


def _names(document: Mapping[str, Any], side: str) -> tuple[str, ...]:
    names = document.get(side)
    if names is None:
        return ()
    is_list = isinstance(names, Sequence) and not isinstance(names, str)
    if not is_list or not all(isinstance(name, str) for name in names):
        raise ProblemError(400, f"fields {side} is a list of names", locator="fields")
    return tuple(names)


def _depth(path: str) -> tuple[int, str]:
    return path.count("."), path


def _copy_path(source: Json, target: Json, path: Sequence[str]) -> None:
    """Copy what is at a path, its parents made where they are missing."""
    for name in path[:-1]:
        if not isinstance(source, Mapping) or name not in source:
            return
        source = source[name]
        target = target.setdefault(name, {})
    if isinstance(source, Mapping) and path[-1] in source:
        value = source[path[-1]]
        target[path[-1]] = copy.copy(value) if isinstance(value, dict) else value


def _drop(target: Json, path: Sequence[str]) -> None:
    """Take out what is at a path; parents are copied, for others hold them too."""
    for name in path[:-1]:
        inner = target.get(name)
        if not isinstance(inner, dict):
            return
        target[name] = target = copy.copy(inner)
    target.pop(path[-1], None)
