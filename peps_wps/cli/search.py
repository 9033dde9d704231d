"""`peps search`: the catalogue of a server, for people and for scripts."""

import argparse
import csv
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from peps_wps.cli.filters import add_filters, add_server, read_filters
from peps_wps.cli.orders import told
from peps_wps.cli.terminal import NOTHING_FOUND, OK, USAGE, answer, say
from peps_wps.cli.text import number_text, size_text
from peps_wps.client import Peps, Product

_COLOURS = {"disk": "32", "staging": "33", "tape": "2"}
_COLUMNS = (
    "title",
    "id",
    "collection",
    "start",
    "end",
    "size_bytes",
    "checksum_algorithm",
    "checksum",
    "mode",
    "download_url",
)
_SHOWN = (
    "platform",
    "productType",
    "sensorMode",
    "polarisation",
    "orbitNumber",
    "relativeOrbitNumber",
    "orbitDirection",
    "mgrs",
    "cloudCover",
)

EXAMPLES = """examples:
  peps search -c S1 --box=1,43,2,44 --start 2021-08-01 --product-type GRD
  peps search -c S2ST --tile 31TCJ --cloud-cover 20 --titles | peps download -"""


@dataclass
class Tally:
    """What was found so far."""

    products: int = 0
    size_bytes: int = 0
    modes: dict[str, int] = field(default_factory=dict)

    def counted(self, products: Iterable[Product]) -> Iterator[Product]:
        """Pass products on and count them."""
        for product in products:
            self.products += 1
            self.size_bytes += product.size_bytes or 0
            self.modes[product.mode] = self.modes.get(product.mode, 0) + 1
            yield product

    def __str__(self) -> str:
        places = ", ".join(f"{number} on {mode}" for mode, number in sorted(self.modes.items()))
        number = number_text(self.products, "product")
        return f"{number}, {size_text(self.size_bytes)}: {places}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.usage = "%(prog)s [filters] [--json | --geojson | --csv | --titles | --count]"
    parser.epilog = EXAMPLES
    form = parser.add_mutually_exclusive_group()
    for name, text in (
        ("json", "an array of objects"),
        ("geojson", "the features as the server writes them"),
        ("csv", "a table with all that matters"),
        ("titles", "titles alone, as `peps download -` reads them"),
        ("count", "only how many there are"),
    ):
        form.add_argument(f"--{name}", dest="form", action="store_const", const=name, help=text)
    add_filters(parser)
    add_server(parser)


def search(arguments: argparse.Namespace) -> int:
    """Write what is found, page by page."""
    try:
        filters = read_filters(arguments)
        filters.parameters()
    except ValueError as error:
        say(f"peps: {error}")
        return USAGE

    def run() -> int:
        peps = Peps(arguments.url)
        if arguments.form == "count":
            found = peps.count(filters)
            answer(str(found.products))
            if not found.is_exact:
                say("This is an estimate.")
            return OK if found.products else NOTHING_FOUND
        tally = Tally()
        write = _FORMS[arguments.form]
        write(tally.counted(peps.search(filters, limit=arguments.limit)))
        if tally.products == 0:
            say("Nothing was found.")
            return NOTHING_FOUND
        if arguments.form is None:
            say(str(tally))
        return OK

    return told(run)


def _write_table(products: Iterable[Product]) -> None:
    """Write a line a product; the title comes last, so that it is whole in any window."""
    is_colourful = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    for product in products:
        start = f"{product.start:%Y-%m-%d %H:%M}" if product.start else ""
        where = f"{product.mode:7}"
        if is_colourful and product.mode in _COLOURS:
            where = f"\x1b[{_COLOURS[product.mode]}m{where}\x1b[0m"
        size = size_text(product.size_bytes) if product.size_bytes else ""
        answer(f"{start:16}  {size:>8}  {where}  {product.title}")


def _write_titles(products: Iterable[Product]) -> None:
    for product in products:
        answer(product.title)


def _write_csv(products: Iterable[Product]) -> None:
    table = csv.DictWriter(sys.stdout, [*_COLUMNS, *_SHOWN], lineterminator="\n")
    table.writeheader()
    for product in products:
        table.writerow(_fields(product))


def _write_json(products: Iterable[Product]) -> None:
    _write_array("[", map(_fields, products), "]")


def _write_geojson(products: Iterable[Product]) -> None:
    features = (product.feature for product in products)
    _write_array('{"type": "FeatureCollection", "features": [', features, "]}")


def _write_array(opening: str, entries: Iterable[dict[str, Any]], closing: str) -> None:
    """Write an array with one entry a line, as the entries come."""
    sys.stdout.write(opening)
    separator = "\n"
    for entry in entries:
        sys.stdout.write(separator + json.dumps(entry))
        separator = ",\n"
    answer(f"\n{closing}")


def _fields(product: Product) -> dict[str, Any]:
    """Return what a script is told of a product."""
    own = {name: getattr(product, name) for name in _COLUMNS}
    for name in ("start", "end"):
        own[name] = own[name] and own[name].isoformat().replace("+00:00", "Z")
    return {**own, **{name: product.properties.get(name) for name in _SHOWN}}


_FORMS: dict[str | None, Callable[[Iterable[Product]], None]] = {
    None: _write_table,
    "json": _write_json,
    "geojson": _write_geojson,
    "csv": _write_csv,
    "titles": _write_titles,
}
