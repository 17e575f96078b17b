"""Schema and SQL: one module per aggregate, the same text on SQLite and PostgreSQL."""
