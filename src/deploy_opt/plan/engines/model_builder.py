"""Build a linear model block by block, with names that make its text readable."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from deploy_opt.plan.engines.linear_model import Model, linear_model

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import ArrayLike, NDArray

_LONGEST_NAME = 40


class ModelBuilder:
    """Collects columns, rows and terms in the order in which they are given.

    Examples
    --------
    >>> builder = ModelBuilder()
    >>> crews = builder.columns(["u_early", "u_late"], upper=5.0, integer=True, cost=-1.0)
    >>> noon = builder.rows(["noon"], lower=3.0)
    >>> builder.terms(noon, crews, 1.0)
    >>> builder.model().matrix.toarray().tolist()
    [[1.0, 1.0]]
    """

    def __init__(self) -> None:
        self._columns: list[str] = []
        self._rows: list[str] = []
        self._column_parts: list[tuple[NDArray[np.float64], ...]] = []
        self._row_parts: list[tuple[NDArray[np.float64], ...]] = []
        self._terms: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]] = []

    @property
    def num_columns(self) -> int:
        """Columns so far."""
        return len(self._columns)

    def columns(
        self,
        names: Sequence[str],
        *,
        lower: ArrayLike = 0.0,
        upper: ArrayLike = np.inf,
        cost: ArrayLike = 0.0,
        integer: bool = False,
    ) -> NDArray[np.int64]:
        """Add columns; numbers stand for every one of them.

        Parameters
        ----------
        names
            Names of the model's text, all different.
        lower, upper
            Bounds.
        cost
            Objective coefficients.
        integer
            Whether they must be whole.

        Returns
        -------
        numpy.ndarray
            Their positions.
        """
        size = len(names)
        parts = (cost, lower, upper, float(integer))
        self._column_parts.append(
            tuple(np.broadcast_to(np.asarray(part, dtype=np.float64), size) for part in parts)
        )
        self._columns += names
        return np.arange(len(self._columns) - size, len(self._columns))

    def rows(
        self, names: Sequence[str], *, lower: ArrayLike = -np.inf, upper: ArrayLike = np.inf
    ) -> NDArray[np.int64]:
        """Add rows without terms and give their positions."""
        size = len(names)
        self._row_parts.append(
            tuple(
                np.broadcast_to(np.asarray(part, dtype=np.float64), size) for part in (lower, upper)
            )
        )
        self._rows += names
        return np.arange(len(self._rows) - size, len(self._rows))

    def terms(self, rows: ArrayLike, columns: ArrayLike, values: ArrayLike) -> None:
        """Add terms ``values * columns`` to rows; shapes are stretched to fit one another."""
        at, of, by = np.broadcast_arrays(
            np.asarray(rows, dtype=np.int64),
            np.asarray(columns, dtype=np.int64),
            np.asarray(values, dtype=np.float64),
        )
        self._terms.append((at.ravel(), of.ravel(), by.ravel()))

    def matrix_terms(
        self,
        rows: NDArray[np.int64],
        columns: NDArray[np.int64],
        matrix: sparse.sparray | NDArray[np.float64],
    ) -> None:
        """Add ``matrix @ columns`` to rows, one row of the matrix for each."""
        parts = sparse.coo_array(matrix)
        at, of = parts.coords
        self.terms(rows[at], columns[of], parts.data)

    def model(self, *, maximise: bool = False) -> Model:
        """Give the model of everything added so far."""
        cost, lower, upper, integer = (
            np.concatenate(parts) for parts in zip(*self._column_parts, strict=True)
        )
        at, of, by = (np.concatenate(parts) for parts in zip(*self._terms, strict=True))
        shape = (len(self._rows), len(self._columns))
        row_lower, row_upper = (
            np.concatenate(parts) for parts in zip(*self._row_parts, strict=True)
        )
        return linear_model(
            cost,
            sparse.coo_array((by, (at, of)), shape=shape),
            rows=(row_lower, row_upper),
            bounds=(lower, upper),
            integer=integer > 0,
            maximise=maximise,
            names=(tuple(self._columns), tuple(self._rows)),
        )


def lp_names(labels: Iterable[object]) -> list[str]:
    """Turn labels into parts of names that every LP reader takes, all different.

    Parameters
    ----------
    labels
        Such as post ids.

    Returns
    -------
    list of str
        Letters, digits and underscores; labels that would fall together get a number.

    Examples
    --------
    >>> lp_names(["Wache 1", "Wache-1", "A/2"])
    ['Wache_1', 'Wache_1_2', 'A_2']
    """
    result: list[str] = []
    taken: set[str] = set()
    for label in labels:
        bare = re.sub(r"[^A-Za-z0-9_]", "_", str(label))[:_LONGEST_NAME]
        name, number = bare, 1
        while name in taken:
            number += 1
            name = f"{bare}_{number}"
        taken.add(name)
        result.append(name)
    return result
