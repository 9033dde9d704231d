"""How far a mirror is: figures of its rows, for reports and for reconciliation."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, select

from catalog_db.mirroring.mirror_announcing import SUPERSEDED, WITHDRAWN_HERE
from catalog_db.mirroring.mirror_rows import MirrorProduct, product_of, select_rows
from catalog_db.tables import mirror_content, mirror_product
from catalog_db.times import from_us, to_us

_UNFINISHED = ("waiting", "fetching", "failed")
_SECOND_US = 1_000_000


@dataclass(frozen=True)
class Backlog:
    """Products of a source that are not here yet; `oldest` is when the first was announced."""

    products: int
    size_bytes: int
    oldest: datetime | None


def backlog(connection: Connection, source: str) -> Backlog:
    """Return what of a source waits, is being fetched or has failed."""
    rows = mirror_product.c
    row = connection.execute(
        select(func.count(), func.sum(rows.size_bytes), func.min(rows.announced_us)).where(
            rows.source == source, rows.state.in_(_UNFINISHED)
        )
    ).one()
    oldest = None if row[2] is None else from_us(row[2])
    return Backlog(int(row[0]), int(row[1] or 0), oldest)


def states(connection: Connection, source: str) -> dict[str, int]:
    """Return how many products of a source are in each state."""
    rows = mirror_product.c
    found = connection.execute(
        select(rows.state, func.count().label("number"))
        .where(rows.source == source)
        .group_by(rows.state)
        .order_by(rows.state)
    )
    return {row.state: int(row.number) for row in found}


def failed(connection: Connection, source: str, limit: int) -> list[MirrorProduct]:
    """Return products that were given up, the last announced first."""
    rows = mirror_product.c
    query = select_rows().where(rows.source == source, rows.state == "failed")
    order = (rows.announced_us.desc(), rows.id)
    return [product_of(row) for row in connection.execute(query.order_by(*order).limit(limit))]


def delays_s(connection: Connection, source: str, since: datetime) -> list[float]:
    """Return how long after its announcement each content was mirrored, seconds, shortest first.

    Those mirrored since an instant, which were announced since it too: what was there before a
    mirror began says nothing of its delay.
    """
    content = mirror_content.c
    delay = content.mirrored_us - content.announced_us
    found = connection.scalars(
        select(delay)
        .join_from(mirror_content, mirror_product)
        .where(
            mirror_product.c.source == source,
            content.mirrored_us >= to_us(since),
            content.announced_us >= to_us(since),
        )
    )
    # A source whose clock is ahead of ours would give less than nothing.
    return sorted(max(0, int(microseconds)) / _SECOND_US for microseconds in found)


def late(connection: Connection, source: str, since: datetime, before: datetime) -> int:
    """Return how many products announced since an instant and before another are not here yet."""
    rows = mirror_product.c
    number = connection.scalar(
        select(func.count()).where(
            rows.source == source,
            rows.state.in_(_UNFINISHED),
            rows.announced_us >= to_us(since),
            rows.announced_us < to_us(before),
        )
    )
    return int(number or 0)


def published_between(
    connection: Connection, source: str, selection: str, begin: datetime, end: datetime
) -> int:
    """Return how many products published in a time the source is known to have, here or not."""
    rows = mirror_product.c
    number = connection.scalar(
        select(func.count()).where(
            rows.source == source,
            rows.selection == selection,
            rows.published_us >= to_us(begin),
            rows.published_us < to_us(end),
            ~_is_deleted(),
        )
    )
    return int(number or 0)


def _is_deleted() -> ColumnElement[bool]:
    """Whether the source has deleted a product, whatever we did with it."""
    rows = mirror_product.c
    is_our_doing = rows.error.startswith(SUPERSEDED) | (rows.error == WITHDRAWN_HERE)
    return (rows.state == "gone") & ~is_our_doing
