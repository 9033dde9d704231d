"""The upgrade of a filled database of the release before the counts, timed."""

import time

from alembic import command
from sqlalchemy import func, select

from catalog_db import migrations
from catalog_db.engine import create_engine
from catalog_db.tables import item

# Of the release whose products carried all texts in their own rows.
BEFORE = "0004"


def upgrade(url: str) -> None:
    """Take a loaded database back to the release before, and bring it up to date again."""
    engine = create_engine(url)
    config = migrations._config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, BEFORE)
    start, worked = time.perf_counter(), time.process_time()
    migrations.upgrade(engine)
    wall, cpu = time.perf_counter() - start, time.process_time() - worked
    with engine.connect() as connection:
        number = connection.scalar(select(func.count()).select_from(item))
    release = migrations.current(engine)
    print(f"{number} products from {BEFORE} to {release}: {wall:.0f} s, {cpu:.0f} CPU s of ours")
    engine.dispose()
