"""Files by the names that clients of the tape service give them: archive paths, or titles."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, or_, select

from catalog_db.archive.staging import ProductFile, product_files
from catalog_db.groups import groups
from catalog_db.tables import file, item, placement, stage_path


@dataclass(frozen=True)
class StagePath:
    """What a stage request named: a product, or why there is none to stage."""

    path: str
    product: str | None
    error: str | None = None


def find_files(connection: Connection, names: Iterable[str]) -> dict[str, ProductFile]:
    """Return the files that archive paths or titles of products name, as far as there are any."""
    uids: dict[str, str] = {}
    for some in groups(dict.fromkeys(names)):
        rows = connection.execute(
            select(item.c.uid, item.c.title, file.c.path)
            .join_from(item, placement, placement.c.item == item.c.pk)
            .join(file, file.c.id == placement.c.file)
            .where(or_(file.c.path.in_(some), item.c.title.in_(some)))
            .order_by(item.c.uid)
        )
        for row in rows:
            uids[row.title] = uids[row.path] = row.uid
    wanted = {name: uids[name] for name in names if name in uids}
    found = {
        product.uid: product
        for some in groups(dict.fromkeys(wanted.values()))
        for product in product_files(connection, some)
    }
    return {name: found[uid] for name, uid in wanted.items()}


def insert_paths(connection: Connection, request_id: str, paths: Sequence[StagePath]) -> None:
    """Note what a request named."""
    connection.execute(
        stage_path.insert(),
        [
            {"request": request_id, "path": one.path, "product": one.product, "error": one.error}
            for one in paths
        ],
    )


def paths_of(connection: Connection, request_id: str) -> list[StagePath]:
    """Return what a request named, in the order of the paths."""
    rows = connection.execute(
        select(stage_path.c.path, stage_path.c.product, stage_path.c.error)
        .where(stage_path.c.request == request_id)
        .order_by(stage_path.c.path)
    )
    return [StagePath(row.path, row.product, row.error) for row in rows]
