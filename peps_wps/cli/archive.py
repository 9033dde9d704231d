"""`peps ingest`, `withdraw` and `db`: what works on the database of this machine."""

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from catalog_db import migrations
from catalog_db.catalogue import products, succession
from catalog_db.catalogue.product import Product
from catalog_db.errors import CatalogError, UnknownProductError
from catalog_db.moving import copy_database
from catalog_db.processing.job_queue import DatabaseError
from peps_wps import logs
from peps_wps.cli.terminal import JOB_FAILED, OK, USAGE, ProgressLine, answer, answer_json, say
from peps_wps.config import Config
from peps_wps.config.values import DatabaseUrl
from peps_wps.services import Services, open_catalogue
from storage.outage import reason_of


def ingest(arguments: argparse.Namespace) -> int:
    """Take products into the archive; one that is refused does not stop the others."""
    from peps_wps.ingest import find_products
    from peps_wps.records import ListError, is_list

    services = open_services(Config.load(var=arguments.var))
    lists = [path for path in arguments.paths if is_list(path)]
    try:
        found = find_products([path for path in arguments.paths if path not in lists])
        answers, are_complete = _ingest_products(found, arguments, services)
        for path in lists:
            one, is_complete = _ingest_list(path, arguments, services)
            answers.append(one)
            are_complete = are_complete and is_complete
    except (ListError, OSError) as error:
        say(f"peps: {error}")
        return JOB_FAILED
    if arguments.json:
        answer_json(answers)
    return OK if are_complete else JOB_FAILED


def _ingest_products(
    paths: Sequence[Path], arguments: argparse.Namespace, services: Services
) -> tuple[list[dict[str, Any]], bool]:
    """Ingest products; return what the JSON answer says of each, and whether none was refused."""
    from peps_wps.ingest import IngestState
    from peps_wps.ingest import ingest as ingest_products

    with ProgressLine(quiet=arguments.json or not sys.stderr.isatty()) as line:
        report = ingest_products(
            paths,
            tier=arguments.tier,
            services=services,
            strict=arguments.strict,
            progress=line.show,
        )
    for product in () if arguments.json else report.products:
        if product.state is IngestState.REFUSED:
            say(f"{product.path}: refused: {product.message}")
        else:
            answer(f"{product.state}  {product.title}  {product.uid}")
        if product.message and product.state is IngestState.ADDED:
            say(f"{product.path}: warning: {product.message}")
    return [dataclasses.asdict(product) for product in report.products], report.is_complete


def _ingest_list(
    path: Path, arguments: argparse.Namespace, services: Services
) -> tuple[dict[str, Any], bool]:
    """Ingest a list; return what the JSON answer says of it, and whether nothing was refused."""
    from peps_wps.ingest_lists import ingest_list

    with ProgressLine(quiet=arguments.json or not sys.stderr.isatty()) as line:
        report = ingest_list(path, services, again=arguments.again, progress=line.show)
    for title, problem in () if arguments.json else report.refused:
        say(f"{path}: {title}: refused: {problem}")
    if not arguments.json:
        answer(f"{report.taken} taken, {len(report.refused)} refused, {report.skipped} done before")
    return dataclasses.asdict(report), not report.refused


def withdraw(arguments: argparse.Namespace) -> int:
    """Take products out of service; one that is unknown does not stop the others."""
    services = open_services(Config.load(var=arguments.var))
    withdrawn, unknown = [], []
    for identifier in arguments.identifiers:
        try:
            product = _withdraw(services, identifier, arguments.successor)
        except UnknownProductError as error:
            unknown.append(str(error))
            continue
        withdrawn.append({"title": product.title, "uid": product.uid})
    if arguments.json:
        answer_json(withdrawn)
    for one in () if arguments.json else withdrawn:
        answer(f"withdrawn  {one['title']}  {one['uid']}")
    for sentence in unknown:
        say(sentence)
    return JOB_FAILED if unknown else OK


def _withdraw(services: Services, identifier: str, successor: str | None) -> Product:
    """Take a product out of service; another one in service may take its place."""
    with services.engine.begin() as connection:
        product = products.get(connection, identifier)
        if product is None:
            raise UnknownProductError(identifier)
        products.withdraw(connection, product.uid)
        if successor is not None:
            follower = products.get(connection, successor)
            if follower is None or follower.withdrawn:
                raise UnknownProductError(successor)  # nothing is withdrawn then
            succession.supersede(connection, product.uid, follower.uid)
    return product


def database(arguments: argparse.Namespace) -> int:
    """Bring the database up to date, say where it stands, or fill it from another one."""
    config = Config.load(var=arguments.var)
    logs.configure(config.logging)
    if (arguments.action == "copy") != (arguments.source is not None):
        say("peps: `peps db copy` takes the address of a database, the other actions none")
        return USAGE
    if arguments.action == "copy":
        return _copy(config, arguments.source)
    if arguments.action == "current" and not is_there(config):
        say(f"peps: there is no database {config.catalog.url}")
        return USAGE
    engine = open_catalogue(config, upgrade=arguments.action == "upgrade")
    answer(str(migrations.current(engine)))
    engine.dispose()
    return OK


def _copy(config: Config, address: str) -> int:
    """Fill the configured database with the rows of another one."""
    catalog = dataclasses.replace(config.catalog, url=DatabaseUrl(address))
    source_config = dataclasses.replace(config, catalog=catalog)
    if not is_there(source_config):
        say(f"peps: there is no database {address}")
        return USAGE
    source = open_catalogue(source_config, upgrade=False)
    target = open_catalogue(config)
    try:
        with ProgressLine() as line:
            copied = copy_database(source, target, line.show)
    except (CatalogError, DatabaseError) as error:
        say(f"peps: nothing was copied: {reason_of(error)}")
        return JOB_FAILED
    finally:
        source.dispose()
        target.dispose()
    for table, number in copied.items():
        answer(f"{number:12}  {table}")
    return OK


def open_services(config: Config) -> Services:
    """Open the database, brought up to date, and the archive."""
    logs.configure(config.logging)
    engine = open_catalogue(config)
    return Services.of(config, engine)


def is_there(config: Config) -> bool:
    """Tell whether the database exists, without making it; one on a server is asked later."""
    scheme, _, path = str(config.catalog.url).partition(":///")
    return not scheme.startswith("sqlite") or Path(path).is_file()
