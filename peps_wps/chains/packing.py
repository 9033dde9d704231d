"""What most orders give: a zip of all files, and some of them as outputs of their own beside it."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from peps_wps.chains.contract import Json, Output
from peps_wps.writers.archive import write_archive
from peps_wps.writers.json_document import write_json

REPORT_NAME = "report.json"


def packed(archive: Path, members: Mapping[str, Path], report: Json | None = None) -> Output:
    """Write the zip of an order.

    Parameters
    ----------
    archive
        The zip, in the output folder.
    members
        File of each name inside, in the order they shall have.
    report
        Becomes the first member, and a file beside the zip; None for neither.
    """
    if report is not None:
        file = archive.with_name(REPORT_NAME)
        write_json(file, report)
        members = {REPORT_NAME: file, **members}
    write_archive(archive, members)
    return Output("archive", "application/zip", path=archive.name)


def shown(folder: Path, files: Mapping[str, Path], types: Mapping[str, str]) -> tuple[Output, ...]:
    """Copy files into the output folder, where each is an output of its own.

    Parameters
    ----------
    files, types
        File and media type of each output, by its identifier.
    """
    for file in files.values():
        shutil.copyfile(file, folder / file.name)
    return tuple(Output(name, types[name], path=file.name) for name, file in files.items())
