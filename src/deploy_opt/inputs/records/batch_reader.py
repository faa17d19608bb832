"""Look into one batch of text columns, and note traps with file and row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deploy_opt.inputs.records.traps import Finding, find_rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from deploy_opt.inputs.records.cells import Cells
    from deploy_opt.inputs.records.files import Batch
    from deploy_opt.inputs.records.headers import Found
    from deploy_opt.inputs.records.mapping import IncidentMapping


@dataclass(frozen=True, slots=True)
class Reading:
    """What stays the same for every batch of an import.

    Attributes
    ----------
    mapping
        The mapping.
    zone
        Zone of times without an offset; None when nobody says.
    """

    mapping: IncidentMapping
    zone: str | None


class BatchReader:
    """Reads the columns of one batch; holds only what was read and found so far."""

    def __init__(self, batch: Batch, found: Found, reading: Reading) -> None:
        self.batch, self.found, self.reading = batch, found, reading
        self.mapping = reading.mapping
        self.findings: list[Finding] = []
        self.size = len(batch.row)
        self.naive = False

    def cells(self, key: str) -> Cells | None:
        """Column that serves a field; None when the file lacks it."""
        header = self.found.header.get(key)
        return None if header is None else self.batch.cells[header]

    def place(self, row: int) -> str:
        """File and row as a spreadsheet numbers it."""
        return f"{self.batch.file} row {self.batch.row[row]}"

    def note(
        self,
        trap: str,
        field: str,
        marked: NDArray[np.bool_],
        cells: Cells,
        treatment: str,
        *,
        result: NDArray[np.datetime64] | None = None,
    ) -> None:
        """Note the marked rows as a trap; examples show the cell and, if given, what it became."""

        def show(row: int) -> str:
            text = cells.text(row)
            shown = f"{self.place(row)}: {cells.header} {text!r}"
            if result is None:
                return shown
            return f"{shown} -> {str(result[row].astype('datetime64[s]')).replace('T', ' ')}"

        self.findings += find_rows(trap, field, marked, show, treatment)
