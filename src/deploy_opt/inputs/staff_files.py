"""Read leave data: paid hours away from a role, by kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from deploy_opt.errors import FaultList, InputError, nearest
from deploy_opt.inputs.text_tables import FIRST_LINE, read_text_table

if TYPE_CHECKING:
    from pathlib import Path

_MOST_ROWS = 1_000_000


def read_leave(path: Path, *, role: str) -> pd.DataFrame:
    """Read the hours away of one role from a table kind, hours [, role].

    Parameters
    ----------
    path
        CSV (also .gz) or Parquet.
    role
        Rows of other roles are left out, where the table has a column role.

    Returns
    -------
    pandas.DataFrame
        kind, hours: one row for each of the role's rows.

    Raises
    ------
    InputError
        For missing columns, hours that are no number of 0 or more, and a role without rows.
    """
    table = read_text_table(path, max_rows=_MOST_ROWS)
    faults = FaultList()
    for column in ("kind", "hours"):
        if column not in table.columns:
            near = nearest(column, [str(name) for name in table.columns])
            faults.add(str(path), f"no column {column!r}", "columns kind and hours", near)
    faults.raise_if_any()
    if "role" in table.columns:
        roles = table["role"].str.strip()
        if not (roles == role).any():
            near = nearest(role, roles.unique().tolist())
            raise InputError.of(str(path), f"no row of the role {role!r}", "its hours away", near)
        table = table[roles == role]
    hours = pd.to_numeric(table["hours"], errors="coerce")
    for row, text in table.loc[~(hours >= 0), "hours"].head(5).items():
        where = f"{path}: line {int(row) + FIRST_LINE}, hours"
        faults.add(where, repr(text), "hours of 0 or more")
    faults.raise_if_any()
    kinds = table["kind"].str.strip()
    return pd.DataFrame({"kind": kinds, "hours": hours.astype(float)}).reset_index(drop=True)
