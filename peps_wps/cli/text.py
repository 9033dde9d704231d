"""Sizes, durations and names as a terminal shows them."""

_SIZES = (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3))


def size_text(size_bytes: float) -> str:
    """Return a size in at most eight characters: ``1.01 GB``."""
    for unit, factor in _SIZES:
        if size_bytes >= factor:
            number = size_bytes / factor
            return f"{number:.{0 if number >= 100 else 1 if number >= 10 else 2}f} {unit}"
    return f"{size_bytes:.0f} B"


def duration_text(seconds: float) -> str:
    """Return a duration to two figures or so: ``25 s``, ``3 min``, ``2 h 10 min``."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{round(hours / 24)} d"


def shortened(text: str, width: int) -> str:
    """Return a text of at most `width` characters, its middle left out."""
    if len(text) <= width:
        return text
    if width < 3:
        return text[: max(0, width)]
    tail = (width - 1) // 2
    return f"{text[: width - 1 - tail]}…{text[len(text) - tail :]}"


def number_text(number: int, noun: str) -> str:
    """Return a number of things: ``1 product``, ``12 products``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
