"""Words of unknown origin made fit for a message to a client."""

import re

_LONGEST = 120


def printable(text: str) -> str:
    """Return `text` in the characters that WPS messages may hold, others as underscores."""
    return re.sub(r"[^A-Za-z0-9 .:!?=,;_/-]", "_", text[:_LONGEST])
