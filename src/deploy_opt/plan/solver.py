"""The only door to solvers: HiGHS through arrays, every other one through PuLP."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import sparse

from deploy_opt.errors import SolverError
from deploy_opt.plan.engines.linear_model import (
    Model,
    Solution,
    lagrangian_bound,
    linear_model,
)
from deploy_opt.plan.engines.outcomes import (
    Limits,
    clock_note,
    infeasible,
    not_beaten,
    relative_gap,
    tidy,
)
from deploy_opt.plan.engines.pulp_engine import (
    lp_text,
    pulp_name,
    solve_cbc,
    solve_through_pulp,
    to_pulp,
    write_lp,
)
from deploy_opt.plan.results import SolveReport, Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = [
    "Limits",
    "LinearAnswer",
    "LinearProgram",
    "Model",
    "Solution",
    "check_engine",
    "engine_title",
    "lagrangian_bound",
    "linear_model",
    "lp_text",
    "solve",
    "to_pulp",
    "write_lp",
]

MIN_LARGEST_COST = 16.0
"""Costs of integer models are scaled up to this by a power of two: solvers prune absolutely."""


def solve(
    model: Model,
    *,
    engine: str = "highs",
    start: NDArray[np.float64] | None = None,
    limits: Limits | None = None,
    **limit: Any,  # noqa: ANN401 - the fields of Limits, checked by its constructor
) -> Solution:
    """Solve a model; how it ended is a value, not an exception.

    Parameters
    ----------
    model
        What to solve.
    engine
        ``highs`` (arrays, any size), ``cbc``, or any solver that PuLP finds on this machine, by
        its name there or its family: ``scip``, ``gurobi``, ``cplex``; PuLP is for small models.
    start
        A feasible point of an integer model to begin from, shape (columns,).
    limits
        When to stop; or give the fields of `Limits` by name: ``solve(model, gap=1e-3)``.
    **limit
        Fields of `Limits`.

    Returns
    -------
    Solution
        ``report.status`` is ``optimal``; ``limit`` with the best found (``x`` is None and the
        objective NaN when nothing was found), bound and gap; or ``infeasible``.

    Raises
    ------
    InputError
        An unknown engine, or one that is not installed on this machine.
    SolverError
        The model is unbounded, or the solver failed.

    Examples
    --------
    >>> knapsack = linear_model(
    ...     [6, 5], [[3, 2]], rows=(-np.inf, 4), bounds=(0, 1), integer=True, maximise=True
    ... )
    >>> found = solve(knapsack)
    >>> found.report.status, found.report.objective, found.x.tolist()
    ('optimal', 6.0, [1.0, 0.0])
    """
    run = _engine(engine)
    rules = limits or Limits(**limit)
    if model.cost.size == 0:
        return _solve_empty(model, rules)
    return run(model, start, rules)


def check_engine(engine: str) -> None:
    """Check that a solver is known and installed, before any work is done.

    Raises
    ------
    InputError
        It is not; the message lists those that are.
    """
    _engine(engine)


def engine_title(engine: str) -> str:
    """Give the name of an engine for reports."""
    return {"highs": "HiGHS", "cbc": "CBC"}.get(engine.lower(), engine)


def _engine(engine: str) -> Callable[[Model, NDArray[np.float64] | None, Limits], Solution]:
    own = ENGINES.get(engine.lower())
    if own is not None:
        return own
    name = pulp_name(engine, tuple(ENGINES))
    return partial(solve_through_pulp, name=name, highs=_solve_highs)


def _solve_empty(model: Model, limits: Limits) -> Solution:
    """Answer a model without columns, which solvers treat each in its own way."""
    if (model.row_lower > 0).any() or (model.row_upper < 0).any():
        return infeasible(model, limits, "none", "0", 0, 0)
    report = SolveReport("optimal", model.offset, model.offset, 0.0, limits.gap, "none", "0")
    return Solution(report, np.zeros(0), np.zeros(model.row_lower.size), np.zeros(0))


# --- HiGHS -----------------------------------------------------------------------------------


def _highs_instance(model: Model, limits: Limits, scale: float) -> Any:  # noqa: ANN401 - untyped
    import highspy

    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = model.cost.size, model.row_lower.size
    lp.col_cost_, lp.offset_ = model.cost * scale, model.offset * scale
    lp.col_lower_, lp.col_upper_ = model.lower, model.upper
    lp.row_lower_, lp.row_upper_ = model.row_lower, model.row_upper
    lp.sense_ = highspy.ObjSense.kMaximize if model.maximise else highspy.ObjSense.kMinimize
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = model.matrix.indptr
    lp.a_matrix_.index_ = model.matrix.indices
    lp.a_matrix_.value_ = model.matrix.data
    if model.is_integer:
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        lp.integrality_ = [kinds[whole] for whole in model.integer.astype(int).tolist()]
    highs = highspy.Highs()
    for option, value in _highs_options(limits, is_integer=model.is_integer).items():
        if highs.setOptionValue(option, value) != highspy.HighsStatus.kOk:
            raise SolverError(f"HiGHS refused the option {option} = {value}")
    if highs.passModel(lp) == highspy.HighsStatus.kError:
        raise SolverError("HiGHS refused the model")
    return highs


def _highs_options(limits: Limits, *, is_integer: bool) -> dict[str, Any]:
    options: dict[str, Any] = {
        "output_flag": False,
        "threads": limits.threads,
        "parallel": "on" if limits.threads > 1 else "off",
        "random_seed": limits.seed,
        "mip_rel_gap": limits.gap,
        "mip_abs_gap": 1e-6,
    }
    if limits.node_limit is not None:
        options["mip_max_nodes"] = limits.node_limit
    if limits.iteration_limit is not None and not is_integer:
        options["simplex_iteration_limit"] = limits.iteration_limit
        options["ipm_iteration_limit"] = limits.iteration_limit
    if limits.time_limit_s is not None:
        options["time_limit"] = float(limits.time_limit_s)
    if not is_integer and limits.lp_method != "choose":
        options["solver"] = "simplex" if limits.lp_method == "simplex" else "ipm"
        options["run_crossover"] = "off" if limits.lp_method == "ipm_no_crossover" else "on"
        if limits.lp_method == "ipm_no_crossover":
            # without crossover, taking presolve back spoils the exactness of the dual values
            options["presolve"] = "off"
    return options


def _solve_highs(model: Model, start: NDArray[np.float64] | None, limits: Limits) -> Solution:
    import highspy

    scale = _cost_scale(model) if model.is_integer else 1.0
    highs = _highs_instance(model, limits, scale)
    if start is not None and model.is_integer:
        given = highspy.HighsSolution()
        given.col_value = np.asarray(start, dtype=np.float64)
        given.value_valid = True
        highs.setSolution(given)
    if _run(highs, limits.threads) == highspy.HighsStatus.kError:
        raise SolverError(f"HiGHS failed: {highs.modelStatusToString(highs.getModelStatus())}")
    ended = highs.getModelStatus()
    if ended == highspy.HighsModelStatus.kUnboundedOrInfeasible:
        highs.setOptionValue("presolve", "off")
        _run(highs, limits.threads)
        ended = highs.getModelStatus()
    if ended == highspy.HighsModelStatus.kUnknown and limits.lp_method == "ipm_no_crossover":
        # the interior point was not exact enough to be called optimal
        return _solve_highs(model, start, replace(limits, lp_method="choose"))
    status = _highs_status(highs, ended)
    info = highs.getInfo()
    nodes = max(int(info.mip_node_count), 0)
    iterations = max(int(info.simplex_iteration_count), 0) + max(int(info.ipm_iteration_count), 0)
    version = str(highs.version())
    if status == "infeasible":
        return infeasible(model, limits, "HiGHS", version, nodes, iterations)
    found = highs.getSolution()
    feasible = info.primal_solution_status == int(highspy.SolutionStatus.kSolutionStatusFeasible)
    approximate = limits.lp_method == "ipm_no_crossover" and status == "optimal"
    x = tidy(model, np.asarray(found.col_value)) if feasible or approximate else None
    objective = float(model.cost @ x) + model.offset if x is not None else np.nan
    duals = reduced = None
    if model.is_integer:
        bound = float(info.mip_dual_bound) / scale
        # a bound beaten by the answer within rounding is the answer
        bound = not_beaten(model, objective, bound)
    elif found.dual_valid:
        duals, reduced = np.asarray(found.row_dual), np.asarray(found.col_dual)
        bound = lagrangian_bound(model, duals)
    else:
        bound = -model.worst
    report = SolveReport(
        status, objective, bound, relative_gap(objective, bound), limits.gap, "HiGHS", version,
        nodes, iterations, notes=clock_note(status, limits),
    )  # fmt: skip
    return Solution(report, x, duals, reduced)


@dataclass(frozen=True, slots=True, eq=False)
class LinearAnswer:
    """How a solve of a `LinearProgram` ended.

    Attributes
    ----------
    status
        ``optimal``; ``cut off``: no point is better than the cut-off; ``infeasible``; ``limit``:
        stopped by the iteration limit.
    objective
        Objective where the solve stopped; exact when optimal, else a guide only.
    x
        Column values, shape (columns,); None unless optimal.
    row_duals, reduced_costs
        As in `Solution`, shape (rows,) and (columns,); None unless optimal.
    """

    status: Literal["optimal", "cut off", "infeasible", "limit"]
    objective: float
    x: NDArray[np.float64] | None = None
    row_duals: NDArray[np.float64] | None = None
    reduced_costs: NDArray[np.float64] | None = None


class LinearProgram:
    """A linear program that is solved again and again as it changes, by HiGHS's simplex.

    Every solve starts from the basis of the one before, which takes a few steps where a solve
    from nothing takes hundreds.

    Parameters
    ----------
    model
        The program; whole columns are taken as continuous.
    jumps
        Whether solves will often start from a basis put back with `restore`: the simplex then
        prices by weights that cost nothing to begin with (Devex).
    """

    def __init__(self, model: Model, *, jumps: bool = False) -> None:
        whole = np.zeros(model.cost.size, dtype=np.bool_)
        self._model = replace(model, integer=whole)
        self._highs = _highs_instance(self._model, Limits(lp_method="simplex"), 1.0)
        self._highs.setOptionValue("presolve", "off")  # it would forget the basis
        if jumps:
            self._highs.setOptionValue("simplex_dual_edge_weight_strategy", 1)
        self.iterations = 0

    def set_row(self, row: int, low: float, high: float) -> None:
        """Change the limits of a row."""
        self._highs.changeRowBounds(row, low, high)

    def set_column(self, column: int, low: float, high: float) -> None:
        """Change the bounds of a column."""
        self._highs.changeColBounds(column, low, high)

    def set_columns(
        self, columns: NDArray[np.int64], low: NDArray[np.float64], high: NDArray[np.float64]
    ) -> None:
        """Change the bounds of several columns, all shape (columns changed,)."""
        if columns.size:
            self._highs.changeColsBounds(columns.size, columns.astype(np.int32), low, high)

    def add_rows(
        self, rows: sparse.csr_array, low: NDArray[np.float64], high: NDArray[np.float64]
    ) -> None:
        """Append rows, shape (rows added, columns), with their limits."""
        added = sparse.csr_array(rows)
        if added.shape[0]:
            self._highs.addRows(
                added.shape[0], low, high, added.nnz,
                added.indptr[:-1].astype(np.int32), added.indices.astype(np.int32), added.data,
            )  # fmt: skip

    def basis(self) -> Any:  # noqa: ANN401 - untyped
        """Give the basis to come back to with `restore`."""
        return self._highs.getBasis()

    def restore(self, basis: Any) -> None:  # noqa: ANN401 - untyped
        """Go back to a basis; rows that were added since are basic in it."""
        import highspy

        missing = self._highs.getNumRow() - len(basis.row_status)
        if missing:
            longer = highspy.HighsBasis()
            longer.col_status = basis.col_status
            longer.row_status = [*basis.row_status, *[highspy.HighsBasisStatus.kBasic] * missing]
            longer.valid = True
            basis = longer
        self._highs.setBasis(basis)

    def solve(self) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """Solve: column values and the rows' dual values; None where there is no optimum."""
        found = self.answer()
        if found.x is None or found.row_duals is None:
            return None
        return found.x, found.row_duals

    def answer(self, *, cutoff: float = np.inf, iteration_limit: int | None = None) -> LinearAnswer:
        """Solve, as far as asked.

        Parameters
        ----------
        cutoff
            Objective of a minimisation at which to stop, as nothing better is left.
        iteration_limit
            Most steps of the simplex method.

        """
        import highspy

        most = highspy.kHighsIInf if iteration_limit is None else iteration_limit
        self._highs.setOptionValue("simplex_iteration_limit", most)
        self._highs.setOptionValue("objective_bound", min(cutoff, highspy.kHighsInf))
        self._highs.run()
        self.iterations += max(int(self._highs.getInfo().simplex_iteration_count), 0)
        objective = float(self._highs.getInfo().objective_function_value)
        ended = self._highs.getModelStatus()
        statuses = highspy.HighsModelStatus
        if ended == statuses.kOptimal:
            found = self._highs.getSolution()
            return LinearAnswer(
                "optimal", objective, np.asarray(found.col_value),
                np.asarray(found.row_dual), np.asarray(found.col_dual),
            )  # fmt: skip
        if ended == statuses.kObjectiveBound:
            return LinearAnswer("cut off", objective)
        if ended in {statuses.kInfeasible, statuses.kUnboundedOrInfeasible}:
            return LinearAnswer("infeasible", np.inf)
        return LinearAnswer("limit", objective)


def _run(highs: Any, threads: int) -> Any:  # noqa: ANN401 - untyped
    """Run HiGHS; its pool of threads belongs to the process, so a larger one is put back."""
    if threads == 1:
        return highs.run()
    highs.resetGlobalScheduler(True)
    try:
        return highs.run()
    finally:
        highs.resetGlobalScheduler(True)


def _cost_scale(model: Model) -> float:
    """Scale small costs up by an exact power of two, for solvers' absolute tolerances."""
    largest = float(np.abs(model.cost).max())
    if largest == 0 or largest >= MIN_LARGEST_COST:
        return 1.0
    return float(2.0 ** np.ceil(np.log2(MIN_LARGEST_COST / largest)))


def _highs_status(highs: Any, ended: Any) -> Status:  # noqa: ANN401 - untyped
    import highspy

    statuses = highspy.HighsModelStatus
    if ended in {statuses.kOptimal, statuses.kModelEmpty}:
        return "optimal"
    if ended == statuses.kInfeasible:
        return "infeasible"
    if ended in {statuses.kTimeLimit, statuses.kIterationLimit, statuses.kSolutionLimit}:
        return "limit"
    if ended == statuses.kUnbounded:
        raise SolverError("the model is unbounded: its objective can grow without end")
    raise SolverError(f"HiGHS stopped: {highs.modelStatusToString(ended)}")


ENGINES: dict[str, Callable[[Model, NDArray[np.float64] | None, Limits], Solution]] = {
    "highs": _solve_highs,
    "cbc": partial(solve_cbc, highs=_solve_highs),
}
