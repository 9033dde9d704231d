"""Composites of a series, published beside its dates: means of months, ratios, colours."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from peps_wps.chains.composites.composites import (
    MONTHLY,
    Composite,
    Making,
    Source,
    write_composites,
)
from peps_wps.chains.contract import Json
from peps_wps.chains.ortho_s1.values import value_format
from peps_wps.chains.tiling_s1.filtering import filtered_of
from peps_wps.chains.tiling_s1.holdings import channels_of, listed
from peps_wps.chains.tiling_s1.tasks import SeriesTask
from peps_wps.datalake.lake import Lake
from peps_wps.writers import naming
from storage.datalake import Product


def publish_composites(
    work: SeriesTask,
    lake: Lake,
    there: Mapping[str, Product],
    wanted: Mapping[str, Product],
    *,
    scratch: Path,
    threads: int,
    told: Callable[[float], None],
) -> list[Json]:
    """Publish the composites of an order.

    Means are of all dates of a month, those of earlier orders among them, before any filter; ratios
    and colours of each date of the order, filtered where it is.

    Returns
    -------
    What the outputs say of each: its item and its files.
    """
    months = {product.folder.rpartition("/")[0] for product in wanted.values()}
    of_months = [one for one in there.values() if one.folder.rpartition("/")[0] in months]
    series = work.series
    making = Making(
        series.tile,
        naming.composite_stem(
            series.tile,
            "".join(series.polarizations),
            series.orbit_direction,
            series.relative_orbit,
            work.order.calibration,
        ),
        value_format(work.order.format, work.order.calibration),
        datetime.now(UTC),
        scratch,
        threads=threads,
    )
    means = [kind for kind in work.order.composites if kind == MONTHLY]
    others = [kind for kind in work.order.composites if kind != MONTHLY]
    published: list[Json] = []
    for kinds, products in ((means, of_months), (others, list(wanted.values()))):
        is_filtered = kinds is others
        sources = [_source(lake, product, is_filtered=is_filtered) for product in products]
        if kinds:
            composites = write_composites(kinds, sources, making, told)
            published += [_publish(lake, one) for one in composites]
    return published


def _source(lake: Lake, product: Product, *, is_filtered: bool) -> Source:
    filtered = filtered_of(lake, product) if is_filtered else []
    return Source(product.folder, product.item, channels_of(lake, [product, *filtered]))


def _publish(lake: Lake, composite: Composite) -> Json:
    product = lake.publish(composite.folder, composite.item, list(composite.files))
    return {"items": [product.path], "files": listed(product)}
