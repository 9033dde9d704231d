import multiprocessing

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from catalog_db import migrations
from catalog_db.engine import Engine, create_engine
from catalog_db.errors import SchemaError
from catalog_db.tables import metadata


def test_an_upgrade_from_empty_gives_the_tables_of_the_program(engine: Engine):
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, metadata) == []


def test_an_upgrade_from_empty_gives_the_statements_of_the_program(
    engine: Engine, databases, database_kind, tmp_path
):
    # What autogeneration does not compare: checks, partial indexes, primary keys, collations.
    with databases.fresh(database_kind, tmp_path / "direct", is_migrated=False) as url:
        direct = create_engine(url)
        with direct.begin() as connection:
            metadata.create_all(connection)

        assert _shape(engine) == _shape(direct)
        direct.dispose()


INDEXES = {
    "sqlite": "SELECT name, sql FROM sqlite_schema"
    " WHERE type = 'index' AND sql IS NOT NULL ORDER BY name",
    "postgresql": "SELECT indexname, indexdef FROM pg_indexes"
    " WHERE schemaname = 'public' AND tablename <> 'alembic_version' ORDER BY indexname",
}


def _shape(engine: Engine) -> dict[str, object]:
    """Everything the database says about its tables, in an order of its own."""
    with engine.connect() as connection:
        inspector = inspect(connection)
        names = sorted(set(inspector.get_table_names()) - {"alembic_version"})
        indexes = connection.execute(text(INDEXES[engine.dialect.name])).all()
        tables = {
            name: [
                [
                    str(column["name"]) + str(column["type"])
                    for column in inspector.get_columns(name)
                ],
                sorted(str(check["sqltext"]) for check in inspector.get_check_constraints(name)),
                inspector.get_pk_constraint(name),
                sorted(map(str, inspector.get_foreign_keys(name))),
                sorted(
                    str(unique["column_names"]) for unique in inspector.get_unique_constraints(name)
                ),
            ]
            for name in names
        }
        return {"tables": tables, "indexes": [tuple(row) for row in indexes]}


def test_each_migration_can_be_taken_back(engine: Engine):
    config = migrations._config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")

        assert inspect(connection).get_table_names() == ["alembic_version"]
    migrations.upgrade(engine)
    assert migrations.current(engine) == migrations.newest()


def test_an_upgrade_from_the_first_release_keeps_its_rows(empty_database_url: str):
    engine = create_engine(empty_database_url)
    config = migrations._config()
    row = {"name": "31TCJ", "x0": -1, "y0": 2, "x1": 3, "y1": 4}
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(metadata.tables["cell"].insert(), [row])
    migrations.upgrade(engine)

    with engine.connect() as connection:
        (kept,) = connection.execute(text("SELECT name, x0, y0, x1, y1 FROM cell")).mappings()
        assert dict(kept) == row
        assert connection.execute(text("SELECT count(*) FROM worker")).scalar_one() == 0
    engine.dispose()


def _upgrade(url: str, start, results) -> None:
    start.wait()
    engine = create_engine(url)
    migrations.upgrade(engine)
    results.put(migrations.current(engine))


def test_processes_that_upgrade_at_once_all_find_the_newest_schema(empty_database_url: str):
    spawn = multiprocessing.get_context("fork")
    start, results = spawn.Event(), spawn.Queue()
    workers = [
        spawn.Process(target=_upgrade, args=(empty_database_url, start, results)) for _ in range(4)
    ]
    for worker in workers:
        worker.start()
    start.set()
    found = [results.get(timeout=200) for _ in workers]
    for worker in workers:
        worker.join()

    assert found == [migrations.newest()] * 4
    assert [worker.exitcode for worker in workers] == [0] * 4


def test_a_database_of_a_newer_program_is_refused(engine: Engine):
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(SchemaError, match="9999"):
        migrations.upgrade(engine)


def test_a_second_upgrade_changes_nothing(engine: Engine):
    migrations.upgrade(engine)

    assert migrations.current(engine) == migrations.newest()
