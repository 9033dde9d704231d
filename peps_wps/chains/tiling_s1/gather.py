"""The outputs of an order: what was published and where, statistics, pictures, the report."""

import csv
import io
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from peps_wps.chains.contract import FinishedTask, Json, Output, Outputs, Progress, Task
from peps_wps.chains.packing import packed
from peps_wps.chains.tiling_s1.order import Order
from peps_wps.chains.tiling_s1.tasks import DateTask, is_date
from peps_wps.errors import ChainError
from peps_wps.writers import naming
from peps_wps.writers.json_document import write_json
from peps_wps.writers.publish import published
from peps_wps.writers.stac import COG, LICENCE, VERSION

PROCESS = "S1_TILING"
DATALAKE = "/datalake"
# From /resto/wps/outputs/<job>/ where it is not known what is before it. STAC tools take what
# begins with a slash for a file of theirs.
_TO_ROOT = "../../../.."
_JSON, _CSV, _WEBP = "application/json", "text/csv", "image/webp"
_PICTURE_TYPES = {"preview": _WEBP, "enl": COG}
_COLUMNS = (
    "tile",
    "series",
    "date",
    "datetime",
    "platform",
    "polarization",
    "mean_db",
    "coverage_percent",
    "filtered_with",
)


def gather(
    order: Order, finished: Sequence[FinishedTask], folder: Path, progress: Progress
) -> Outputs:
    """Write the outputs of an order into `folder`.

    Raises
    ------
    ChainError
        When every acquisition was left out.
    """
    progress("Listing the files", 0)
    series = [done.result.body for done in finished if not is_date(done.task.body)]
    left_out = [left for one in series for left in one["left_out"]] + [
        _left_out(done.task, done.result.left_out)
        for done in finished
        if done.result.left_out is not None
    ]
    dates = [date for one in series for date in one["dates"]]
    if not dates:
        raise ChainError(f"every acquisition was left out, the last because {_reason(left_out)}")
    files = list(_files(series))
    write_json(folder / "files.json", {"files": files})
    write_json(folder / "collection.json", _collection(order, series))
    write_json(folder / "statistics.json", {"statistics": list(_statistics(series))})
    _write_csv(folder / "statistics.csv", list(_statistics(series)))
    outputs = [
        Output("files", _JSON, path="files.json"),
        Output("collection", _JSON, path="collection.json"),
        Output("statistics", _JSON, path="statistics.json"),
        Output("statistics_csv", _CSV, path="statistics.csv"),
        *_pictures(finished, folder),
    ]
    if order.archive:
        progress("Packing the archive", 10)
        outputs.append(_archive(order, series, folder))
    report = {
        "process": PROCESS,
        "order": order.to_json(),
        "series": [_reported(one) for one in series],
        "left_out": left_out,
    }
    return Outputs(tuple(outputs), report)


def _left_out(task: Task, reason: str) -> Json:
    """Return what the report says of a date that the order went on without."""
    work = DateTask.from_json(task.body)
    said = {"tile": work.series.tile, "date": work.date, "products": list(work.titles)}
    return {**said, "reason": reason}


def _reason(left_out: Sequence[Json]) -> str:
    return str(left_out[-1]["reason"]) if left_out else "nothing was published"


def _href(series: Json, path: str) -> str:
    return f"{series['base_url']}{DATALAKE}/{path}"


def _files(series: Sequence[Json]) -> Iterator[Json]:
    """Give every file of the order with where a client fetches it."""
    for one in series:
        for of in (*one["dates"], *one["composites"]):
            for file in of["files"]:
                known = {"tile": one["tile"], "series": one["series"]}
                if "date" in of:
                    known["date"] = of["date"]
                yield {"href": _href(one, file["path"]), **known, **file}


def _collection(order: Order, series: Sequence[Json]) -> Json:
    """Return a STAC collection of the items of the order, which stay where they are."""
    dates = [date for one in series for date in one["dates"]]
    boxes = [date["bbox"] for date in dates]
    times = sorted(str(date["datetime"]) for date in dates)
    identifier = f"{PROCESS}-{naming.order_digest(order.to_json())}"
    tiles = ", ".join(sorted({str(one["tile"]) for one in series}))
    items = [
        {
            "rel": "item",
            "href": f"{one['base_url'] or _TO_ROOT}{DATALAKE}/{path}",
            "type": "application/geo+json",
        }
        for one in series
        for of in (*one["dates"], *one["composites"])
        for path in of["items"]
    ]
    return {
        "type": "Collection",
        "stac_version": VERSION,
        "id": identifier,
        "title": f"Sentinel-1 {order.calibration} on {tiles}",
        "description": f"Time series of an order of {PROCESS}: {len(dates)} dates.",
        "license": "other",
        "extent": {
            "spatial": {"bbox": [_union(boxes), *boxes] if len(boxes) > 1 else boxes},
            "temporal": {"interval": [[times[0], times[-1]]]},
        },
        "links": [{"rel": "license", "href": LICENCE, "type": "text/html"}, *items],
    }


def _union(boxes: Sequence[Sequence[float]]) -> list[float]:
    """Return the box around others; the whole turn where one crosses the antimeridian."""
    west, south, east, north = zip(*boxes, strict=True)
    crosses = any(one > other for one, other in zip(west, east, strict=True))
    return [
        -180.0 if crosses else min(west),
        min(south),
        180.0 if crosses else max(east),
        max(north),
    ]


def _statistics(series: Sequence[Json]) -> Iterator[Json]:
    """Give a line a date and polarisation."""
    for one in series:
        for date in one["dates"]:
            for polarization, mean_db in date["mean_db"].items():
                said = {**one, **date, "polarization": polarization, "mean_db": mean_db}
                yield {name: said[name] for name in _COLUMNS}


def _write_csv(path: Path, lines: Sequence[Json]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    with published(path) as stream:
        stream.write(text.getvalue().encode())


def _pictures(finished: Sequence[FinishedTask], folder: Path) -> Iterator[Output]:
    """Copy the pictures of each series; those of the longest are outputs."""
    series = [done for done in finished if done.result.files]
    for done in series:
        for name in done.result.files:
            shutil.copyfile(done.folder / name, folder / name)
    longest = max(series, key=lambda done: len(done.result.body["dates"]))
    for identifier, name in longest.result.body["pictures"].items():
        yield Output(identifier, _PICTURE_TYPES[identifier], path=name)


def _archive(order: Order, series: Sequence[Json], folder: Path) -> Output:
    """Write the zip of all files, in the folders of the datalake."""
    members = {
        path: Path(one["root"]) / path
        for one in series
        for of in (*one["dates"], *one["composites"])
        for path in (*of["items"], *(file["path"] for file in of["files"]))
    }
    return packed(folder / f"{PROCESS}_{naming.order_digest(order.to_json())}.zip", members)


def _reported(series: Json) -> Json:
    """Return what the report says of a series."""
    hidden = ("root", "base_url", "left_out")
    return {name: value for name, value in series.items() if name not in hidden}
