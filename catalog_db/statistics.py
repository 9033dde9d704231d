"""How much the archive holds: products and bytes by day and mission, from counts kept beside it.

`record` is called in the transaction that changes the products, so the counts are never apart from
them, and no statistic reads the products themselves.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, delete, func, insert, literal, select

from catalog_db.tables import daily_volume, item, kind
from catalog_db.upsert import insert_into

Basis = Literal["sensed", "published"]

_EPOCH = date(1970, 1, 1)
_DAY_US = 86_400_000_000
_KEY = ("basis", "day", "collection", "platform", "product_type")


class Counted(NamedTuple):
    """What of a product is counted; times in microseconds since 1970."""

    collection: str
    platform: str
    product_type: str
    t0_us: int
    published_us: int
    size_bytes: int


@dataclass(frozen=True)
class Volume:
    """A number of products and their size."""

    products: int
    size_bytes: int


@dataclass(frozen=True)
class MonthVolume:
    """What one mission sensed in one month."""

    month: date
    platform: str
    volume: Volume


@dataclass(frozen=True)
class ArchiveStatistics:
    """What the archive holds.

    Parameters
    ----------
    total
        All products in service.
    platforms
        The same of each satellite.
    months
        By month of sensing and satellite, the earliest first.
    daily
        Bytes published a day, mean of the last whole days asked for.
    last_days
        What was published on each of these days, the earliest first, days without any left out.
    """

    total: Volume
    platforms: Mapping[str, Volume]
    months: Sequence[MonthVolume]
    daily: Volume
    last_days: Mapping[date, Volume]


def record(connection: Connection, gone: Iterable[Counted], come: Iterable[Counted]) -> None:
    """Take products out of the counts and others in, in the transaction that did so to them."""
    products: Counter[tuple[Any, ...]] = Counter()
    sizes: Counter[tuple[Any, ...]] = Counter()
    for sign, changed in ((-1, gone), (1, come)):
        for one in changed:
            for key in _keys(one):
                products[key] += sign
                sizes[key] += sign * one.size_bytes
    # Sorted: two writers then lock rows in the same order.
    rows = [
        {**dict(zip(_KEY, key, strict=True)), "products": products[key], "size_bytes": sizes[key]}
        for key in sorted(products)
        if products[key] or sizes[key]
    ]
    if not rows:
        return
    statement = insert_into(connection, daily_volume)
    old, new = daily_volume.c, statement.excluded
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=_KEY,
            set_={
                "products": old.products + new.products,
                "size_bytes": old.size_bytes + new.size_bytes,
            },
        ),
        rows,
    )


def rebuild(connection: Connection) -> None:
    """Count all products anew: after a bulk load that recorded none."""
    connection.execute(delete(daily_volume))
    for basis, column in (("sensed", item.c.t0_us), ("published", item.c.published_us)):
        # Floor also before 1970, where integer division truncates towards zero.
        day = (column - ((column % _DAY_US) + _DAY_US) % _DAY_US) // _DAY_US
        grouped = (day, kind.c.collection, kind.c.platform, kind.c.product_type)
        counted = (
            select(
                literal(basis),
                *grouped,
                func.count(),
                func.sum(item.c.size_bytes),
            )
            .join_from(item, kind, kind.c.id == item.c.kind)
            .where(item.c.withdrawn.is_(False))
            .group_by(*grouped)
        )
        connection.execute(
            insert(daily_volume).from_select([*_KEY, "products", "size_bytes"], counted)
        )


def archive_statistics(
    connection: Connection, now: datetime, *, last_days: int = 30
) -> ArchiveStatistics:
    """Return what the archive holds, as of `now`.

    Parameters
    ----------
    now
        The running day is not whole: it is left out of the daily volume.
    last_days
        How many whole days before it make the daily volume.
    """
    today = (now.astimezone(UTC).date() - _EPOCH).days
    months = _months(connection)
    platforms: dict[str, Volume] = {}
    for one in months:
        platforms[one.platform] = _sum([platforms.get(one.platform, Volume(0, 0)), one.volume])
    days = {
        _EPOCH + timedelta(days=row.day): Volume(row.products, row.size_bytes)
        for row in connection.execute(_by_day("published", today - last_days, today))
        if row.products
    }
    recent = _sum(days.values())
    return ArchiveStatistics(
        total=_sum(platforms.values()),
        platforms=dict(sorted(platforms.items())),
        months=months,
        daily=Volume(recent.products // last_days, recent.size_bytes // last_days),
        last_days=days,
    )


def _months(connection: Connection) -> list[MonthVolume]:
    counted: dict[tuple[date, str], Volume] = {}
    columns = daily_volume.c
    days = (
        select(
            columns.day,
            columns.platform,
            func.sum(columns.products).label("products"),
            func.sum(columns.size_bytes).label("size_bytes"),
        )
        .where(columns.basis == "sensed")
        .group_by(columns.day, columns.platform)
    )
    for row in connection.execute(days):
        month = (_EPOCH + timedelta(days=row.day)).replace(day=1)
        volume = Volume(int(row.products), int(row.size_bytes))
        key = (month, row.platform)
        counted[key] = _sum([counted.get(key, Volume(0, 0)), volume])
    return [
        MonthVolume(month, platform, counted[month, platform])
        for month, platform in sorted(counted)
        if counted[month, platform].products
    ]


def _by_day(basis: Basis, first: int, end: int) -> Any:
    columns = daily_volume.c
    return (
        select(
            columns.day,
            func.sum(columns.products).label("products"),
            func.sum(columns.size_bytes).label("size_bytes"),
        )
        .where(columns.basis == basis, columns.day >= first, columns.day < end)
        .group_by(columns.day)
        .order_by(columns.day)
    )


def _sum(volumes: Iterable[Volume]) -> Volume:
    listed = list(volumes)
    return Volume(
        sum(int(one.products) for one in listed), sum(int(one.size_bytes) for one in listed)
    )


def _keys(one: Counted) -> list[tuple[Any, ...]]:
    rest = (one.collection, one.platform, one.product_type)
    return [
        ("sensed", one.t0_us // _DAY_US, *rest),
        ("published", one.published_us // _DAY_US, *rest),
    ]
