"""The `peps` command: which subcommands there are. What they do is imported when one is called."""

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from peps_wps import kernel_cache
from peps_wps.cli.terminal import EXIT_CODES, INTERRUPTED, USAGE, say

DEFAULT_URL = "http://127.0.0.1:5000"

WORKERS_HELP = "jobs running at once on this machine (default: [processing] parallelprocesses)"

# Of jobs, as catalog_db.processing.jobs has them; `--help` loads no database.
STATES = ("accepted", "staging", "queued", "running", "succeeded", "failed", "dismissed")

# What follows `peps recall`, where it is no product.
RECALL_ACTIONS = ("request", "wait", "status", "list", "cancel", "release", "retry", "drop")

# Subcommand -> module:function(arguments) -> exit code
COMMANDS = {
    "serve": "peps_wps.cli.serve:serve",
    "worker": "peps_wps.cli.serve:worker",
    "ingest": "peps_wps.cli.archive:ingest",
    "withdraw": "peps_wps.cli.archive:withdraw",
    "db": "peps_wps.cli.archive:database",
    "jobs": "peps_wps.cli.jobs:jobs",
    "execute": "peps_wps.cli.orders:execute",
    "watch": "peps_wps.cli.orders:watch",
    "cancel": "peps_wps.cli.orders:cancel",
    "search": "peps_wps.cli.search:search",
    "download": "peps_wps.cli.download:download",
    "recall": "peps_wps.cli.recall:recall",
    "pool": "peps_wps.cli.recall_queue:pool",
    "demo": "peps_wps.cli.demo:demo",
    "simulate": "simulator.cli:run",
    "user": "peps_wps.cli.user:run",
    "mirror": "peps_wps.cli.mirror:run",
    "datalake": "peps_wps.cli.datalake:run",
}

# Subcommand -> module that knows its arguments, and what it is for
WITH_OWN_ARGUMENTS = {
    "search": ("peps_wps.cli.search", "search the catalogue of a server"),
    "download": ("peps_wps.cli.download", "download products, from tape too"),
    "recall": ("peps_wps.cli.recall", "have products brought from tape to disk"),
    "user": ("peps_wps.cli.user", "who may order and download: add, list, disable..."),
    "mirror": ("peps_wps.cli.mirror", "follow other archives: run, status, reconcile"),
    "datalake": ("peps_wps.cli.datalake", "published results: list, size, verify, prune, remove"),
    "simulate": ("simulator.cli", "write Sentinel products of known truth"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    kernel_cache.use_own_folder()
    given = with_action(list(sys.argv[1:] if arguments is None else arguments))
    parsed = build_parser(given).parse_args(given)
    module, _, function = COMMANDS[parsed.command].partition(":")
    from peps_wps.errors import ConfigError

    try:
        run: Callable[[argparse.Namespace], int] = getattr(
            importlib.import_module(module), function
        )
        return run(parsed)
    except ConfigError as error:
        say(f"peps: {error}")
        return USAGE
    except BrokenPipeError:
        # The reader of a pipe has seen enough; keep the interpreter from flushing into it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED


def with_action(given: list[str]) -> list[str]:
    """Return a command line whose `recall` has an action: without one, products are asked for."""
    if given[:1] != ["recall"] or given[1:2] in ([], ["-h"], ["--help"]):
        return given
    return given if given[1] in RECALL_ACTIONS else ["recall", "request", *given[1:]]


def build_parser(given: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser; `given` tells whose own arguments must be asked for."""
    parser = argparse.ArgumentParser(
        prog="peps",
        description="Sentinel archive with processing beside it.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_service(commands)
    _add_archive(commands)
    _add_orders(commands)
    for name, (module, text) in WITH_OWN_ARGUMENTS.items():
        command = commands.add_parser(name, help=text)
        if name in given:
            importlib.import_module(module).add_arguments(command)
    return parser


_Commands = argparse._SubParsersAction  # argparse has no public name for it


def _add_service(commands: "_Commands[argparse.ArgumentParser]") -> None:
    serve = commands.add_parser("serve", help="run the web service and the workers")
    serve.add_argument("--host", help="address to listen on (default: 127.0.0.1)")
    serve.add_argument("--port", type=int, help="port to listen on (default: 5000)")
    serve.add_argument("--open", action="store_true", help="serve everyone, no credentials asked")
    worker = commands.add_parser(
        "worker", help="run workers without a web service, on this machine or another one"
    )
    for command in (serve, worker):
        command.add_argument("--workers", type=_positive, metavar="N", help=WORKERS_HELP)
        _add_var(command)
    demo = commands.add_parser("demo", help="run the main job once, on simulated data")
    demo.add_argument("--prepare", action="store_true", help="only write and ingest the data")
    demo.add_argument("--url", help="a running server (default: the one at --host and --port)")
    demo.add_argument("--host", help="where a service may run (default: 127.0.0.1)")
    demo.add_argument(
        "--port", type=int, help="its port (default: 5000); where none runs, one is started"
    )
    demo.add_argument("--output", type=Path, default=Path("demo"), metavar="DIR")
    _add_var(demo)


def _add_archive(commands: "_Commands[argparse.ArgumentParser]") -> None:
    ingest = commands.add_parser("ingest", help="take SAFE products into catalogue and archive")
    ingest.add_argument(
        "paths",
        nargs="+",
        type=Path,
        metavar="PATH",
        help="SAFE folder or zip, a folder of them, or a list: STAC, resto (.json, .ndjson), .csv",
    )
    ingest.add_argument(
        "--again", action="store_true", help="take lists from their first record, done or not"
    )
    tier = ingest.add_mutually_exclusive_group()
    tier.add_argument("--tape", dest="tier", action="store_const", const="tape", default="tape")
    tier.add_argument("--disk", dest="tier", action="store_const", const="disk")
    ingest.add_argument(
        "--strict", action="store_true", help="refuse what is not as its manifest states"
    )
    withdraw = commands.add_parser("withdraw", help="take products out of service, for good")
    withdraw.add_argument(
        "identifiers", nargs="+", metavar="IDENTIFIER", help="title or identifier of a product"
    )
    withdraw.add_argument(
        "--successor", metavar="IDENTIFIER", help="the product that takes their place"
    )
    for command in (ingest, withdraw):
        command.add_argument("--json", action="store_true", help="answer in JSON")
        _add_var(command)
    pool = commands.add_parser("pool", help="how full the disk pool is, and what tape is doing")
    pool.add_argument("--json", action="store_true", help="answer in JSON")
    _add_var(pool)
    database = commands.add_parser("db", help="the database: bring it up to date, or ask its state")
    database.add_argument("action", choices=("upgrade", "current", "copy"))
    database.add_argument(
        "source",
        nargs="?",
        metavar="ADDRESS",
        help="copy: the database, as [catalog] url names it, whose rows the configured one gets",
    )
    _add_var(database)


def _add_orders(commands: "_Commands[argparse.ArgumentParser]") -> None:
    execute = commands.add_parser("execute", help="order a processing")
    execute.add_argument("process", metavar="PROCESS")
    execute.add_argument("inputs", nargs="*", metavar="input=value", help="repeat for several")
    execute.add_argument(
        "--watch", action="store_true", help="follow the job and fetch its results"
    )
    watch = commands.add_parser("watch", help="follow a job and fetch its results")
    cancel = commands.add_parser("cancel", help="dismiss a job")
    for command in (watch, cancel):
        command.add_argument("job", metavar="ID", help="the job, or the address of its status")
    for command in (execute, watch):
        command.add_argument(
            "--output", type=Path, metavar="DIR", help="where results go (default: .)"
        )
    _add_jobs(commands)
    for command in (execute, watch, cancel):
        command.add_argument(
            "--url",
            default=default_url(),
            help=f"the server (default: PEPS_URL, else {DEFAULT_URL})",
        )
        command.add_argument("--json", action="store_true", help="answer in JSON, no progress")


def _add_jobs(commands: "_Commands[argparse.ArgumentParser]") -> None:
    jobs = commands.add_parser("jobs", help="list jobs, the newest first")
    jobs.add_argument(
        "--state", action="append", default=[], choices=STATES, help="only jobs in this state"
    )
    jobs.add_argument(
        "--process", action="append", default=[], metavar="NAME", help="only runs of this process"
    )
    jobs.add_argument(
        "--since", type=_instant, metavar="TIME", help="only those accepted since: 2026-11-22T08:00"
    )
    jobs.add_argument("--limit", type=_positive, default=20, metavar="N")
    place = jobs.add_mutually_exclusive_group()
    place.add_argument("--url", help="of this server: those that it shows you (default: PEPS_URL)")
    place.add_argument(
        "--var",
        type=Path,
        metavar="DIR",
        help="of the database of this machine: those of everybody (default: PEPS_VAR)",
    )
    jobs.add_argument("--json", action="store_true", help="answer in JSON")
    jobs.set_defaults(usual_url=default_url())


def default_url() -> str:
    """Return the server that is meant when none is named."""
    return os.environ.get("PEPS_URL", DEFAULT_URL)


def _add_var(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--var",
        type=Path,
        metavar="DIR",
        help="folder of all state (default: PEPS_VAR, else ./var)",
    )


def _instant(text: str) -> datetime:
    """Return an instant; one without a time zone is UTC."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no time such as 2026-11-22T08:00") from None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is below 1")
    return number
