"""Values of settings: text as the file has it, read as the type of its key."""

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NewType, get_args, get_origin

from peps_wps.errors import ConfigError

# A folder, file, GDAL name or URL template; only a relative path is moved below `var`.
Source = NewType("Source", str)
DatabaseUrl = NewType("DatabaseUrl", str)

_SIZE_UNITS = {"": 1, "b": 1, "k": 2**10, "m": 2**20, "g": 2**30}


def size_in_bytes(size: str) -> int:
    """Return the bytes of a size such as ``3mb``, ``500 kb`` or ``1g`` (powers of 1024)."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmg]?)b?", size.strip().lower())
    if not match:
        raise ConfigError(f"{size} is not a size such as 500kb, 3mb or 1gb")
    return int(float(match[1]) * _SIZE_UNITS[match[2]])


def words(text: str) -> list[str]:
    """Return the words of a list such as ``S1_ORTHO, FULL_MAJA``."""
    return [word for part in text.split(",") if (word := part.strip())]


def read_value(kind: Any, text: str, var: Path) -> Any:
    """Return the value of one key; ValueError says what it should have been."""
    if get_origin(kind) is Literal:
        if text not in get_args(kind):
            raise ValueError("expected one of " + ", ".join(filter(None, get_args(kind))))
        return text
    return _READERS[kind](text, var)


def _read_integer(text: str, _var: Path) -> int:
    if not re.fullmatch(r"\d+", text):
        raise ValueError("expected a whole number, not negative")
    return int(text)


def _read_number(text: str, _var: Path) -> float:
    number = float(text) if re.fullmatch(r"[\d.eE+-]+", text) else math.nan
    if not (math.isfinite(number) and number >= 0):
        raise ValueError("expected a number, not negative")
    return number


def _read_path(text: str, var: Path) -> Path:
    if not text:
        raise ValueError("expected a path")
    return var / Path(text).expanduser()


def _read_optional_path(text: str, var: Path) -> Path | None:
    return _read_path(text, var) if text else None


def _read_source(text: str, var: Path) -> Source:
    is_remote = "://" in text or text.startswith("/vsi")
    return Source(text if is_remote else str(_read_path(text, var)))


def _read_database_url(text: str, var: Path) -> DatabaseUrl:
    scheme, separator, path = text.partition(":///")
    if scheme.startswith("sqlite") and separator and not path.startswith("/"):
        if not path or path == ":memory:":
            raise ValueError("expected a database file: several processes share it")
        return DatabaseUrl(f"{scheme}:///{var / path}")
    return DatabaseUrl(text)


_READERS: dict[Any, Callable[[str, Path], Any]] = {
    str: lambda text, _var: text,
    int: _read_integer,
    float: _read_number,
    Path: _read_path,
    Path | None: _read_optional_path,
    Source: _read_source,
    DatabaseUrl: _read_database_url,
}


def require_some(section: object, *names: str) -> None:
    """Refuse counts below 1."""
    for name in names:
        if (value := getattr(section, name)) < 1:
            raise ConfigError(f"{name} = {value}: expected 1 or more")
