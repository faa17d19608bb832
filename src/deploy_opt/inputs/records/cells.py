"""Hold a column of text as its distinct texts and the position of each row's text among them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pandas as pd

from deploy_opt.inputs.text_tables import MISSING

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

Scalar = TypeVar("Scalar", bound=np.generic)
_CLOCK_OF_DATE = re.compile(r"(?:T|\s+)\d{1,2}:\d{2}.*$")
REDACTED = frozenset({"redacted", "[redacted]", "*redacted*"})


@dataclass(frozen=True, slots=True)
class Cells:
    """One column of a batch.

    Attributes
    ----------
    header
        Name of the column in the file.
    unique
        Distinct texts, stripped; shape (u,), dtype object.
    codes
        Position of each row's text in `unique`, -1 for a missing cell; shape (rows,).
    redacted
        Rows whose cell says REDACTED (then missing); shape (rows,).
    """

    header: str
    unique: NDArray[np.object_]
    codes: NDArray[np.int32]
    redacted: NDArray[np.bool_]

    @property
    def present(self) -> NDArray[np.bool_]:
        """Rows with a text."""
        return self.codes >= 0

    def text(self, row: int) -> str:
        """Text of one row; empty when missing."""
        return str(self.unique[self.codes[row]]) if self.codes[row] >= 0 else ""

    def rows(self, kept: NDArray[np.bool_]) -> Cells:
        """Keep the marked rows only."""
        return Cells(self.header, self.unique, self.codes[kept], self.redacted[kept])

    def rows_where(self, marked: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Rows whose distinct text is marked; `marked` has shape (u,)."""
        if not len(self.unique):
            return np.zeros(len(self.codes), dtype=bool)
        rows: NDArray[np.bool_] = marked[self.codes] & self.present
        return rows

    def is_any_of(self, words: Collection[str]) -> NDArray[np.bool_]:
        """Rows whose text is one of `words`, in upper or lower case."""
        lower = {word.lower() for word in words}
        return self.rows_where(np.array([t.lower() in lower for t in self.unique], dtype=bool))

    def spread(self, values: NDArray[Scalar], fill: object) -> NDArray[Scalar]:
        """One value per row from one value per distinct text; `fill` where the cell is missing."""
        out: NDArray[Scalar] = np.full(len(self.codes), fill, dtype=values.dtype)
        has = self.present
        out[has] = values[self.codes[has]]
        return out


def make_cells(
    header: str,
    unique: NDArray[np.object_],
    codes: NDArray[np.int32],
    *,
    missing: Collection[str] = (),
) -> Cells:
    """Strip the distinct texts and mark the words for nothing as missing.

    Parameters
    ----------
    header
        Name of the column.
    unique, codes
        As in `Cells`, raw; codes of null cells are -1.
    missing
        Words for nothing beside the usual ones, in upper or lower case.
    """
    stripped = np.array([str(text).strip() for text in unique], dtype=object)
    lower = [text.lower() for text in stripped]
    nothing = MISSING | {word.lower() for word in missing}
    hidden = np.array([text in REDACTED for text in lower], dtype=bool)
    empty = hidden | np.array([text in nothing for text in lower], dtype=bool)
    raw = Cells(header, stripped, codes, np.zeros(0, dtype=bool))
    redacted = raw.rows_where(hidden)
    clean = codes.copy()
    clean[raw.rows_where(empty)] = -1
    return Cells(header, stripped, clean, redacted)


def joined(date: Cells, time: Cells) -> Cells:
    """Join a date and a time column into one column of ``date time``.

    A time of day in the date column, such as the 12:00:00 AM that databases write, is cut off.
    """
    days = [_CLOCK_OF_DATE.sub("", day) for day in date.unique]
    has = date.present & time.present
    pairs = np.full(len(has), -1, dtype=np.int64)
    pairs[has] = date.codes[has].astype(np.int64) * max(1, len(time.unique)) + time.codes[has]
    codes, keys = pd.factorize(np.where(has, pairs, -1))
    texts = np.array(
        [
            f"{days[key // len(time.unique)]} {time.unique[key % len(time.unique)]}"
            if key >= 0
            else ""
            for key in keys
        ],
        dtype=object,
    )
    codes = np.where(has, codes, -1).astype(np.int32)
    return Cells(f"{date.header} + {time.header}", texts, codes, date.redacted | time.redacted)
