"""The only door to OR-Tools: yes-or-no choices under linear rows, by CP-SAT."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deploy_opt.errors import SolverError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from deploy_opt.plan.results import Status


@dataclass(frozen=True, slots=True)
class Choice:
    """How a search over yes-or-no choices ended.

    Attributes
    ----------
    status
        ``optimal``, ``limit`` (the work limit stopped it) or ``infeasible``.
    chosen
        The choices, shape (columns,); None where nothing was found.
    cost
        Cost of the choices; NaN where nothing was found.
    bound
        What no choices can cost less than.
    """

    status: Status
    chosen: NDArray[np.bool_] | None
    cost: float
    bound: float


class ChoiceModel:
    """Collects yes-or-no columns and linear rows with whole weights.

    Examples
    --------
    >>> model = ChoiceModel()
    >>> early, late = model.columns(2)
    >>> model.row([(early, 1), (late, 1)], 1, 1)
    >>> model.solve(cost=[(early, 2), (late, 1)]).chosen.tolist()
    [False, True]
    """

    def __init__(self) -> None:
        from ortools.sat.python import cp_model

        self._model = cp_model.CpModel()
        self._columns: list[Any] = []

    def columns(self, number: int) -> list[int]:
        """Add choices and give their positions."""
        first = len(self._columns)
        self._columns += [self._model.new_bool_var("") for _ in range(number)]
        return list(range(first, first + number))

    def row(self, terms: Iterable[tuple[int, int]], least: int, most: int) -> None:
        """Keep the weighted sum of choices between two whole numbers.

        Parameters
        ----------
        terms
            Column and whole weight; a column may come twice.
        least, most
            Bounds of the sum.
        """
        self._model.add_linear_constraint(self._sum(terms), least, most)

    def solve(
        self, *, cost: Iterable[tuple[int, int]] = (), work: float = 10.0, seed: int = 0
    ) -> Choice:
        """Search for the cheapest choices, the same on every machine.

        Parameters
        ----------
        cost
            Column and whole cost.
        work
            Limit in CP-SAT's deterministic units, about seconds on one slow core.
        seed
            Seed of the search's own choices.

        Raises
        ------
        SolverError
            CP-SAT refused the model.
        """
        from ortools.sat.python import cp_model

        if costs := list(cost):
            self._model.minimize(self._sum(costs))
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = seed
        solver.parameters.max_deterministic_time = work
        ended = solver.solve(self._model)
        if ended == cp_model.MODEL_INVALID:
            raise SolverError("CP-SAT refused the model")
        if ended == cp_model.INFEASIBLE:
            return Choice("infeasible", None, np.nan, np.inf)
        bound = float(solver.best_objective_bound)
        if ended == cp_model.UNKNOWN:
            return Choice("limit", None, np.nan, bound)
        chosen = np.asarray([solver.boolean_value(c) for c in self._columns], dtype=np.bool_)
        status: Status = "optimal" if ended == cp_model.OPTIMAL else "limit"
        return Choice(status, chosen, float(solver.objective_value), bound)

    def _sum(self, terms: Iterable[tuple[int, int]]) -> Any:  # noqa: ANN401 - untyped
        from ortools.sat.python import cp_model

        pairs = list(terms)
        return cp_model.LinearExpr.weighted_sum(
            [self._columns[column] for column, _ in pairs], [weight for _, weight in pairs]
        )
