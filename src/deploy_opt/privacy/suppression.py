"""Hide small counts of a table, with enough others that no hidden one can be worked out.

Counts of 1 to 10 are hidden, totals included; 0 may be shown. A line (row or column with its
total) with a single hidden cell gives it away, so the next smallest is hidden too. Then the table
is attacked by linear programming (`attack.hidden_ranges`), and wherever a hidden cell is
pinned down to less than the asked range, one more cell of its lines is hidden.

References
----------
Cox (1980), Suppression methodology and statistical disclosure control, JASA 75.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList
from deploy_opt.privacy.attack import hidden_ranges

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOTAL = "total"
"""Name of the row and of the column of sums."""
SMALLEST_SHOWN = 11
"""Counts from 1 up to one less are hidden (a usual threshold of US federal tables)."""
NARROWEST_RANGE = 3.0
"""Least width of the range that a hidden count can be narrowed down to."""


@dataclass(frozen=True, slots=True)
class SuppressedTable:
    """A table fit to be published.

    Attributes
    ----------
    counts
        Counts with their totals (row and column `TOTAL`), Int64; missing: hidden.
    num_small
        Cells hidden because they are small, totals included.
    num_complementary
        Cells hidden so that those cannot be worked out. Which is which is not for publication.
    """

    counts: pd.DataFrame
    num_small: int
    num_complementary: int


def suppress(
    counts: pd.DataFrame,
    *,
    smallest_shown: int = SMALLEST_SHOWN,
    narrowest_range: float = NARROWEST_RANGE,
) -> SuppressedTable:
    """Hide small cells and what would give them away.

    Parameters
    ----------
    counts
        Counts of events, such as areas (rows) by hours (columns); whole numbers of at least 0.
    smallest_shown
        Smallest count above 0 that may be shown.
    narrowest_range
        Least width of the range that a reader can work out for a hidden cell.

    Returns
    -------
    SuppressedTable
        In the order of the rows and columns given, totals last.

    Raises
    ------
    InputError
        If there are no rows or columns, a count is not a whole number of at least 0, or a row or
        column is named ``total``.
    """
    table = _with_totals(counts, smallest_shown, narrowest_range)
    hidden = (table > 0) & (table < smallest_shown)
    num_small = int(hidden.sum())
    while True:
        _hide_partners(table, hidden)
        weak = _narrow_cells(table, hidden, narrowest_range)
        if not len(weak):
            break
        for row, column in weak:
            _hide_smallest(table, hidden, [(row, None), (None, column)])
    shown = pd.DataFrame(
        table.astype(np.int64),
        index=[*counts.index, TOTAL],
        columns=[*counts.columns, TOTAL],
    ).astype("Int64")
    return SuppressedTable(shown.mask(hidden), num_small, int(hidden.sum()) - num_small)


def _hide_partners(table: NDArray[np.float64], hidden: NDArray[np.bool_]) -> None:
    """Hide the next smallest cell of every line that has a single hidden one, until none has."""
    while True:
        rows = np.flatnonzero(hidden.sum(axis=1) == 1)
        columns = np.flatnonzero(hidden.sum(axis=0) == 1)
        if len(rows):
            _hide_smallest(table, hidden, [(int(rows[0]), None)])
        elif len(columns):
            _hide_smallest(table, hidden, [(None, int(columns[0]))])
        else:
            return


def _hide_smallest(
    table: NDArray[np.float64],
    hidden: NDArray[np.bool_],
    lines: list[tuple[int | None, int | None]],
) -> None:
    """Hide the smallest shown cell of some lines: one above 0 if there is one, totals last.

    Among equals a cell that meets another hidden one goes first, so that fewer are lost.
    """
    open_cells = np.zeros_like(hidden)
    for row, column in lines:
        open_cells[
            slice(None) if row is None else row, slice(None) if column is None else column
        ] = True
    open_cells &= ~hidden
    if not open_cells.any():
        open_cells = ~hidden
    rows, columns = np.nonzero(open_cells)
    last_row, last_column = table.shape[0] - 1, table.shape[1] - 1
    total = (rows == last_row).astype(int) + (columns == last_column)
    alone = ~(hidden[rows].any(axis=1) & hidden[:, columns].any(axis=0))
    value = table[rows, columns]
    first = np.lexsort((columns, rows, alone, value, total, value == 0))[0]
    hidden[rows[first], columns[first]] = True


def _narrow_cells(
    table: NDArray[np.float64], hidden: NDArray[np.bool_], narrowest_range: float
) -> list[tuple[int, int]]:
    """Attack the table; list the first hidden cell of too narrow a range, if there is one."""
    if not hidden.any() or hidden.all():
        return []
    least = 0.0 if (table[hidden] == 0).any() else 1.0
    doubtful = hidden & ~_surely_wide(table, hidden, least, narrowest_range)
    if not doubtful.any():
        return []
    published = np.where(hidden, np.nan, table)
    low, high = hidden_ranges(published, least=least, enough=narrowest_range, cells=doubtful)
    narrow = doubtful & ~(high - low >= narrowest_range)
    return [(int(r), int(c)) for r, c in np.argwhere(narrow)[:1]]


def _surely_wide(
    table: NDArray[np.float64], hidden: NDArray[np.bool_], least: float, width: float
) -> NDArray[np.bool_]:
    """Find cells whose range is wide for sure: corners of a rectangle of hidden cells.

    What is added to two opposite corners and taken from the two others changes no total, so each
    corner can move by the smaller of the first pair plus the smaller of the second, above `least`.
    It spares most of the linear programs.
    """
    sure = np.zeros_like(hidden)
    inner = hidden[:-1, :-1]
    for first in range(len(inner) - 1):
        for second in range(first + 1, len(inner)):
            columns = np.flatnonzero(inner[first] & inner[second])
            if sure[first, columns].all() and sure[second, columns].all():
                continue
            a, b = table[first, columns] - least, table[second, columns] - least
            across = np.minimum(a[None, :], b[:, None])
            span = across + across.T
            np.fill_diagonal(span, -np.inf)
            wide = columns[(span >= width).any(axis=1)]
            sure[first, wide] = sure[second, wide] = True
    return sure


def _with_totals(
    counts: pd.DataFrame, smallest_shown: int, narrowest_range: float
) -> NDArray[np.float64]:
    faults = FaultList()
    if smallest_shown < 1:
        faults.add("smallest_shown", str(smallest_shown), "a count of at least 1")
    if not narrowest_range > 0:
        faults.add("narrowest_range", str(narrowest_range), "a width above 0")
    if counts.empty:
        faults.add("counts", f"shape {counts.shape}", "at least one row and one column")
    for axis, names in (("row", counts.index), ("column", counts.columns)):
        if TOTAL in names:
            faults.add(
                "counts", f"a {axis} named {TOTAL!r}", "counts alone", "leave the totals out"
            )
    faults.raise_if_any()
    numbers = counts.apply(pd.to_numeric, errors="coerce").to_numpy(dtype=np.float64)
    wrong = np.argwhere(~(np.isfinite(numbers) & (numbers >= 0) & (numbers == np.floor(numbers))))
    for row, column in wrong[:20]:
        where = f"counts: row {counts.index[row]}, column {counts.columns[column]}"
        faults.add(where, str(counts.iloc[row, column]), "a whole number of at least 0")
    faults.raise_if_any()
    table = np.zeros((numbers.shape[0] + 1, numbers.shape[1] + 1))
    table[:-1, :-1] = numbers
    table[:-1, -1] = numbers.sum(axis=1)
    table[-1] = table[:-1].sum(axis=0)
    return table
