"""`peps datalake`: what is published to stay, how much it is, whether it is whole, what goes."""

import argparse
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from catalog_db import times
from peps_wps import logs
from peps_wps.cli.terminal import (
    JOB_FAILED,
    NOTHING_FOUND,
    OK,
    ProgressLine,
    answer,
    answer_json,
    say,
)
from peps_wps.config import Config
from peps_wps.datalake.lake import Lake, origin_of
from peps_wps.datalake.retention import Due, Limits, Removal, due, remove_all
from storage.datalake import Product
from storage.datalake_journal import Entry
from storage.errors import ArchivePathError

_GB = 10**9
_UNNOTED, _GONE = "it is not in the journal", "its item is missing"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listed = actions.add_parser("list", help="products, in the order of their publication")
    size = actions.add_parser("size", help="how many products and bytes, by collection")
    verify = actions.add_parser("verify", help="read all files and compare their checksums")
    prune = actions.add_parser(
        "prune", help="remove what is beyond [datalake] keep_days, budget_gb"
    )
    remove = actions.add_parser("remove", help="remove products by path, or all below a folder")
    for command in (listed, verify):
        command.add_argument("path", nargs="?", default="", help="only below this folder")
    verify.add_argument(
        "--repair",
        action="store_true",
        help="settle what was interrupted, and render catalogue and journal anew",
    )
    prune.add_argument("--keep-days", type=float, metavar="DAYS", help="in place of keep_days")
    prune.add_argument("--budget-gb", type=float, metavar="GB", help="in place of budget_gb")
    remove.add_argument(
        "paths", nargs="+", metavar="PATH", help="an item, one of its files, a folder"
    )
    for command in (prune, remove):
        command.add_argument("--dry-run", action="store_true", help="only say what would go")
    for command in (listed, size, verify, prune, remove):
        command.add_argument("--json", action="store_true", help="answer in JSON")
        command.add_argument("--var", type=Path, metavar="DIR", help="folder of all state")


def run(arguments: argparse.Namespace) -> int:
    """Do what is asked; return the exit code."""
    config = Config.load(var=arguments.var)
    logs.configure(config.logging)
    lake = Lake(config.datalake.path)
    actions = {
        "list": _list,
        "size": _size,
        "verify": _verify,
        "prune": _prune,
        "remove": _remove,
    }
    return actions[arguments.action](arguments, config, lake)


def _list(arguments: argparse.Namespace, _config: Config, lake: Lake) -> int:
    found = _below(lake, arguments.path)
    if arguments.json:
        answer_json([_told(entry) for entry in found])
    for entry in () if arguments.json else found:
        answer(f"{times.to_text(entry.at)}  {entry.size_bytes or 0:15,}  {entry.path}")
    return OK if found else NOTHING_FOUND


def _size(arguments: argparse.Namespace, config: Config, lake: Lake) -> int:
    collections: dict[str, list[Entry]] = {}
    for entry in _below(lake, ""):
        collections.setdefault(entry.path.partition("/")[0], []).append(entry)
    named = sorted(collections.items())
    total = sum(_bytes_of(entries) for entries in collections.values())
    if arguments.json:
        budget = config.datalake.budget_gb * _GB
        rows = [
            {"collection": name, "products": len(entries), "size_bytes": _bytes_of(entries)}
            for name, entries in named
        ]
        answer_json({"collections": rows, "size_bytes": total, "budget_bytes": budget or None})
        return OK
    for name, entries in named:
        answer(f"{len(entries):9,} products  {_bytes_of(entries):19,} bytes  {name}")
    budget_text = f" of {config.datalake.budget_gb:g} GB" if config.datalake.budget_gb else ""
    answer(f"{total:,} bytes{budget_text} in all")
    return OK


def _verify(arguments: argparse.Namespace, _config: Config, lake: Lake) -> int:
    """Compare all files with their items, and the journal with the items."""
    settled = lake.files.recover() if arguments.repair else []
    noted = lake.journal.present()
    problems: dict[str, list[str]] = {}
    folders, checked = set(), 0
    with ProgressLine(quiet=arguments.json) as line:
        for product in lake.files.products(arguments.path):
            checked += 1
            folders.add(product.folder)
            line.show(min(99.0, 100 * checked / max(1, len(noted))), product.folder)
            wrong = list(lake.files.damage(product))
            if product.path not in noted:
                wrong.append(_UNNOTED)
            if wrong:
                problems[product.path] = wrong
    gone = [entry.path for entry in _below(lake, arguments.path) if _is_gone(lake, entry)]
    problems |= {path: [_GONE] for path in gone}
    unsettled = sorted(lake.files.unsettled())
    if arguments.repair:
        _repair(lake, problems, folders)
    if arguments.json:
        answer_json(
            {
                "products": checked,
                "problems": problems,
                "unsettled": unsettled,
                "settled": settled,
            }
        )
    else:
        _say_problems(problems, unsettled)
        answer(f"{checked} products checked, {len(problems)} with problems")
    return JOB_FAILED if problems else OK


def _repair(lake: Lake, problems: dict[str, list[str]], folders: set[str]) -> None:
    """Bring journal and catalogue up to date with the products; damaged files stay as they are."""
    for path in sorted(problems):
        if {_UNNOTED, _GONE} & set(problems[path]):
            lake.settle(path)
    for folder in sorted(folders):
        lake.render(folder)


def _is_gone(lake: Lake, entry: Entry) -> bool:
    return lake.files.read(entry.path) is None


def _say_problems(problems: dict[str, list[str]], unsettled: list[str]) -> None:
    for path, sentences in problems.items():
        for sentence in sentences:
            say(f"{path}: {sentence}")
    for path in unsettled:
        say(f"{path}: is being published or removed, or was when its process died")


def _prune(arguments: argparse.Namespace, config: Config, lake: Lake) -> int:
    """Remove what is beyond the limits, after what dead processes have left."""
    section = config.datalake
    days = section.keep_days if arguments.keep_days is None else arguments.keep_days
    budget_gb = section.budget_gb if arguments.budget_gb is None else arguments.budget_gb
    limits = Limits(timedelta(days=days) if days else None, int(budget_gb * _GB) or None)
    if not arguments.dry_run:
        lake.files.recover()
    chosen = list(due(lake.journal.present(), limits, times.now(), lake.origin))
    return _take_away(lake, chosen, arguments)


def _remove(arguments: argparse.Namespace, _config: Config, lake: Lake) -> int:
    """Remove what is named; nothing at all if one of the names is unknown."""
    chosen: dict[str, Due] = {}
    for path in arguments.paths:
        found = {one.path: one for one in _named(lake, path.strip("/"))}
        if not found:
            say(f"peps: nothing is published as {path}")
            return NOTHING_FOUND
        chosen |= found
    return _take_away(lake, list(chosen.values()), arguments)


def _named(lake: Lake, path: str) -> Iterator[Due]:
    """Yield the product of an item or file, or those below a folder, after what is made of them."""
    try:
        is_folder = lake.files.path(path).is_dir()
        products = list(lake.files.products(path if is_folder else path.rpartition("/")[0]))
    except ArchivePathError:
        return
    noted = lake.journal.present()
    if not is_folder:
        named = {one.path for one in products if path in (one.path, *_paths_of(one))}
        products = [one for one in products if {one.path, origin_of(one)} & named]
    for product in sorted(products, key=lambda one: origin_of(one) == one.path):
        entry = noted.get(product.path)
        published = times.now() if entry is None else entry.at
        yield Due(product.path, published, product.size_bytes, "asked")


def _paths_of(product: Product) -> list[str]:
    return [f"{product.folder}/{name}" for name in product.files]


def _take_away(lake: Lake, chosen: list[Due], arguments: argparse.Namespace) -> int:
    """Remove products, or say which would go."""
    done = Removal()
    if not arguments.dry_run:
        done = remove_all(lake, chosen)
    if arguments.json:
        answer_json(_removal(chosen, done, arguments))
    else:
        for one in chosen:
            state = "in use" if one.path in done.in_use else one.reason
            answer(f"{state:6}  {one.size_bytes:15,}  {one.path}")
        freed = sum(one.size_bytes for one in chosen) if arguments.dry_run else done.freed_bytes
        verb = "would be" if arguments.dry_run else "were"
        number = len(chosen) if arguments.dry_run else len(done.removed)
        answer(f"{number} products {verb} removed, {freed:,} bytes")
    for path, holder in done.in_use.items():
        say(f"{path}: in use by {holder}, not removed")
    return JOB_FAILED if done.in_use else OK


def _removal(chosen: list[Due], done: Removal, arguments: argparse.Namespace) -> dict[str, Any]:
    return {
        "dry_run": arguments.dry_run,
        "chosen": [
            {
                "path": one.path,
                "published": times.to_text(one.published),
                "size_bytes": one.size_bytes,
                "reason": one.reason,
            }
            for one in chosen
        ],
        "removed": done.removed,
        "freed_bytes": done.freed_bytes,
        "in_use": done.in_use,
    }


def _below(lake: Lake, folder: str) -> list[Entry]:
    """Return what is in the journal below a folder, the oldest first."""
    prefix = f"{folder.strip('/')}/" if folder.strip("/") else ""
    return [entry for path, entry in lake.journal.present().items() if path.startswith(prefix)]


def _told(entry: Entry) -> dict[str, Any]:
    published: datetime = entry.at
    return {
        "path": entry.path,
        "published": times.to_text(published, "microseconds"),
        "size_bytes": entry.size_bytes,
    }


def _bytes_of(entries: list[Entry]) -> int:
    return sum(entry.size_bytes or 0 for entry in entries)
