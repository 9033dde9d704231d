"""How much the archive holds: products and bytes by day and mission, from counts kept beside it.

`record` is called in the transaction that changes the products, so the counts are never apart from
them, and no statistic reads the products themselves.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    delete,
    func,
    insert,
    literal,
    select,
)

from catalog_db.tables import daily_volume, item, kind
from catalog_db.upsert import insert_into

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
class ArchiveVolume:
    """How much the archive holds and takes in.

    Parameters
    ----------
    platforms
        All products in service, by satellite.
    last_days
        What was published on each of the last whole days, the earliest first; days without any
        are left out.
    days
        How many these were.
    """

    platforms: Mapping[str, Volume]
    last_days: Mapping[date, Volume]
    days: int

    @property
    def total(self) -> Volume:
        """All products in service."""
        return _sum(self.platforms.values())

    @property
    def daily(self) -> Volume:
        """Products published a day, the mean of the last days."""
        recent = _sum(self.last_days.values())
        return Volume(recent.products // self.days, recent.size_bytes // self.days)


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
        # Numbers are grouped first: sorting the texts of all products would take minutes.
        by_kind = (
            select(
                day.label("day"),
                item.c.kind,
                func.count().label("products"),
                func.sum(item.c.size_bytes).label("size_bytes"),
            )
            .where(item.c.withdrawn.is_(False))
            .group_by(day, item.c.kind)
            .subquery()
        )
        grouped = (by_kind.c.day, kind.c.collection, kind.c.platform, kind.c.product_type)
        counted = (
            select(
                literal(basis),
                *grouped,
                func.sum(by_kind.c.products),
                func.sum(by_kind.c.size_bytes),
            )
            .join_from(by_kind, kind, kind.c.id == by_kind.c.kind)
            .group_by(*grouped)
        )
        connection.execute(
            insert(daily_volume).from_select([*_KEY, "products", "size_bytes"], counted)
        )


def archive_volume(connection: Connection, now: datetime, *, days: int = 30) -> ArchiveVolume:
    """Return how much the archive holds and takes in.

    Parameters
    ----------
    now
        The running day is not whole: it is not among the last days.
    days
        How many whole days before it are looked at.
    """
    columns = daily_volume.c
    today = (now.astimezone(UTC).date() - _EPOCH).days
    platforms = connection.execute(
        _summed(columns.platform).where(columns.basis == "sensed").order_by(columns.platform)
    )
    last_days = connection.execute(
        _summed(columns.day)
        .where(columns.basis == "published", columns.day >= today - days, columns.day < today)
        .order_by(columns.day)
    )
    return ArchiveVolume(
        platforms={row.platform: _volume(row) for row in platforms if row.products},
        last_days={
            _EPOCH + timedelta(days=row.day): _volume(row) for row in last_days if row.products
        },
        days=days,
    )


def monthly_volume(connection: Connection) -> list[MonthVolume]:
    """Return what each satellite sensed in each month, the earliest first."""
    columns = daily_volume.c
    counted: dict[tuple[date, str], Volume] = {}
    days = _summed(columns.day, columns.platform).where(columns.basis == "sensed")
    for row in connection.execute(days):
        key = ((_EPOCH + timedelta(days=row.day)).replace(day=1), row.platform)
        counted[key] = _sum([counted.get(key, Volume(0, 0)), _volume(row)])
    return [
        MonthVolume(month, platform, counted[month, platform])
        for month, platform in sorted(counted)
        if counted[month, platform].products
    ]


def _summed(*keys: ColumnElement[Any]) -> Select[Any]:
    """Return the query of the volume by these columns."""
    columns = daily_volume.c
    return select(
        *keys,
        func.sum(columns.products).label("products"),
        func.sum(columns.size_bytes).label("size_bytes"),
    ).group_by(*keys)


def _volume(row: Row[Any]) -> Volume:
    # PostgreSQL sums 64-bit integers as decimals.
    return Volume(int(row.products), int(row.size_bytes))


def _sum(volumes: Iterable[Volume]) -> Volume:
    listed = list(volumes)
    return Volume(sum(one.products for one in listed), sum(one.size_bytes for one in listed))


def _keys(one: Counted) -> list[tuple[Any, ...]]:
    rest = (one.collection, one.platform, one.product_type)
    return [
        ("sensed", one.t0_us // _DAY_US, *rest),
        ("published", one.published_us // _DAY_US, *rest),
    ]
