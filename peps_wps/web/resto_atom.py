"""A resto search as an Atom feed, and the OpenSearch description of a collection."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from lxml import etree

from catalog_db import SearchResult
from catalog_db.catalogue.products import Product
from peps_wps.resto.parameters import PARAMETERS
from peps_wps.web.resto_feature import download_address, feature_address, format_time

_ATOM = "http://www.w3.org/2005/Atom"
_OPENSEARCH = "http://a9.com/-/spec/opensearch/1.1/"
_DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"
_GEORSS = "http://www.georss.org/georss"
_PARAMETER = "http://a9.com/-/spec/opensearch/extensions/parameters/1.0/"
# Plain names for what is read line by line: <entry>, <id>.
_FEED = f"""<feed xmlns="{_ATOM}" xmlns:os="{_OPENSEARCH}" xmlns:dc="{_DUBLIN_CORE}"
 xmlns:georss="{_GEORSS}"/>"""
# The prefixes are those of the parameters in the search template.
_DESCRIPTION = f"""<OpenSearchDescription xmlns="{_OPENSEARCH}"
 xmlns:geo="http://a9.com/-/opensearch/extensions/geo/1.0/"
 xmlns:time="http://a9.com/-/opensearch/extensions/time/1.0/"
 xmlns:eo="http://a9.com/-/opensearch/extensions/eo/1.0/"
 xmlns:dc="{_DUBLIN_CORE}" xmlns:resto="http://mapshup.info/-/resto/2.0/"
 xmlns:parameters="{_PARAMETER}"/>"""


def atom_feed(
    found: SearchResult,
    *,
    identifier: str,
    first_index: int,
    links: Mapping[str, str],
    base: str,
    answered: datetime,
) -> bytes:
    """Return a page of a search as an Atom feed (RFC 4287).

    Parameters
    ----------
    found
        The page.
    identifier
        uuid of the search.
    first_index
        Number of the first product of the page, from 1.
    links
        Addresses by relation: ``self``, ``next``, ...
    base
        Address of the service, without a slash at its end.
    answered
        When the search was made.
    """
    feed = etree.fromstring(_FEED)
    _add(feed, _ATOM, "title", "PEPS")
    _add(feed, _ATOM, "id", f"urn:uuid:{identifier}")
    _add(feed, _ATOM, "updated", format_time(answered))
    _add(_add(feed, _ATOM, "author"), _ATOM, "name", "PEPS")
    _add(feed, _OPENSEARCH, "totalResults", str(found.total))
    _add(feed, _OPENSEARCH, "startIndex", str(first_index))
    _add(feed, _OPENSEARCH, "itemsPerPage", str(len(found.items)))
    for relation, href in links.items():
        _add(feed, _ATOM, "link", rel=relation, href=href)
    for product in found.items:
        _add_entry(feed, product, base)
    return _serialised(feed)


def _add_entry(feed: etree._Element, product: Product, base: str) -> None:
    """Add a product to a feed; clients take its bare id for the download address."""
    entry = _add(feed, _ATOM, "entry")
    _add(entry, _ATOM, "id", product.uid)
    _add(entry, _DUBLIN_CORE, "identifier", product.title)
    _add(entry, _ATOM, "title", product.title)
    _add(entry, _ATOM, "published", format_time(product.published))
    _add(entry, _ATOM, "updated", format_time(product.updated))
    sensing = f"{format_time(product.start)}/{format_time(product.end)}"
    _add(entry, _DUBLIN_CORE, "date", sensing)
    _add(
        entry,
        _ATOM,
        "link",
        rel="alternate",
        type="application/json",
        href=feature_address(product, base),
    )
    _add(
        entry,
        _ATOM,
        "link",
        rel="enclosure",
        type="application/zip",
        length=str(product.size_bytes),
        href=download_address(product, base),
    )
    west, south, east, north = product.footprint.bounds
    # GeoRSS puts latitude first.
    _add(entry, _GEORSS, "box", f"{south:.4f} {west:.4f} {north:.4f} {east:.4f}")


def description(collection: str | None, base: str, formats: Iterable[tuple[str, str]]) -> bytes:
    """Return the OpenSearch description (1.1 draft 6) of one collection or all.

    Parameters
    ----------
    collection
        Its name, None for all.
    base
        Address of the collection's searches, without a slash at its end.
    formats
        Name of the search and its media type, for each form of the answer.
    """
    template = "&".join(f"{name}={{{one.qualified}?}}" for name, one in PARAMETERS.items())
    subject = f"the collection {collection}" if collection else "all collections"
    document = etree.fromstring(_DESCRIPTION)
    _add(document, _OPENSEARCH, "ShortName", "PEPS")
    _add(document, _OPENSEARCH, "LongName", "Sentinel products of PEPS")
    _add(document, _OPENSEARCH, "Description", f"Search of {subject}")
    _add(document, _OPENSEARCH, "Tags", "PEPS Sentinel Copernicus")
    for name, media_type in formats:
        url = _add(
            document,
            _OPENSEARCH,
            "Url",
            type=media_type,
            rel="results",
            template=f"{base}/{name}?{template}",
            pageOffset="1",
        )
        _describe_parameters(url)
    _add(document, _OPENSEARCH, "Query", role="example", searchTerms="Toulouse")
    _add(document, _OPENSEARCH, "Attribution", "Copernicus Sentinel data")
    _add(document, _OPENSEARCH, "SyndicationRight", "open")
    _add(document, _OPENSEARCH, "AdultContent", "false")
    _add(document, _OPENSEARCH, "Language", "en")
    _add(document, _OPENSEARCH, "OutputEncoding", "UTF-8")
    _add(document, _OPENSEARCH, "InputEncoding", "UTF-8")
    return _serialised(document)


def _describe_parameters(url: etree._Element) -> None:
    """Say what each parameter of a template is (OpenSearch extension Parameter)."""
    for name, one in PARAMETERS.items():
        described = _add(url, _PARAMETER, "Parameter", title=one.title, minimum="0")
        described.set("name", name)
        described.set("value", f"{{{one.qualified}}}")


def _add(
    parent: etree._Element, namespace: str, name: str, content: str = "", **attributes: str
) -> etree._Element:
    """Add an element with text; return it."""
    child = etree.SubElement(parent, f"{{{namespace}}}{name}", attributes)
    child.text = content or None
    return child


def _serialised(document: etree._Element) -> bytes:
    return etree.tostring(document, xml_declaration=True, encoding="UTF-8", pretty_print=True)
