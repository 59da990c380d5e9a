"""Run by alembic: the steps go over the connection, and in the transaction, that `database.migrate` opened."""

from alembic import context

from controller.records.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA, transactional_ddl=True)
context.run_migrations()
