"""What a request asks: its version, its encoding, its operation."""

from werkzeug import Request

from peps_wps.wps.errors import WpsError, invalid
from peps_wps.wps.kvp import parse_query
from peps_wps.wps.requests import (
    Execute,
    JobRequest,
    Version,
    namespace_version,
    negotiated_version,
    served_version,
)
from peps_wps.wps.requests import Request as Asked
from peps_wps.wps.v1.xml_request import parse_request as parse_first
from peps_wps.wps.v2.xml_request import parse_request as parse_second
from peps_wps.wps.vocabulary import V1, V2
from peps_wps.wps.xml_reading import read_request, texts_at


def asked_of(request: Request) -> tuple[Version, Asked]:
    """Return what a request asks, and in which version.

    Raises
    ------
    WpsError
        When it is no request of this service.
    RequestEntityTooLarge
        When its body has more bytes than the service takes.
    """
    if request.method in ("GET", "HEAD"):
        version, asked = parse_query(_query(request))
    elif request.method == "POST":
        version, asked = parse_xml(_body(request))
    else:
        raise WpsError("OperationNotSupported", "", f"{request.method} is not served")
    if request.method == "HEAD" and isinstance(asked, Execute | JobRequest):
        # A link checker must neither start nor end anything.
        raise WpsError("OperationNotSupported", "", "HEAD is served for descriptions only")
    return version, asked


def parse_xml(body: bytes) -> tuple[Version, Asked]:
    """Return what a document asks, and in which version: that of its namespace.

    Raises
    ------
    WpsError
        When it is no request of this service, is not well formed, or carries a DTD.
    """
    root = read_request(body)
    namespace, _, operation = str(root.tag).rpartition("}")
    spoken = namespace_version(namespace.removeprefix("{"))
    if spoken is None:
        expected = f"{V1.names['wps']} or {V2.names['wps']}"
        raise invalid("request", f"{operation} is not in the namespace {expected}")
    service = root.get("service", "WPS")
    if service.upper() != "WPS":
        raise invalid("service", f"service {service} is not offered, WPS is")
    words, parse = (V1, parse_first) if spoken == "1.0.0" else (V2, parse_second)
    if operation == "GetCapabilities":
        accepted = [
            *texts_at(root, "wps:AcceptVersions/ows:Version", words),
            *texts_at(root, "ows:AcceptVersions/ows:Version", words),
        ]
        return negotiated_version(accepted, spoken), parse(root)
    if served_version(root.get("version", "") or spoken) != spoken:
        message = f"version {root.get('version')} is not that of the namespace, {spoken} is"
        raise WpsError("VersionNegotiationFailed", "version", message)
    return spoken, parse(root)


def hinted_version(request: Request) -> Version:
    """Return the version in which a client is told that its request is none.

    Raises
    ------
    RequestEntityTooLarge
        As of `asked_of`.
    """
    if request.method == "POST":
        return "2.0.0" if V2.names["wps"].encode() in _body(request)[:4096] else "1.0.0"
    query = _query(request).lower()
    return "2.0.0" if "version=2.0" in query or "versions=2.0" in query else "1.0.0"


def _query(request: Request) -> str:
    """Return the part of the address after the question mark, as it came."""
    return str(request.environ.get("QUERY_STRING", ""))


def _body(request: Request) -> bytes:
    """Return the body; one that is too large is refused, never cut, whether its length is told."""
    body = request.get_data()
    request.stream.read(1)  # raises where the limit was reached without a length
    return body
