"""Every test of the store runs on SQLite and on a real PostgreSQL."""

from tests.support.postgres import database_url, postgres_server, postgres_url

__all__ = ["database_url", "postgres_server", "postgres_url"]
