"""Run by Alembic: migrate over the connection that ``catalog_db.migrations.upgrade`` opened."""

from alembic import context

from catalog_db.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite changes a table by rebuilding it
    transactional_ddl=True,  # true of SQLite as our engine begins its transactions
)
with context.begin_transaction():
    context.run_migrations()
