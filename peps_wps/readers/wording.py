"""Words of unknown origin made fit for a message to a client."""

import re

_LONGEST = 120


def printable(text: str) -> str:
    """Return `text` in the characters that WPS messages may hold, others as underscores."""
    return re.sub(r"[^A-Za-z0-9 .:!?=,;_/-]", "_", text[:_LONGEST])


def legible(text: str) -> str:
    """Return what a client wrote for itself to read: controls and turned writing as underscores."""
    return "".join(one if one.isprintable() else "_" for one in text)
