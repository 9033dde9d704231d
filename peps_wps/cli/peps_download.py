"""`peps_download`: the options of peps_download.py, the same files, and better behaviour.

Differences: it speaks to the server of ``PEPS_URL`` and verifies who that is, shows no password to
other programs, finds more than 500 products, continues what broke off, verifies checksums, waits as
long as the server says, and ends with the exit codes of `peps`.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from peps_wps.cli.download import finish, run_downloads
from peps_wps.cli.orders import told
from peps_wps.cli.terminal import EXIT_CODES, NOTHING_FOUND, OK, USAGE, answer, say
from peps_wps.client import Credentials, CredentialsError, Download, Filters, Options, Peps, Product
from peps_wps.client.credentials import read_private

EXAMPLES = """examples:
  peps_download -c S2ST -t 31TCJ -a peps.txt -d 2017-01-01 -f 2017-02-01
  peps_download -c S1 -p GRD --lon 1 --lat 44 -a peps.txt -d 2015-11-01 -f 2015-12-01

"""

# The orbit in which a satellite of Sentinel-1 flew track 1, and how many tracks there are.
_FIRST_ORBITS = {"S1A": 73, "S1B": 27}
_TRACKS = 175


def main(given: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = build_parser()
    arguments = parser.parse_args(given)
    if not (sys.argv[1:] if given is None else given):
        parser.print_help(sys.stderr)
        return USAGE
    try:
        filters = read_filters(arguments)
    except ValueError as error:
        say(f"peps_download: {error}")
        return USAGE
    return finish(lambda results: told(lambda: _run(arguments, filters, results)))


def build_parser() -> argparse.ArgumentParser:
    """Return the parser."""
    parser = argparse.ArgumentParser(
        prog="peps_download",
        description="Download products by the options of peps_download.py.",
        epilog=EXAMPLES + EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("-l", "--location", help="name of a town")
    add("-a", "--auth", type=Path, help="file with address and password on one line, mode 0600")
    add("-w", "--write_dir", type=Path, default=Path(), help="where products go (default: .)")
    add("-c", "--collection", choices=("S1", "S2", "S2ST", "S3"), default="S2")
    add("-p", "--product_type", default="", help="GRD, SLC, OCN; S2MSI1C, S2MSI2A...")
    add("-m", "--sensor_mode", default="", help="IW, EW, SM, WV...")
    add("-n", "--no_download", action="store_true", help="only list what would be downloaded")
    add("-d", "--start_date", help="sensed on that day or later: 2015-12-22")
    add("-f", "--end_date", default="9999-01-01", help="sensed before that day: 2015-12-23")
    add("-t", "--tile", help="MGRS tile: 31TCJ or T31TCJ")
    for name in ("lat", "lon", "latmin", "latmax", "lonmin", "lonmax"):
        add(f"--{name}", type=float, metavar="DEGREES")
    add("-o", "--orbit", type=int, help="relative orbit")
    add("--json", dest="search_json_file", default="search.json", help="where the search goes")
    add("--windows", action="store_true", help="changes nothing")
    add("--cc", "--clouds", dest="clouds", type=int, default=100, help="most clouds, percent")
    add("--sat", "--satellite", dest="sat", help="S1A, S1B, S2A...")
    add("-x", "--extract", action="store_true", help="keep the folder in each zip, not the zip")
    return parser


def read_filters(arguments: argparse.Namespace) -> Filters:
    """Return what is searched for.

    Raises
    ------
    ValueError
        When it is not said where, or twice.
    """
    if arguments.sat and not arguments.sat.startswith(arguments.collection[:2]):
        raise ValueError(f"{arguments.sat} has no products in {arguments.collection}")
    point = (arguments.lon, arguments.lat)
    box = (arguments.lonmin, arguments.latmin, arguments.lonmax, arguments.latmax)
    filters = Filters(
        collection=arguments.collection,
        start=arguments.start_date,
        end=arguments.end_date,
        product_type=arguments.product_type,
        sensor_mode=arguments.sensor_mode,
    )
    if arguments.tile:
        tile = re.fullmatch(r"T?(\w{5})", arguments.tile)
        if tile is None:
            raise ValueError(f"{arguments.tile} is no tile such as 31TCJ or T31TCJ")
        return replace(filters, tile=tile[1])
    has_point, has_box = None not in point, None not in box
    if (arguments.location is not None) + has_point + has_box != 1:
        raise ValueError("say where, once: -t, -l, --lon and --lat, or --lonmin to --latmax")
    if arguments.location is not None:
        return replace(filters, place=arguments.location)
    return replace(filters, point=point) if has_point else replace(filters, box=box)


def _run(arguments: argparse.Namespace, filters: Filters, results: list[Download]) -> int:
    peps = _server(arguments.auth)
    found = list(peps.search(filters))
    _write_search(Path(arguments.search_json_file or "search.json"), found)
    chosen = list(_chosen(found, arguments))
    if not chosen:
        say("No product meets these criteria.")
        return NOTHING_FOUND
    if arguments.no_download:
        for product in chosen:
            answer(f"{product.title} {product.mode} {product.download_url}")
        return OK
    options = Options(extract=bool(arguments.extract))
    return run_downloads(peps, chosen, arguments.write_dir, options, results)


def _server(auth: Path | None) -> Peps:
    """Return the server, with the credentials of a file of one line."""
    if auth is None:
        return Peps()
    try:
        text = read_private(auth)
    except CredentialsError as error:
        # Scripts of years rely on such files: go on, but not in silence.
        say(f"peps_download: warning: {error}")
        text = auth.read_text(encoding="utf-8", errors="replace")
    user, _, password = text.partition("\n")[0].strip().partition(" ")
    if not (user and password):
        raise CredentialsError(f"{auth} does not have an address and a password on its first line")
    return Peps(credentials=Credentials(user=user, password=password.strip()))


def _write_search(path: Path, found: Sequence[Product]) -> None:
    features = [product.feature for product in found]
    collection = {"type": "FeatureCollection", "features": features}
    path.write_text(json.dumps(collection), encoding="utf-8")


def _chosen(found: Sequence[Product], arguments: argparse.Namespace) -> Iterator[Product]:
    """Yield the products that the options mean and that are not there yet."""
    for product in found:
        shown = product.properties
        clouds = shown.get("cloudCover")
        if arguments.sat and shown.get("platform") != arguments.sat:
            continue
        if arguments.collection.startswith("S2") and (clouds or 0) > arguments.clouds:
            continue
        if arguments.orbit is not None and relative_orbit(product) != arguments.orbit:
            continue
        if product.mode == "unknown":
            say(f"{product.title}: its server does not know where it is, and cannot send it")
        elif (arguments.write_dir / f"{product.title}.SAFE").exists():
            say(f"{product.title}: there before")
        else:
            yield product


def relative_orbit(product: Product) -> int | None:
    """Return the relative orbit: from the title of Sentinel-2, counted or as shown for others."""
    in_title = re.search(r"_R(\d{3})(?:_|$)", product.title)
    if product.title.startswith("S2") and in_title:
        return int(in_title[1])
    orbit = product.properties.get("orbitNumber")
    first = _FIRST_ORBITS.get(str(product.properties.get("platform")))
    if first is not None and isinstance(orbit, int):
        return (orbit - first) % _TRACKS + 1
    shown = product.properties.get("relativeOrbitNumber")
    return shown if isinstance(shown, int) else None


if __name__ == "__main__":
    sys.exit(main())
