"""Read who lives where: residents of each area and the shares of population groups among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList, InputError, nearest
from deploy_opt.inputs.text_tables import FIRST_LINE, MISSING, read_text_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

PREFIX = "share_"
"""Columns that hold a group's share of an area's residents start so."""
_MOST_ROWS = 200_000
_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Population:
    """Residents by area, and the shares of groups among them.

    Attributes
    ----------
    area_ids
        Areas, in the order of every areas axis.
    residents
        Residents, shape (areas,).
    names
        Groups, by their columns without ``share_``.
    shares
        Share of an area's residents in each group, 0 to 1, shape (groups, areas). Groups may
        overlap; they need not add up to 1.
    """

    area_ids: tuple[str, ...]
    residents: NDArray[np.float64]
    names: tuple[str, ...]
    shares: NDArray[np.float64]

    @property
    def group_residents(self) -> NDArray[np.float64]:
        """Residents of each group, shape (groups,)."""
        return np.asarray(self.shares @ self.residents, dtype=np.float64)

    def of_areas(self, area_ids: Sequence[str]) -> Population:
        """Put the areas in another order; areas that the table does not hold have no residents."""
        position = {area_id: rank for rank, area_id in enumerate(self.area_ids)}
        rank = np.asarray([position.get(area_id, -1) for area_id in area_ids], dtype=np.int64)
        known = rank >= 0
        residents = np.where(known, self.residents[rank], 0.0)
        shares = np.where(known, self.shares[:, rank], 0.0)
        return Population(tuple(area_ids), residents, self.names, shares)


def read_population(path: Path, *, groups: Sequence[str] | None = None) -> Population:
    """Read the table of residents and group shares.

    Parameters
    ----------
    path
        CSV or Parquet with area_id, population and one column a group: its share of the area's
        residents, 0 to 1.
    groups
        Columns to read as groups; None: every column whose name starts with ``share_``.

    Returns
    -------
    Population

    Raises
    ------
    InputError
        With every fault: a missing column, a repeated area, a number outside its range.
    """
    raw = read_text_table(path, max_rows=_MOST_ROWS)
    faults = FaultList()
    chosen = [c for c in raw.columns if c.startswith(PREFIX)] if groups is None else list(groups)
    for column in ("area_id", "population", *chosen):
        if column not in raw.columns:
            expected = f"a column {column!r}"
            faults.add(str(path), "no such column", expected, nearest(column, raw.columns))
    if groups is None and not chosen:
        expected = "columns share_<group> with the group's share of the residents, 0 to 1"
        faults.add(str(path), "no group", expected)
    faults.raise_if_any()
    ids = raw["area_id"].str.strip()
    if not len(ids):
        raise InputError.of(str(path), "no rows", "one row an area")
    for line in np.flatnonzero(ids.duplicated() | (ids == ""))[:_MOST_NAMED].tolist():
        where = f"{path}, line {line + FIRST_LINE}"
        faults.add(where, f"area_id {ids.iloc[line]!r}", "every area once, by its id")
    residents = _numbers(raw, "population", path, np.inf, faults)
    shares = np.asarray([_numbers(raw, column, path, 1.0, faults) for column in chosen])
    faults.raise_if_any()
    names = tuple(column.removeprefix(PREFIX) for column in chosen)
    return Population(tuple(ids), residents, names, shares)


def _numbers(
    raw: pd.DataFrame, column: str, path: Path, most: float, faults: FaultList
) -> NDArray[np.float64]:
    text = raw[column].str.strip()
    numbers = pd.to_numeric(text.mask(text.str.lower().isin(MISSING)), errors="coerce")
    values: NDArray[np.float64] = numbers.to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = np.flatnonzero(~((values >= 0) & (values <= most)))
    expected = "residents, at least 0" if np.isinf(most) else "a share from 0 to 1"
    for line in wrong[:_MOST_NAMED].tolist():
        found = f"{column} {text.iloc[line]!r}"
        do = "divide percentages by 100" if values[line] > most else ""
        faults.add(f"{path}, line {line + FIRST_LINE}", found, expected, do)
    if len(wrong) > _MOST_NAMED:
        left = len(wrong) - _MOST_NAMED
        faults.add(f"{path}, column {column}", f"{left} more such rows", expected)
    return values
