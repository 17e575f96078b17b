"""Writes the first migration from the schema: `python -m tests.storage.write_first_migration`.

For the time before the first release only; from then on a change of the schema is a migration of its own.
"""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

from alembic.autogenerate.api import AutogenContext
from alembic.autogenerate.render import render_op_text
from alembic.operations.ops import CreateIndexOp, CreateTableOp
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Table

import statuspulse.storage
from statuspulse.storage.schema import BESIDE, metadata

_FILE = Path(statuspulse.storage.__file__).parent / "migrations" / "versions" / "0001_first_schema.py"
_HEAD = '''"""The schema of the first release."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

'''


def first_migration() -> str:
    """One function per table, in the order in which they refer to each other."""
    options = {
        "sqlalchemy_module_prefix": "sa.",
        "alembic_module_prefix": "op.",
        "user_module_prefix": None,
        "render_item": None,
        "render_as_batch": False,
    }
    migration = MigrationContext.configure(dialect_name="postgresql", opts={"target_metadata": metadata})
    context = AutogenContext(migration, metadata, opts=options, autogenerate=False)
    tables = metadata.sorted_tables
    names = "".join(f"        _{table.name},\n" for table in tables)
    upgrade = f"\ndef upgrade() -> None:\n    for create in (\n{names}    ):\n        create()\n\n"
    return _HEAD + upgrade + "".join(_function(context, table) for table in tables)


def _function(context: Any, table: Table) -> str:
    operations = [
        CreateTableOp.from_table(table),
        *(CreateIndexOp.from_index(index) for index in sorted(table.indexes, key=lambda index: str(index.name))),
    ]
    out = io.StringIO()
    out.write(f"\ndef _{table.name}() -> None:\n")
    for operation in operations:
        for line in render_op_text(context, operation).splitlines():
            out.write(f"    {line}\n")
    for dialect, statements in BESIDE.get(table.name, {}).items():
        out.write(f"    if op.get_context().dialect.name == {dialect!r}:\n")
        for statement in statements:
            lines = "\n".join(repr(line) for line in statement.splitlines(keepends=True))
            out.write(f"        op.execute({lines})\n")
    out.write("\n")
    return out.getvalue()


if __name__ == "__main__":
    _FILE.write_text(first_migration(), encoding="utf-8")
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", _FILE], check=True)
