"""A linear or mixed-integer model as arrays, whichever solver will take it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from deploy_opt.errors import FaultList

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from deploy_opt.plan.results import SolveReport

BOUND_TOLERANCE = 1e-7
"""A reduced cost this small on an unlimited column is rounding, not an unbounded model."""


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """Minimise or maximise ``cost @ x + offset`` over bounded columns and ranged rows.

    Attributes
    ----------
    cost
        Objective coefficient per column, shape (columns,).
    matrix
        Row coefficients, CSR, shape (rows, columns).
    row_lower, row_upper
        ``row_lower <= matrix @ x <= row_upper``, shape (rows,); -inf and inf where open.
    lower, upper
        ``lower <= x <= upper``, shape (columns,).
    integer
        True where a column must be whole, shape (columns,).
    maximise
        The sense of the objective.
    offset
        Constant of the objective.
    column_names, row_names
        Names for reading the model as text; empty = numbered.
    """

    cost: NDArray[np.float64]
    matrix: sparse.csr_array
    row_lower: NDArray[np.float64]
    row_upper: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    integer: NDArray[np.bool_]
    maximise: bool = False
    offset: float = 0.0
    column_names: tuple[str, ...] = ()
    row_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        rows, columns = self.matrix.shape
        faults = FaultList()
        for name, size in (
            ("cost", columns), ("lower", columns), ("upper", columns), ("integer", columns),
            ("row_lower", rows), ("row_upper", rows),
        ):  # fmt: skip
            values = getattr(self, name)
            if values.shape != (size,):
                faults.add(f"model.{name}", f"shape {values.shape}", f"shape ({size},)")
            elif np.isnan(values).any():
                faults.add(f"model.{name}", "NaN", "numbers", "check the data behind the model")
        for name, size in (("column_names", columns), ("row_names", rows)):
            names = getattr(self, name)
            if names and (len(names) != size or len(set(names)) != size):
                faults.add(f"model.{name}", f"{len(set(names))} names", f"{size}, all different")
        if not np.isfinite(self.cost).all() or not np.isfinite(self.matrix.data).all():
            faults.add("model", "an infinite coefficient", "finite costs and coefficients")
        faults.raise_if_any()

    @property
    def is_integer(self) -> bool:
        """Whether any column must be whole."""
        return bool(self.integer.any())

    @property
    def worst(self) -> float:
        """The objective value that everything beats: inf when minimising, -inf otherwise."""
        return -np.inf if self.maximise else np.inf


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """What a solve found.

    Attributes
    ----------
    report
        Outcome with objective, bound, gap and work done.
    x
        Column values, shape (columns,), whole columns rounded to whole numbers; None when
        nothing feasible was found.
    row_duals, reduced_costs
        From HiGHS, for models without whole columns, shape (rows,) and (columns,): change of the
        objective per unit of a row's binding side or of a column's bound; otherwise None.
    """

    report: SolveReport
    x: NDArray[np.float64] | None
    row_duals: NDArray[np.float64] | None = None
    reduced_costs: NDArray[np.float64] | None = None


def linear_model(
    cost: ArrayLike,
    matrix: Any,  # noqa: ANN401 - any scipy sparse or dense 2-D array; scipy is untyped
    *,
    rows: tuple[ArrayLike, ArrayLike] = (-np.inf, np.inf),
    bounds: tuple[ArrayLike, ArrayLike] = (0.0, np.inf),
    integer: ArrayLike = False,
    maximise: bool = False,
    offset: float = 0.0,
    names: tuple[tuple[str, ...], tuple[str, ...]] = ((), ()),
) -> Model:
    """Make a `Model`; scalars stand for every row or column.

    Parameters
    ----------
    cost
        Objective coefficients, shape (columns,).
    matrix
        Sparse or dense, shape (rows, columns).
    rows
        Lower and upper limits of the rows.
    bounds
        Lower and upper bounds of the columns.
    integer
        Which columns must be whole.
    maximise, offset
        Sense and constant of the objective.
    names
        Column names and row names.

    Returns
    -------
    Model

    Raises
    ------
    InputError
        A shape does not fit, a NaN, an infinite coefficient, a repeated name.

    Examples
    --------
    >>> model = linear_model([3.0, 2.0], [[1.0, 1.0]], rows=(-np.inf, 4.0), maximise=True)
    >>> model.matrix.shape, model.upper.tolist()
    ((1, 2), [inf, inf])
    """
    csr = sparse.csr_array(matrix, dtype=np.float64)
    csr.sum_duplicates()
    num_rows, num_columns = csr.shape

    def spread(values: ArrayLike, size: int, dtype: type) -> NDArray[Any]:
        given: NDArray[Any] = np.asarray(values, dtype=dtype)
        return np.full(size, given, dtype=dtype) if given.ndim == 0 else given

    return Model(
        cost=np.asarray(cost, dtype=np.float64),
        matrix=csr,
        row_lower=spread(rows[0], num_rows, np.float64),
        row_upper=spread(rows[1], num_rows, np.float64),
        lower=spread(bounds[0], num_columns, np.float64),
        upper=spread(bounds[1], num_columns, np.float64),
        integer=spread(integer, num_columns, np.bool_),
        maximise=maximise,
        offset=offset,
        column_names=names[0],
        row_names=names[1],
    )


def keeps_rows(model: Model, x: NDArray[np.float64], *, tolerance: float = 1e-6) -> bool:
    """Say whether a point keeps every row, bound and whole column of a model.

    Examples
    --------
    >>> model = linear_model([3.0, 2.0], [[1.0, 1.0]], rows=(-np.inf, 4.0), maximise=True)
    >>> keeps_rows(model, np.array([3.0, 1.0])), keeps_rows(model, np.array([4.0, 1.0]))
    (True, False)
    """
    left = model.matrix @ x
    inside = (left >= model.row_lower - tolerance) & (left <= model.row_upper + tolerance)
    bounded = (x >= model.lower - tolerance) & (x <= model.upper + tolerance)
    whole = np.abs(x - np.round(x))[model.integer] <= tolerance
    return bool(inside.all() and bounded.all() and whole.all())


def lagrangian_bound(model: Model, row_duals: NDArray[np.float64]) -> float:
    """Bound the objective from any row multipliers.

    ``L(y) = offset + sum_i min(y_i b_i) + sum_j min((c - A'y)_j x_j)``, each minimum over the
    row's or column's own limits, is below every feasible objective (a maximum is bounded from
    above by the mirrored sum), also when the multipliers are only nearly optimal, as from an
    interior-point method without crossover (Geoffrion 1974, *Mathematical Programming Study* 2).

    Parameters
    ----------
    model
        The model; whole columns are taken as continuous.
    row_duals
        Multipliers, shape (rows,), signed as in `Solution`.

    Returns
    -------
    float
        The bound, in objective units; -inf (or inf when maximising) if the multipliers bound
        nothing.

    Examples
    --------
    >>> model = linear_model([3.0, 2.0], [[1.0, 1.0]], rows=(-np.inf, 4.0), maximise=True)
    >>> lagrangian_bound(model, np.array([3.0]))
    12.0
    """
    sign = -1.0 if model.maximise else 1.0
    duals = sign * row_duals
    reduced = sign * model.cost - model.matrix.T @ duals
    return float(
        sign
        * (
            sign * model.offset
            + _least(duals, model.row_lower, model.row_upper)
            + _least(reduced, model.lower, model.upper)
        )
    )


def _least(
    slope: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> float:
    """Sum the least of ``slope * v`` over ``low <= v <= high``, element by element."""
    at = np.where(slope > 0, low, high)
    slope = np.where(np.isinf(at) & (np.abs(slope) <= BOUND_TOLERANCE), 0.0, slope)
    product = np.multiply(slope, at, out=np.zeros_like(slope), where=slope != 0)
    return float(product.sum())
