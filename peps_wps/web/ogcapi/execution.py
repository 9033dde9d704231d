"""Execute requests in JSON: inputs by value and by reference, outputs asked for.

Inputs become the texts that the order desk takes, whatever protocol they came by; it checks them.
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pywps import ComplexInput

from peps_wps.ordering.boxes import CRS84, Box
from peps_wps.ordering.errors import UnknownInputError
from peps_wps.ordering.inputs import check_outputs
from peps_wps.ordering.process import ChainProcess
from peps_wps.web.ogcapi.addresses import Json
from peps_wps.web.ogcapi.catalogue import transmission_modes
from peps_wps.web.ogcapi.errors import invalid

_RESPONSES = ("raw", "document")
_MEMBERS = ("inputs", "outputs", "response", "subscriber")

# Returns the content behind an address: (input identifier, address) -> text.
Fetch = Callable[[str, str], str]


@dataclass(frozen=True)
class ExecuteRequest:
    """What a client asks.

    Parameters
    ----------
    inputs
        The values of each input in their order.
    outputs
        The transmission mode of each output asked for, None where the server chooses; empty for
        all outputs.
    response
        ``raw`` or ``document``; None when the client does not say.
    """

    inputs: Mapping[str, tuple[str, ...]]
    outputs: Mapping[str, str | None]
    response: str | None = None

    def options(self) -> Json:
        """Return what is kept with the job."""
        return {
            "protocol": "ogcapi-processes-1.0",
            "ogcapi": {"outputs": dict(self.outputs), "response": self.response},
        }


def parse_execute(body: Any, process: ChainProcess, fetch: Fetch) -> ExecuteRequest:
    """Read the body of an Execute request (``execute.yaml``).

    Parameters
    ----------
    body
        A JSON value.
    process
        The process that it is for.
    fetch
        Gives the content of an input by reference; what it refuses it raises.

    Raises
    ------
    ProblemError
        400, with the member, input or output it is about.
    """
    _require(isinstance(body, dict), "body", "the body is not a JSON object")
    for member in body:
        _require(member in _MEMBERS, member, f"{member} is no member of an Execute request")
    if body.get("subscriber") is not None:
        raise invalid("subscriber", "this server calls nobody back: ask for the status of the job")
    response = body.get("response")
    _require(response in (None, *_RESPONSES), "response", "response is neither raw nor document")
    outputs = _outputs(body.get("outputs"), process)
    return ExecuteRequest(_inputs(body.get("inputs"), process, fetch), outputs, response)


def _outputs(given: Any, process: ChainProcess) -> dict[str, str | None]:
    """Return the transmission mode of each output asked for."""
    wanted = {} if given is None else given
    _require(isinstance(wanted, dict), "outputs", "outputs is not a JSON object")
    check_outputs(process, wanted)
    return {name: _transmission(name, asked, process) for name, asked in wanted.items()}


def _transmission(name: str, asked: Any, process: ChainProcess) -> str | None:
    _require(isinstance(asked, dict), name, f"output {name} is not a JSON object")
    mode = asked.get("transmissionMode")
    modes = transmission_modes(process)
    _require(
        mode in (None, *modes), name, f"transmissionMode of {name} is not {' or '.join(modes)}"
    )
    media_type = _media_type(name, asked)
    described = next(one for one in process.outputs if one.identifier == name)
    formats = getattr(described, "supported_formats", None)
    offered = [one.mime_type for one in formats] if formats else ["text/plain"]
    _require(media_type in ("", *offered), name, f"{name} is given as {', '.join(offered)} only")
    return None if mode is None else str(mode)


def _inputs(given: Any, process: ChainProcess, fetch: Fetch) -> dict[str, tuple[str, ...]]:
    """Return the texts of each input."""
    named = {} if given is None else given
    _require(isinstance(named, dict), "inputs", "inputs is not a JSON object")
    described = {process.chain_inputs[one.identifier]: one for one in process.inputs}
    texts: dict[str, tuple[str, ...]] = {}
    for name, value in named.items():
        if name not in process.chain_inputs:
            raise UnknownInputError(name, f"{process.identifier} has no input {name}")
        one = described.get(process.chain_inputs[name])
        is_list = isinstance(value, list) and not _is_one_value(value, one)
        values = value if is_list else [value]
        texts[name] = tuple(_text(name, item, one, fetch) for item in values)
    return texts


def _is_one_value(value: list[Any], described: Any) -> bool:
    """Tell whether a list is the one JSON value of a complex input, not several values."""
    if not isinstance(described, ComplexInput) or described.max_occurs > 1:
        return False
    return not any(isinstance(item, dict) and item.keys() & {"value", "href"} for item in value)


def _text(name: str, value: Any, described: Any, fetch: Fetch) -> str:
    """Return one value as the text that the order desk takes."""
    if isinstance(value, dict):
        if "href" in value:
            return _referred(name, value, described, fetch)
        if "value" in value:
            return _qualified(name, value, described)
        if "bbox" in value:
            return _box(name, value)
        raise invalid(name, f'{name} is a bare object, expected {{"value": ...}} around it')
    is_scalar = not isinstance(value, list) or isinstance(described, ComplexInput)
    _require(is_scalar, name, f"{name} is a list in a list, expected values")
    return _plain(value)


def _plain(value: Any) -> str:
    """Return a value without format as text."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # 10.0 is an integer for JSON Schema
    return json.dumps(value, ensure_ascii=False)


def _qualified(name: str, value: Mapping[str, Any], described: Any) -> str:
    """Return a qualified value (``qualifiedInputValue.yaml``), of a format that is offered."""
    _check_format(name, value, described)
    format_ = value.get("format")
    encoding = value.get("encoding") or (
        format_.get("encoding") if isinstance(format_, dict) else None
    )
    content = value["value"]
    if isinstance(content, dict) and "bbox" in content and not isinstance(described, ComplexInput):
        return _box(name, content)
    text = _plain(content)
    if encoding == "base64":
        _check_base64(name, text)
    elif encoding not in (None, "", "utf-8", "UTF-8", "utf8"):
        raise invalid(name, f"{name} is encoded as {encoding}, expected base64 or utf-8")
    return text


def _referred(name: str, value: Mapping[str, Any], described: Any, fetch: Fetch) -> str:
    href = value["href"]
    _require(isinstance(href, str) and bool(href), name, f"{name} has a href that is no address")
    _check_format(name, value, described)
    return fetch(name, href)


def _check_format(name: str, value: Mapping[str, Any], described: Any) -> None:
    """Refuse a media type that the input does not take."""
    media_type = _media_type(name, value)
    if not media_type or not isinstance(described, ComplexInput):
        return
    offered = [one.mime_type for one in described.supported_formats]
    _require(
        media_type in offered,
        name,
        f"{name} is {media_type}, expected {' or '.join(offered)}",
    )


def _media_type(name: str, value: Mapping[str, Any]) -> str:
    """Return the media type that a value or an output names, by itself or in its format."""
    format_ = value.get("format")
    nested = format_ if isinstance(format_, dict) else {}
    found = value.get("mediaType") or nested.get("mediaType") or value.get("type") or ""
    _require(isinstance(found, str), name, f"the media type of {name} is no text")
    return str(found)


def _box(name: str, value: Mapping[str, Any]) -> str:
    """Return a bounding box as its corners and its CRS, joined by commas (OGC 06-121r3, 10.2.3)."""
    corners = value["bbox"]
    are_numbers = isinstance(corners, list) and all(
        isinstance(one, int | float) and not isinstance(one, bool) for one in corners
    )
    _require(are_numbers and len(corners) in (4, 6), name, f"bbox of {name} is not 4 or 6 numbers")
    crs = value.get("crs", CRS84)
    _require(isinstance(crs, str), name, f"crs of {name} is no text")
    half = len(corners) // 2
    return str(Box(tuple(corners[:half]), tuple(corners[half:]), crs))


def _check_base64(name: str, text: str) -> None:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid(name, f"{name} is not base64") from error


def _require(holds: object, locator: str, detail: str) -> None:
    if not holds:
        raise invalid(locator, detail)
