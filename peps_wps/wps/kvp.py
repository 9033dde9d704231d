"""Requests in a query string (OGC 05-007r7, tables 13, 32 and 52), as clients really write them.

The string is split before it is decoded, so that a percent-encoded ``;``, ``@``, ``=`` or ``&`` is
part of a value. Names and operations are read in any letter case, brackets around a list are
dropped, an empty value is an absent one. An HTTP library that encodes a whole list at once leaves
no ``=`` in it: such a list is decoded first, then split.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

from peps_wps.wps.errors import WpsError, invalid, missing
from peps_wps.wps.requests import (
    DescribeProcess,
    Execute,
    GetCapabilities,
    JobRequest,
    OutputRequest,
    Request,
    check_accepted_versions,
    check_version,
    collect,
    read_boolean,
    read_text,
)

# What may follow a value after an `@` (OGC 05-007r7, table 53); any other `@` belongs to the value.
_ATTRIBUTES = frozenset(
    (
        *("mimetype", "encoding", "schema", "datatype", "uom", "href", "xlink:href", "method"),
        *("asreference", "format", "body", "bodyreference", "header"),
    )
)
# Parameters that are split before they are decoded.
_LISTS = ("datainputs", "responsedocument", "rawdataoutput")
_BRACKETS = re.compile(r"\A(?:\[|%5B)(.*)(?:\]|%5D)\Z", re.IGNORECASE | re.DOTALL)


def parse_query(query: str) -> Request:
    """Return what a query string asks.

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
        check_accepted_versions([one for one in plain.get("acceptversions", "").split(",") if one])
        return GetCapabilities(plain.get("language", ""))
    check_version(plain.get("version", ""))
    if operation == "describeprocess":
        identifiers = [one.strip() for one in plain.get("identifier", "").split(",")]
        return DescribeProcess(tuple(filter(None, identifiers)), plain.get("language", ""))
    if operation == "execute":
        return _execute(raw, plain)
    if operation in ("getstatus", "getresult", "dismiss"):
        return JobRequest(operation, plain.get("jobid") or plain.get("executionid", ""))
    if not operation:
        raise missing("request")
    raise WpsError("OperationNotSupported", operation, f"there is no operation {operation}")


def _execute(raw: Mapping[str, str], plain: Mapping[str, str]) -> Execute:
    outputs = _outputs("ResponseDocument", raw.get("responsedocument", ""))
    wanted_raw = _outputs("RawDataOutput", raw.get("rawdataoutput", ""))
    is_raw = bool(wanted_raw and not outputs)
    if not plain.get("identifier"):
        raise missing("identifier")
    return Execute(
        plain["identifier"],
        inputs=collect(_inputs(raw.get("datainputs", ""))),
        outputs=wanted_raw if is_raw else outputs,
        raw=is_raw,
        store=read_boolean("storeExecuteResponse", plain.get("storeexecuteresponse", "")),
        status=read_boolean("status", plain.get("status", "")),
        lineage=read_boolean("lineage", plain.get("lineage", "")),
        title=plain.get("title") or None,
        language=plain.get("language", ""),
    )


def _parameters(query: str) -> dict[str, str]:
    """Return the parameters, names in lower case, values not decoded; the first of a name holds."""
    parameters: dict[str, str] = {}
    for part in query.split("&"):
        name, _, value = part.partition("=")
        parameters.setdefault(_decode("query", name).strip().lower(), value)
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


def _inputs(text: str) -> list[tuple[str, str]]:
    """Return the inputs of ``DataInputs`` in their order."""
    pairs = []
    members, is_encoded_whole = _items("DataInputs", text)
    for member in members:
        head, attributes = _fields(member)
        raw_name, equals, raw_value = head.partition("=")
        name = _decode("DataInputs", raw_name).strip()
        if attributes.keys() & {"href", "xlink:href"}:
            raise invalid(name, f"{name} is given by reference, expected its value")
        if not equals:
            raise invalid("DataInputs", f"{name} has no value, expected name=value")
        is_binary = attributes.get("encoding", "").lower() == "base64"
        keeps_plus = is_encoded_whole or is_binary or _is_base64_text(raw_value)
        pairs.append((name, _decode(name, raw_value, is_form=not keeps_plus)))
    return pairs


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
        reference = attributes.get("asreference")
        outputs.append(
            OutputRequest(
                _decode(name, head.rstrip("=")).strip(),
                None if reference is None else read_boolean("asReference", reference),
            )
        )
    return tuple(outputs)
