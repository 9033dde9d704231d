"""What is made of all dates of a series together, when each of them has ended."""

from collections.abc import Mapping
from pathlib import Path

from peps_wps.chains.composites.channels import Channel
from peps_wps.chains.contract import Json, Progress, TaskInputs, TaskResult
from peps_wps.chains.ortho_s1.values import value_format
from peps_wps.chains.tiling_s1.composed import publish_composites
from peps_wps.chains.tiling_s1.filtering import DATES, NUMBER, Filtering, filtered_of
from peps_wps.chains.tiling_s1.holdings import DATE, INPUTS, channels_of, dates_of, listed
from peps_wps.chains.tiling_s1.noise_map import write_noise_map
from peps_wps.chains.tiling_s1.preview import Frame, write_preview
from peps_wps.chains.tiling_s1.tasks import Series, SeriesTask
from peps_wps.config import Config
from peps_wps.datalake.lake import Lake
from storage.datalake import Product

_FILTERED_AT, _COMPOSED_AT = 70, 90  # percent of the task


def run_series(work: SeriesTask, inputs: TaskInputs, progress: Progress) -> TaskResult:
    """Filter the dates of a series, draw it and say what there is of it.

    Dates that were left out are not there; the series is of the others.
    """
    lake = Lake(inputs.config.datalake.path)
    lake.files.recover()
    series = work.series
    with lake.lock(
        f"{series.folder}/{series.name}",
        holder=work.name,
        waiting=lambda holder: progress(f"Waiting for {holder}", 0),
    ):
        there = dates_of(lake, series)
        wanted = {date: one for date, one in there.items() if one.path in work.items}
        if wanted and work.order.is_filtered:
            _filter(work, lake, there, wanted, inputs, progress)
        composites = []
        if wanted and work.order.composites:
            composites = publish_composites(
                work,
                lake,
                there,
                wanted,
                scratch=inputs.scratch,
                threads=inputs.config.processing.threads,
                told=lambda fraction: progress(
                    "Composing", _FILTERED_AT + (_COMPOSED_AT - _FILTERED_AT) * fraction
                ),
            )
        progress("Drawing the series", _COMPOSED_AT)
        pictures = _pictures(work, lake, wanted, inputs.scratch) if wanted else {}
        body = {
            "tile": series.tile,
            "series": series.name,
            "collection": series.collection,
            "root": str(lake.root.resolve()),
            "base_url": base_url(inputs.config),
            "dates": [_told(lake, product) for product in wanted.values()],
            "composites": composites,
            "left_out": list(work.left_out),
            "pictures": pictures,
        }
    return TaskResult(body, tuple(pictures.values()))


def base_url(config: Config) -> str:
    """Return what comes before /datalake/ in links; nothing where it is not configured."""
    return (config.server.url or "").rstrip("/")


def _filter(
    work: SeriesTask,
    lake: Lake,
    there: Mapping[str, Product],
    wanted: Mapping[str, Product],
    inputs: TaskInputs,
    progress: Progress,
) -> None:
    """Bring the filtered files up to date."""
    files = _files_of_a_date(work)
    for index, polarizations in enumerate(files):
        filtering = Filtering(
            lake,
            work.series,
            work.order,
            polarizations,
            there,
            inputs.scratch,
            inputs.config.processing.threads,
        )

        def told(fraction: float, begun: int = index) -> None:
            progress("Filtering", _FILTERED_AT * (begun + fraction) / len(files))

        told(0.0)
        filtering.run(wanted, told)


def _files_of_a_date(work: SeriesTask) -> list[tuple[str, ...]]:
    """Return the polarisations in each file of a date."""
    polarizations = work.series.polarizations
    return [polarizations] if work.order.naming == "peps" else [(name,) for name in polarizations]


def _told(lake: Lake, product: Product) -> Json:
    """Return what the outputs say of a date."""
    said = product.item["properties"]
    filtered = filtered_of(lake, product)
    return {
        "date": said[DATE],
        "datetime": said["datetime"],
        "platform": said["platform"],
        "products": said[INPUTS],
        "coverage_percent": said["peps:valid_percent"],
        "mean_db": said["peps:mean_db"],
        "filtered_with": filtered[0].item["properties"][NUMBER] if filtered else None,
        "filter_dates": filtered[0].item["properties"][DATES] if filtered else [],
        "items": [one.path for one in (product, *filtered)],
        "files": [one for of in (product, *filtered) for one in listed(of)],
        "bbox": product.item["bbox"],
    }


def _pictures(
    work: SeriesTask, lake: Lake, wanted: Mapping[str, Product], scratch: Path
) -> dict[str, str]:
    """Write the animation and the map of the noise; return their names by what they are."""
    stem = f"{work.series.tile}_{work.series.name}"
    form = value_format(work.order.format, work.order.calibration)
    images = {date: _best(lake, product, work.series) for date, product in wanted.items()}
    animation = scratch / f"{stem}.webp"
    write_preview(animation, [Frame(date, image) for date, image in images.items()], form.quantity)
    last, channel = list(wanted)[-1], work.series.polarizations[0]
    before, after = channels_of(lake, [wanted[last]])[channel], images[last][channel]
    noise_map = scratch / f"{stem}_enl.tif"
    write_noise_map(noise_map, list(dict.fromkeys((before, after))), form)
    return {"preview": animation.name, "enl": noise_map.name}


def _best(lake: Lake, product: Product, series: Series) -> dict[str, Channel]:
    """Return the image of a date, filtered where there is that."""
    found = {**channels_of(lake, [product]), **channels_of(lake, filtered_of(lake, product))}
    return {name: found[name] for name in series.polarizations}
