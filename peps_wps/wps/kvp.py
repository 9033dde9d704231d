"""Requests in a query string (OGC 05-007r7, tables 13, 32 and 52), as clients really write them.

WPS 2.0 knows the same parameters, and has no query string for Execute; ours is that of 1.0.0 with
``mode`` and ``response`` (OGC 14-065, tables 34 and 39) in place of the flags.

The string is split before it is decoded, so that a percent-encoded ``;``, ``@``, ``=`` or ``&`` is
part of a value. Names and operations are read in any letter case, brackets around a list are
dropped, an empty value is an absent one. An HTTP library that encodes a whole list at once leaves
no ``=`` in it: such a list is decoded first, then split.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote_to_bytes

from peps_wps.wps.errors import WpsError, invalid, missing
from peps_wps.wps.requests import (
    DescribeProcess,
    Execute,
    GetCapabilities,
    InputReference,
    JobRequest,
    OutputRequest,
    Request,
    Version,
    collect,
    negotiated_version,
    read_boolean,
    read_mode,
    read_response,
    read_text,
    read_transmission,
    served_version,
    stored_mode,
)

# What may follow a value after an `@` (OGC 05-007r7, table 53); any other `@` belongs to the value.
_ATTRIBUTES = frozenset(
    (
        *("mimetype", "encoding", "schema", "datatype", "uom", "href", "xlink:href", "method"),
        *("asreference", "format", "body", "bodyreference", "header", "transmission"),
    )
)
_REFERENCES = frozenset(("href", "xlink:href"))
_PARAMETERS = frozenset(
    (
        *("service", "request", "version", "language", "identifier", "jobid", "executionid"),
        *("acceptversions", "acceptformats", "acceptlanguages", "sections", "updatesequence"),
        *("datainputs", "responsedocument", "rawdataoutput", "storeexecuteresponse", "status"),
        *("lineage", "mode", "response", "title", "notifmail"),
    )
)
# Parameters that are split before they are decoded.
_LISTS = ("datainputs", "responsedocument", "rawdataoutput")
_BRACKETS = re.compile(r"\A(?:\[|%5B)(.*)(?:\]|%5D)\Z", re.IGNORECASE | re.DOTALL)


def parse_query(query: str) -> tuple[Version, Request]:
    """Return what a query string asks, and the version it is asked in.

    Parameters
    ----------
    query
        The part of the address after ``?``, as it came.

    Raises
    ------
    WpsError
        When it is no request of this service; the locator names the parameter.
    """
    raw = _parameters(query)
    plain = {name: _decode(name, value) for name, value in raw.items() if name not in _LISTS}
    service = plain.get("service", "")
    if not service:
        raise missing("service")
    if service.upper() != "WPS":
        raise invalid("service", f"service {service} is not offered, WPS is")
    operation = plain.get("request", "").lower()
    if operation == "getcapabilities":
        accepted = _words(plain, "acceptversions")
        return negotiated_version(accepted, plain.get("version", "")), _capabilities(plain)
    version = served_version(plain.get("version", ""))
    if not operation:
        raise missing("request")
    return version, _operation(operation, version, raw, plain)


def _operation(
    operation: str, version: Version, raw: Mapping[str, str], plain: Mapping[str, str]
) -> Request:
    """Return what is asked by any operation but the first."""
    if operation == "describeprocess":
        identifiers = tuple(_words(plain, "identifier"))
        return DescribeProcess(identifiers, plain.get("language", ""))
    if operation == "execute":
        return _execute(version, raw, plain)
    if operation in ("getstatus", "getresult", "dismiss"):
        return JobRequest(operation, plain.get("jobid") or plain.get("executionid", ""))
    raise WpsError("OperationNotSupported", operation, f"there is no operation {operation}")


def _capabilities(plain: Mapping[str, str]) -> GetCapabilities:
    return GetCapabilities(
        plain.get("language") or plain.get("acceptlanguages", ""),
        tuple(_words(plain, "sections")),
    )


def _words(plain: Mapping[str, str], name: str) -> list[str]:
    """Return the members of a list that commas separate, empty ones left out."""
    return [word.strip() for word in plain.get(name, "").split(",") if word.strip()]


def _execute(version: Version, raw: Mapping[str, str], plain: Mapping[str, str]) -> Execute:
    outputs = _outputs("ResponseDocument", raw.get("responsedocument", ""))
    wanted_raw = _outputs("RawDataOutput", raw.get("rawdataoutput", ""))
    is_raw = bool(wanted_raw and not outputs)
    is_raw = is_raw or (version == "2.0.0" and read_response(plain.get("response", "")))
    if not plain.get("identifier"):
        raise missing("identifier")
    store = read_boolean("storeExecuteResponse", plain.get("storeexecuteresponse", ""))
    status = read_boolean("status", plain.get("status", ""))
    if version == "1.0.0":
        mode = stored_mode(status=status, store=store, raw=is_raw)
    else:
        mode = read_mode(plain.get("mode", ""), "auto")
    return Execute(
        plain["identifier"],
        inputs=collect(_inputs(raw.get("datainputs", ""))),
        input_types=tuple(_input_types(raw.get("datainputs", ""))),
        outputs=outputs or wanted_raw,
        mode=mode,
        raw=is_raw,
        store=store,
        lineage=read_boolean("lineage", plain.get("lineage", "")),
        title=plain.get("title") or None,
        language=plain.get("language", ""),
    )


def _parameters(query: str) -> dict[str, str]:
    """Return the parameters, names in lower case, values not decoded.

    The first of a name holds, as an address that is configured may say what a client says again; a
    second list would be lost, and is refused.

    A script of PEPS writes ``datainputs=startDate=2018-01-01&completionDate=2018-03-10;tileid=..``:
    what follows the inputs, is no parameter and holds a ``;`` is more of them.
    """
    parameters: dict[str, str] = {}
    last = ""
    for part in query.split("&"):
        raw_name, _, value = part.partition("=")
        name = _decode("query", raw_name).strip().lower()
        if last == "datainputs" and name not in _PARAMETERS and ";" in value:
            parameters[last] += f";{part}"
            continue
        if name in _LISTS and parameters.get(name, value) != value:
            raise invalid(name, f"{name} is given twice")
        parameters.setdefault(name, value)
        last = name
    return parameters


def _decode(name: str, text: str, *, is_form: bool = True) -> str:
    """Return percent-decoded text; in a form a plus is a space (URL standard, section 5.1)."""
    encoded = text.replace("+", " ") if is_form else text
    try:
        # A WSGI query string carries one character a byte (PEP 3333).
        decoded = unquote_to_bytes(encoded.encode("latin-1")).decode("utf-8")
    except UnicodeError as error:
        raise invalid(name, f"{name} is not percent-encoded UTF-8") from error
    return read_text(name, decoded)


def _items(name: str, text: str) -> tuple[list[str], bool]:
    """Return the members of a list, and whether the list was encoded as a whole."""
    is_encoded_whole = "=" not in text and "%3d" in text.lower()
    if is_encoded_whole:
        text = _reencode(_decode(name, text))
    bracketed = _BRACKETS.match(text.strip())
    members = (bracketed[1] if bracketed else text).split(";")
    return [member for member in members if member.strip()], is_encoded_whole


def _reencode(text: str) -> str:
    """Return text with one character a byte, as a query string has it."""
    return text.encode("utf-8").decode("latin-1")


def _fields(member: str) -> tuple[str, dict[str, str]]:
    """Split ``name=value@attribute=...`` into its head and its attributes."""
    fields: list[str] = []
    for part in member.split("@"):
        attribute, equals, _ = part.partition("=")
        is_attribute = equals and attribute.strip().lower() in _ATTRIBUTES
        if fields and not is_attribute:
            fields[-1] += "@" + part
        else:
            fields.append(part)
    attributes = (part.partition("=") for part in fields[1:])
    return fields[0], {name.strip().lower(): value for name, _, value in attributes}


def _inputs(text: str) -> list[tuple[str, str | InputReference]]:
    """Return the inputs of ``DataInputs`` in their order."""
    pairs: list[tuple[str, str | InputReference]] = []
    members, is_encoded_whole = _items("DataInputs", text)
    for member in members:
        head, attributes = _fields(member)
        raw_name, equals, raw_value = head.partition("=")
        name = _decode("DataInputs", raw_name).strip()
        if references := attributes.keys() & _REFERENCES:
            href = _decode(name, attributes[references.pop()], is_form=False).strip()
            if not href:
                raise invalid(name, f"{name} is a reference without an address")
            pairs.append((name, InputReference(href)))
            continue
        if not equals:
            raise invalid("DataInputs", f"{name} has no value, expected name=value")
        is_binary = attributes.get("encoding", "").lower() == "base64"
        keeps_plus = is_encoded_whole or is_binary or _is_base64_text(raw_value)
        pairs.append((name, _decode(name, raw_value, is_form=not keeps_plus)))
    return pairs


def _input_types(text: str) -> Iterator[tuple[str, str]]:
    """Yield name and media type of the inputs of ``DataInputs`` whose media type is named."""
    for member in _items("DataInputs", text)[0]:
        head, attributes = _fields(member)
        name = _decode("DataInputs", head.partition("=")[0]).strip()
        if mime_type := _decode(name, attributes.get("mimetype", ""), is_form=False):
            yield name, mime_type


def _is_base64_text(raw: str) -> bool:
    """Say whether a value with a plus is base64 of readable text, whose plus is not a space.

    PEPS scripts send an address so, not percent-encoded. Words joined by plus signs do not decode
    to readable UTF-8 except by a rare chance.
    """
    if "+" not in raw or len(raw) < 16:
        return False
    try:
        text = base64.b64decode(raw.replace("%3D", "=").replace("%3d", "="), validate=True)
        return text.decode("utf-8").isprintable()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return False


def _outputs(name: str, text: str) -> tuple[OutputRequest, ...]:
    """Return the outputs that ``ResponseDocument`` or ``RawDataOutput`` names."""
    outputs = []
    for member in _items(name, text)[0]:
        head, attributes = _fields(member)
        outputs.append(
            OutputRequest(
                _decode(name, head.rstrip("=")).strip(),
                _is_reference(attributes),
                _decode(name, attributes.get("mimetype", "")),
            )
        )
    return tuple(outputs)


def _is_reference(attributes: Mapping[str, str]) -> bool | None:
    """Return how an output is wanted, in the words of either version."""
    if "asreference" in attributes:
        return read_boolean("asReference", attributes["asreference"])
    return read_transmission(attributes.get("transmission", ""))
