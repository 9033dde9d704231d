"""The ``Prefer`` header (RFC 7240): how a client would like its request to be handled."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from werkzeug import Request

# token [= token | "quoted"] ; parameters of preferences are read over. What was read is not given
# back (++, *+): trying each way to part a thousand letters takes half a minute.
_PREFERENCE = re.compile(
    r"""\s*+([!#$%&'*+.^_`|~\w-]++)\s*+"""
    r"""(?:=\s*+(?:"((?:[^"\\]|\\.)*+)"|([^\s,;"]*+)))?+"""
    r"""[^,"]*+(?:"(?:[^"\\]|\\.)*+"[^,"]*+)*+(?:,|$)""",
    re.ASCII,
)
_LONGEST_HEADER = 1000
_SECONDS = re.compile(r"\d{1,9}", re.ASCII)


@dataclass(frozen=True)
class Preferences:
    """What is asked of us; anything else is not honoured, as section 2 allows.

    Parameters
    ----------
    respond_async
        Answer before the work has ended.
    wait_s
        Seconds that the client is ready to wait; None when it does not say.
    """

    respond_async: bool = False
    wait_s: int | None = None

    @classmethod
    def of(cls, request: Request) -> "Preferences":
        """Return the preferences of a request, from however many headers."""
        return cls.parse(request.headers.getlist("Prefer"))

    @classmethod
    def parse(cls, headers: Iterable[str]) -> "Preferences":
        """Return what header values say; of one said twice, the first counts (section 2)."""
        said: dict[str, str] = {}
        for name, quoted, plain in _PREFERENCE.findall(",".join(headers)[:_LONGEST_HEADER]):
            said.setdefault(name.lower(), quoted or plain)
        wait = said.get("wait", "")
        return cls(
            respond_async="respond-async" in said,
            wait_s=int(wait) if _SECONDS.fullmatch(wait) else None,
        )
