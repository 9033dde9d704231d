"""JSON files: one key or item a line, as the line-reading clients of PEPS need it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from peps_wps.writers.publish import published


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Write a document; a number that JSON has no word for (NaN) is a ValueError."""
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    with published(path) as stream:
        stream.write(text.encode() + b"\n")
