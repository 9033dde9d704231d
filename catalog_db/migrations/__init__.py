"""Numbered changes of the schema, and how a database is brought to the newest."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from catalog_db.errors import SchemaError
from catalog_db.locks import Subject, hold, wait_without_limit


def _config() -> Config:
    """Return Alembic's settings; there is no alembic.ini."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def newest() -> str:
    """Return the number of the newest migration."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise SchemaError("the program carries no migration")
    return head


def current(engine: Engine) -> str | None:
    """Return the number of the migration the database is at, None when it is empty."""
    with engine.connect() as connection:
        return _revision(connection)


def upgrade(engine: Engine) -> None:
    """Bring the database to the newest schema; do nothing when it is there already.

    Safe in several processes at once: the first one takes the lock, migrates in one transaction,
    and the others, which wait as long as it takes, then find nothing to do.

    Raises
    ------
    SchemaError
        When the database was written by a newer program, whose migrations are not known here.
    """
    if current(engine) == newest():
        return
    with engine.begin() as connection:
        wait_without_limit(connection)
        hold(connection, Subject.SCHEMA)
        found = _revision(connection)
        _refuse_unknown(found)
        if found != newest():
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _refuse_unknown(revision: str | None) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if revision is not None and revision not in known:
        raise SchemaError(
            f"the database is at schema {revision}, this program knows up to {newest()}: "
            "it was written by a newer version"
        )
