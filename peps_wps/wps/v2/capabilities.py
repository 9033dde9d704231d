"""``wps:Capabilities`` of WPS 2.0: who offers what, where (OGC 14-065, clause 9.7)."""

from collections.abc import Callable, Iterable

from peps_wps.config import Config
from peps_wps.links import Links
from peps_wps.ordering import ChainProcess
from peps_wps.wps.errors import invalid
from peps_wps.wps.requests import VERSIONS, GetCapabilities
from peps_wps.wps.v2.descriptions import describe, properties
from peps_wps.wps.vocabulary import V2, XLINK, serialise
from peps_wps.xml_parsing import Element

_OPERATIONS = ("GetCapabilities", "DescribeProcess", "Execute", "GetStatus", "GetResult", "Dismiss")
_HREF = f"{{{XLINK}}}href"


def render_capabilities(
    config: Config, asked: GetCapabilities, processes: Iterable[ChainProcess], links: Links
) -> bytes:
    """Return the capabilities document.

    Parameters
    ----------
    config
        Says who provides the service.
    asked
        Which sections are wanted; the contents are always there, as the schema wants them.
    processes
        What is offered to the client.
    links
        Where the operations are.

    Raises
    ------
    WpsError
        When a section is none.
    """
    sections: dict[str, Callable[[Element], None]] = {
        "ServiceIdentification": lambda root: _identification(root, config),
        "ServiceProvider": lambda root: _provider(root, config),
        "OperationsMetadata": lambda root: _operations(root, links),
        "Languages": lambda root: _languages(root, config),
    }
    wanted = _wanted(asked.sections, sections)
    root = V2.root("wps:Capabilities", service="WPS", version=V2.version)
    for name, write in sections.items():
        if name in wanted:
            write(root)
    contents = V2.add(root, "wps:Contents")
    for process in processes:
        summary = V2.add(contents, "wps:ProcessSummary", **properties(process))
        describe(summary, process)
    return serialise(root)


def _wanted(asked: Iterable[str], known: Iterable[str]) -> set[str]:
    """Return the sections to write."""
    names = {name.lower(): name for name in (*known, "Contents")}
    wanted = set()
    for section in asked:
        if section.lower() == "all":
            return set(names.values())
        if section.lower() not in names:
            expected = ", ".join([*names.values(), "All"])
            raise invalid("sections", f"there is no section {section}, expected {expected}")
        wanted.add(names[section.lower()])
    return wanted or set(names.values())


def _identification(root: Element, config: Config) -> None:
    told = config.metadata
    section = V2.add(root, "ows:ServiceIdentification")
    V2.add(section, "ows:Title", told.identification_title)
    _add_told(section, "ows:Abstract", told.identification_abstract)
    words = [word.strip() for word in told.identification_keywords.split(",") if word.strip()]
    if words:
        keywords = V2.add(section, "ows:Keywords")
        for word in words:
            V2.add(keywords, "ows:Keyword", word)
        _add_told(keywords, "ows:Type", told.identification_keywords_type)
    V2.add(section, "ows:ServiceType", "WPS")
    for version in VERSIONS:
        V2.add(section, "ows:ServiceTypeVersion", version)
    _add_told(section, "ows:Fees", told.identification_fees)
    _add_told(section, "ows:AccessConstraints", told.identification_accessconstraints)


def _provider(root: Element, config: Config) -> None:
    told = config.metadata
    section = V2.add(root, "ows:ServiceProvider")
    V2.add(section, "ows:ProviderName", told.provider_name)
    if told.provider_url:
        V2.add(section, "ows:ProviderSite").set(_HREF, told.provider_url)
    contact = V2.add(section, "ows:ServiceContact")
    _add_told(contact, "ows:IndividualName", told.contact_name)
    _add_told(contact, "ows:PositionName", told.contact_position)
    information = V2.add(contact, "ows:ContactInfo")
    _group(
        information,
        "ows:Phone",
        {"ows:Voice": told.contact_phone, "ows:Facsimile": told.contact_fax},
    )
    _group(
        information,
        "ows:Address",
        {
            "ows:DeliveryPoint": told.contact_address,
            "ows:City": told.contact_city,
            "ows:AdministrativeArea": told.contact_stateorprovince,
            "ows:PostalCode": told.contact_postalcode,
            "ows:Country": told.contact_country,
            "ows:ElectronicMailAddress": told.contact_email,
        },
    )
    if told.contact_url:
        V2.add(information, "ows:OnlineResource").set(_HREF, told.contact_url)
    _add_told(information, "ows:HoursOfService", told.contact_hours)
    _add_told(information, "ows:ContactInstructions", told.contact_instructions)
    if not len(information):
        contact.remove(information)
    _add_told(contact, "ows:Role", told.contact_role)


def _operations(root: Element, links: Links) -> None:
    section = V2.add(root, "ows:OperationsMetadata")
    for name in _OPERATIONS:
        operation = V2.add(section, "ows:Operation", name=name)
        http = V2.add(V2.add(operation, "ows:DCP"), "ows:HTTP")
        # The question mark is part of a KVP address (OGC 06-121r9, clause 11.3).
        V2.add(http, "ows:Get").set(_HREF, links.service + "?")
        V2.add(http, "ows:Post").set(_HREF, links.service)


def _languages(root: Element, config: Config) -> None:
    V2.add(V2.add(root, "ows:Languages"), "ows:Language", config.server.language)


def _group(parent: Element, name: str, told: dict[str, str]) -> None:
    """Write a group of elements, those that say something; none when nothing does."""
    if any(told.values()):
        group = V2.add(parent, name)
        for inner, text in told.items():
            _add_told(group, inner, text)


def _add_told(parent: Element, name: str, text: str) -> None:
    if text:
        V2.add(parent, name, text)
