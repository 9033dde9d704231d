"""The filtered files of a series: which are to be made, from what, and their publication.

Sums over all dates stay in the datalake, in one file with the list of the dates in them. They are
published before any date that they filter, so that after a kill what is missing is filtered with
the same sums; they begin anew when a date in them is no longer what it was, or they are damaged.
"""

import json
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import rasterio

from peps_wps.chains.contract import Json
from peps_wps.chains.ortho_s1.values import ValueFormat, value_format
from peps_wps.chains.tiling_s1 import series_filter
from peps_wps.chains.tiling_s1.date_filter import METHODS, Dates, filter_dates
from peps_wps.chains.tiling_s1.holdings import HASH, images_of
from peps_wps.chains.tiling_s1.order import Order
from peps_wps.chains.tiling_s1.series_filter import Output
from peps_wps.chains.tiling_s1.sums_file import SumsReader, UnsoundSumsError
from peps_wps.chains.tiling_s1.tasks import Series
from peps_wps.datalake.lake import SOURCE, Lake
from peps_wps.datalake.parameters import parameters_hash
from peps_wps.writers.stac import instant_text
from peps_wps.writers.tags import filtering_tags
from storage.datalake import Product
from storage.part_file import PREFIX, make_folder, sync_folder

logger = logging.getLogger(__name__)

Told = Callable[[float], None]

MULTITEMPORAL = "quegan"
SUFFIX = "_filtered"
# Properties of a filtered date: how, from which file, and with which others.
FILTER, WINDOW = "peps:filter", "peps:filter_window"
DATES, NUMBER = "peps:filter_dates", "peps:filter_dates_count"
SOURCE_CHECKSUM = "peps:source_checksum"
# Tag of the sums: the parameters, and the dates in them with the checksums of their images.
_CONTRIBUTIONS = "PEPS_CONTRIBUTIONS"
_CHECKSUM = "file:checksum"
_DAMAGED = ".damaged"  # suffix of sums that others were begun for


@dataclass(frozen=True)
class Filtering:
    """The filter of one series, file by file of a date: one, or one a polarisation.

    Parameters
    ----------
    lake, series, order
        Where, what and how.
    polarizations
        Those of the file.
    dates
        Every date of the series that the datalake holds, by what tells them apart.
    scratch, threads
        Where files are written before they are published, and how many cores do it.
    """

    lake: Lake
    series: Series
    order: Order
    polarizations: tuple[str, ...]
    dates: Mapping[str, Product]
    scratch: Path
    threads: int

    def run(self, wanted: Mapping[str, Product], told: Told) -> None:
        """Publish the filtered files of the wanted dates, or of all, that are not up to date."""
        chosen = self.dates if self.order.refilter == "all" else wanted
        missing = {date: product for date, product in chosen.items() if self._is_due(date, product)}
        outputs = {date: self._output(date, product) for date, product in missing.items()}
        files = {self._source(missing[date]): output for date, output in outputs.items()}
        dates = {output.path: date for date, output in outputs.items()}

        def written(path: Path) -> None:
            if path in dates:
                self._publish(dates[path], missing[dates[path]], path)
            else:
                _publish_file(path, self._sums)

        if self._is_multitemporal:
            self._filter_together(files, told, written)
        elif files:
            method = METHODS[METHODS.index(self.order.filter)]
            work = Dates(files, method, self._form, radius=self.order.radius)
            filter_dates(work, threads=self.threads, progress=told, written=written)

    def _filter_together(
        self, files: Mapping[Path, Output], told: Told, written: Callable[[Path], None]
    ) -> None:
        """Bring the sums up to date and filter dates with them."""
        new = tuple(date for date in self.dates if date not in self._known)
        if not files and not new:
            return
        make_folder(self._sums.parent)
        images = series_filter.Series(
            new=tuple(self._source(self.dates[date]) for date in new),
            outputs=files,
            sums=self._part,
            form=self._form,
            previous=self._sums if self._known else None,
            radius=self.order.radius,
            sums_tags={_CONTRIBUTIONS: json.dumps(self._said, sort_keys=True)},
        )
        series_filter.filter_series(images, threads=self.threads, progress=told, written=written)

    @property
    def _is_multitemporal(self) -> bool:
        return self.order.filter == MULTITEMPORAL

    @property
    def _form(self) -> ValueFormat:
        return value_format(self.order.format, self.order.calibration)

    @property
    def _sums(self) -> Path:
        """The file of the sums, which no client sees."""
        name = self.series.name.rpartition("_")[0]
        polarizations = "".join(self.polarizations).lower()
        return self.lake.state_folder(self.series.folder) / f"{name}_{polarizations}_sums.tif"

    @property
    def _part(self) -> Path:
        """Where the sums are written: one of a dead process is written over."""
        return self._sums.with_name(f"{PREFIX}{self._sums.name}")

    @cached_property
    def _known(self) -> dict[str, str]:
        """The dates in the sums with their checksums; none where one has changed since.

        Dates that were removed from the datalake stay in the sums, unless these begin anew.
        """
        if not self._sums.exists():
            return {}
        try:
            parameters, known = _contributions(self._sums)
        except UnsoundSumsError as error:
            damaged = self._sums.with_name(f"{self._sums.name}{_DAMAGED}")
            logger.warning("sums begin anew: %s; kept as %s", error, damaged)
            self._sums.replace(damaged)
            sync_folder(damaged.parent)
            return {}
        now = self._checksums
        is_same = parameters == parameters_hash(self.series.parameters)
        return known if is_same and all(now.get(d, c) == c for d, c in known.items()) else {}

    @cached_property
    def _checksums(self) -> dict[str, str]:
        return {date: self._checksum(product) for date, product in self.dates.items()}

    @cached_property
    def _said(self) -> Json:
        """What the sums say of themselves when all dates are in them."""
        return {
            "parameters": parameters_hash(self.series.parameters),
            "dates": {**self._known, **self._checksums},
        }

    def _used(self, date: str) -> list[str]:
        """Return the dates that a date is filtered with."""
        return sorted(self._said["dates"]) if self._is_multitemporal else [date]

    def _is_due(self, date: str, product: Product) -> bool:
        """Tell whether the filtered file of a date is to be written."""
        there = self.lake.product(product.folder, self._stem(product))
        if there is None:
            return True
        said = there.item["properties"]
        is_same = said[SOURCE_CHECKSUM] == self._checksum(product) and said[
            HASH
        ] == parameters_hash(self.series.parameters)
        is_complete = self.order.refilter != "all" or said[DATES] == self._used(date)
        return not (is_same and is_complete)

    def _file(self, product: Product) -> tuple[str, Json]:
        """Return name and asset of the file of a date."""
        return next(
            (name, asset)
            for name, asset in images_of(product).items()
            if tuple(asset["sar:polarizations"]) == self.polarizations
        )

    def _source(self, product: Product) -> Path:
        return self.lake.files.path(f"{product.folder}/{self._file(product)[0]}")

    def _checksum(self, product: Product) -> str:
        return str(self._file(product)[1][_CHECKSUM])

    def _stem(self, product: Product) -> str:
        return f"{Path(self._file(product)[0]).stem}{SUFFIX}"

    def _output(self, date: str, product: Product) -> Output:
        with rasterio.open(self._source(product)) as dataset:
            before: dict[str, str] = dataset.tags()
        before.pop("AREA_OR_POINT", None)
        tags = filtering_tags(before, self.order.filter, self.order.radius, len(self._used(date)))
        return Output(self.scratch / f"{self._stem(product)}.tif", tags)

    def _publish(self, date: str, product: Product, path: Path) -> None:
        self.lake.publish(product.folder, self._item(date, product, path), [path])
        path.unlink()

    def _item(self, date: str, product: Product, path: Path) -> Json:
        """Return the item of a filtered file: that of the date, and how it was filtered."""
        source = product.item
        _, asset = self._file(product)
        known = {key: value for key, value in asset.items() if not key.startswith("file:")}
        own: dict[str, Any] = {
            "created": instant_text(datetime.now(UTC)),
            "title": f"{source['properties']['title']}, speckle filtered",
            "sar:polarizations": list(self.polarizations),
            SOURCE: source["id"],
            SOURCE_CHECKSUM: asset[_CHECKSUM],
            FILTER: self.order.filter,
            WINDOW: self.order.window,
            DATES: self._used(date),
            NUMBER: len(self._used(date)),
        }
        return {
            **source,
            "id": path.stem,
            "properties": {**source["properties"], **own},
            "assets": {
                "".join(self.polarizations).lower(): {
                    **known,
                    "href": path.name,
                    "title": f"{asset['title']}, speckle filtered",
                }
            },
        }


def filtered_of(lake: Lake, product: Product) -> list[Product]:
    """Return what was published of a date, filtered; one a file of the date."""
    stems = (f"{Path(name).stem}{SUFFIX}" for name in images_of(product))
    found = (lake.product(product.folder, stem) for stem in stems)
    return [one for one in found if one is not None]


def _contributions(path: Path) -> tuple[str, dict[str, str]]:
    """Return the parameters of sums, and the dates in them with their checksums.

    Raises
    ------
    UnsoundSumsError
        When they are damaged.
    OSError
        When they cannot be read just now.
    """
    with SumsReader(path) as sums:
        tags = sums.tags
    try:
        said = json.loads(tags[_CONTRIBUTIONS])
        return said["parameters"], dict(said["dates"])
    except (ValueError, KeyError, TypeError) as error:
        raise UnsoundSumsError(f"{path} does not tell its dates: {error!r}") from error


def _publish_file(path: Path, target: Path) -> None:
    """Let a file that is written take its name, in one step."""
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
    path.replace(target)
    sync_folder(target.parent)
