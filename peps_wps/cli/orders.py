"""`peps execute`, `peps watch`, `peps cancel`: orders on a server, by WPS."""

import argparse
import dataclasses
import os
from collections.abc import Callable
from pathlib import Path

from peps_wps.cli.terminal import (
    INTERRUPTED,
    JOB_FAILED,
    OK,
    REFUSED,
    UNREACHABLE,
    USAGE,
    ProgressLine,
    answer,
    answer_json,
    say,
)
from peps_wps.cli.text import size_text
from peps_wps.client import (
    ClientError,
    Credentials,
    CredentialsError,
    GoneError,
    JobStatus,
    NotReadyError,
    RefusedError,
    UnreachableError,
    WpsClient,
)


def execute(arguments: argparse.Namespace) -> int:
    """Order a processing; with --watch or --output, follow it and fetch the results."""
    inputs = []
    for given in arguments.inputs:
        identifier, separator, value = given.partition("=")
        if not (separator and identifier):
            say(f"peps: {given} is no input=value")
            return USAGE
        inputs.append((identifier, value))

    def order() -> int:
        client = client_of(arguments.url)
        status = client.execute(arguments.process, inputs)
        if not status.url:
            return _answered_at_once(status, as_json=arguments.json)
        if arguments.watch or arguments.output:
            say(f"Job {status.id}")
            return follow(client, status.url, arguments)
        if arguments.json:
            answer_json(dataclasses.asdict(status))
        else:
            answer(status.id)
            say(f"Follow it with: peps watch {status.id} --url {arguments.url}")
        return OK

    return told(order)


def _answered_at_once(status: JobStatus, *, as_json: bool) -> int:
    """Say what a process gave that keeps nothing."""
    if as_json:
        answer_json(dataclasses.asdict(status))
    else:
        for output in status.outputs:
            answer(output.value or output.href or "")
    if status.state == "failed":
        say(f"The process failed: {status.message}")
        return JOB_FAILED
    return OK


def watch(arguments: argparse.Namespace) -> int:
    """Follow a job and fetch its results."""
    return told(lambda: follow(client_of(arguments.url), arguments.job, arguments))


def cancel(arguments: argparse.Namespace) -> int:
    """Dismiss a job."""

    def dismiss() -> int:
        client_of(arguments.url).dismiss(arguments.job)
        if arguments.json:
            answer_json({"id": arguments.job, "state": "dismissed"})
        else:
            say(f"Job {arguments.job} is dismissed")
        return OK

    return told(dismiss)


def client_of(url: str) -> WpsClient:
    """Return a client of a server, with the credentials that are found."""
    return WpsClient(url, Credentials.find(url, os.environ))


def follow(client: WpsClient, job: str, arguments: argparse.Namespace) -> int:
    """Show the progress of a job until it ends, fetch its results, say where they are."""
    try:
        with ProgressLine(quiet=arguments.json) as line:
            status = client.follow(job, lambda now: line.show(now.percent, now.message))
    except KeyboardInterrupt:
        say(f"\nThe job goes on. Follow it with: peps watch {job} --url {arguments.url}")
        return INTERRUPTED
    files: list[Path] = []
    if status.state == "succeeded":
        files = fetch(client, status, arguments.output or Path(), quiet=arguments.json)
    if arguments.json:
        answer_json(dataclasses.asdict(status) | {"files": [str(path) for path in files]})
    for path in () if arguments.json else files:
        answer(str(path))
    if status.state == "succeeded" and not files:
        # "Finished; the results have expired", or nothing that is a file.
        say(f"No file to fetch: {status.message}")
    if status.state == "failed":
        say(f"The job failed: {status.message}")
        return JOB_FAILED
    return OK


def fetch(client: WpsClient, status: JobStatus, folder: Path, *, quiet: bool = False) -> list[Path]:
    """Fetch the results of a job; return the files."""
    files = []
    for output in status.outputs:
        if output.href is None:
            continue
        with ProgressLine(quiet=quiet) as line:
            show = _transfer(line, output.identifier)
            files.append(client.download(output.href, folder, show))
    return files


def told(run: Callable[[], int]) -> int:
    """Return the exit code of what `run` does, errors told in one line."""
    try:
        return run()
    except RefusedError as error:
        say(f"peps: refused: {error}")
        return REFUSED
    except (CredentialsError, NotReadyError) as error:
        say(f"peps: {error}")
        return REFUSED
    except UnreachableError as error:
        say(f"peps: {error}")
        return UNREACHABLE
    except GoneError as error:
        say(f"peps: the job succeeded, but {error}")
        return JOB_FAILED
    except BrokenPipeError:
        raise  # the reader of a pipe has seen enough
    except (ClientError, OSError) as error:
        say(f"peps: {error}")
        return JOB_FAILED


def _transfer(line: ProgressLine, name: str) -> Callable[[int, int | None], None]:
    """Return what shows a transfer: on a terminal as it goes, elsewhere once a file."""

    def show(done: int, whole: int | None) -> None:
        size = f"of {size_text(whole)}" if whole else size_text(done)
        line.show(100 * done / whole if whole else 0, f"Fetching {name} {size}")

    return show
