"""The contract of every frame that crosses a stage or lands in a file.

One truth for the checks in the code and for the columns page of the documentation.
"""

from __future__ import annotations

from deploy_opt.tables import checks, pilots, plan, records, services
from deploy_opt.tables.contract import QUANTILES, VALUE_COLUMNS, Column, Table, check_frame

__all__ = [
    "QUANTILES",
    "TABLES",
    "VALUE_COLUMNS",
    "Column",
    "Table",
    "check_frame",
    "columns_page",
]

TABLES: dict[str, Table] = {
    table.name: table
    for table in (*records.TABLES, *plan.TABLES, *services.TABLES, *checks.TABLES, *pilots.TABLES)
}


def columns_page() -> str:
    """Write the documentation page of all tables, Markdown."""
    parts = ["# Columns of every file", "", "Generated from `deploy_opt.tables`.", ""]
    for table in TABLES.values():
        parts += [f"## {table.name}", "", f"Key: {', '.join(table.key)}.", ""]
        parts += ["| column | kind | unit | may be empty | meaning |", "|---|---|---|---|---|"]
        parts += [
            f"| {c.name} | {c.kind} | {c.unit} | {'no' if c.needed else 'yes'} | {c.meaning} |"
            for c in table.columns
        ]
        parts.append("")
    return "\n".join(parts)
