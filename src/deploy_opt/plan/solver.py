"""The only door to solvers: HiGHS through arrays, CBC and model text through PuLP."""

from __future__ import annotations

import re
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from deploy_opt.errors import InputError, SolverError, nearest
from deploy_opt.plan.linear_model import (
    Model,
    Solution,
    lagrangian_bound,
    linear_model,
)
from deploy_opt.plan.results import SolveReport, Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = [
    "Limits",
    "Model",
    "Solution",
    "lagrangian_bound",
    "linear_model",
    "solve",
    "to_pulp",
    "write_lp",
]

LpMethod = Literal["choose", "simplex", "ipm", "ipm_no_crossover"]
LOG_ROUNDING = 5e-4
"""CBC prints bounds to three decimals."""
MIN_LARGEST_COST = 16.0
"""Costs of integer models are scaled up to this by a power of two: solvers prune absolutely."""


@dataclass(frozen=True, slots=True)
class Limits:
    """When to stop a solve and how to search.

    Attributes
    ----------
    gap
        Relative gap at which an integer model is solved well enough.
    node_limit, iteration_limit
        Work limits: branch-and-bound nodes, LP iterations; None = no limit. They stop at the
        same place on every machine.
    time_limit_s
        Clock limit, s; the answer then depends on the machine.
    seed, threads
        Seed of the solver's own choices; threads it may use (1 is reproducible).
    lp_method
        For models without whole columns; ``ipm_no_crossover`` is quickest for a bound alone.
    """

    gap: float = 1e-4
    node_limit: int | None = None
    iteration_limit: int | None = None
    time_limit_s: float | None = None
    seed: int = 0
    threads: int = 1
    lp_method: LpMethod = "choose"


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
        ``highs`` (arrays, any size) or ``cbc`` (through PuLP, for small models).
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
        An unknown engine, or CBC is not installed for this machine.
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
    if engine not in ENGINES:
        raise InputError.of(
            "engine", repr(engine), f"one of {', '.join(ENGINES)}", nearest(engine, ENGINES)
        )
    rules = limits or Limits(**limit)
    if model.cost.size == 0:
        return _solve_empty(model, rules)
    return ENGINES[engine](model, start, rules)


def _solve_empty(model: Model, limits: Limits) -> Solution:
    """Answer a model without columns, which solvers treat each in its own way."""
    if (model.row_lower > 0).any() or (model.row_upper < 0).any():
        return _infeasible(model, limits, "none", "0", 0, 0)
    report = SolveReport("optimal", model.offset, model.offset, 0.0, limits.gap, "none", "0")
    return Solution(report, np.zeros(0), np.zeros(model.row_lower.size), np.zeros(0))


def _gap(objective: float, bound: float) -> float:
    if not np.isfinite(objective) or not np.isfinite(bound):
        return np.inf
    return abs(bound - objective) / max(abs(objective), 1e-12)


def _infeasible(
    model: Model, limits: Limits, solver: str, version: str, nodes: int, iterations: int
) -> Solution:
    report = SolveReport(
        "infeasible", np.nan, model.worst, np.inf, limits.gap, solver, version, nodes, iterations
    )
    return Solution(report, None)


def _tidy(model: Model, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round whole columns and pull values that overshoot by rounding back inside the bounds."""
    whole = np.where(model.integer, np.round(values), values)
    return np.clip(whole, model.lower, model.upper) + 0.0


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
        return _infeasible(model, limits, "HiGHS", version, nodes, iterations)
    found = highs.getSolution()
    feasible = info.primal_solution_status == int(highspy.SolutionStatus.kSolutionStatusFeasible)
    approximate = limits.lp_method == "ipm_no_crossover" and status == "optimal"
    x = _tidy(model, np.asarray(found.col_value)) if feasible or approximate else None
    objective = float(model.cost @ x) + model.offset if x is not None else np.nan
    duals = reduced = None
    if model.is_integer:
        bound = float(info.mip_dual_bound) / scale
        # a bound beaten by the answer within rounding is the answer
        bound = max(bound, objective) if model.maximise else min(bound, objective)
    elif found.dual_valid:
        duals, reduced = np.asarray(found.row_dual), np.asarray(found.col_dual)
        bound = lagrangian_bound(model, duals)
    else:
        bound = -model.worst
    report = SolveReport(
        status, objective, bound, _gap(objective, bound), limits.gap, "HiGHS", version,
        nodes, iterations, notes=_clock_note(status, limits),
    )  # fmt: skip
    return Solution(report, x, duals, reduced)


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


def _clock_note(status: Status, limits: Limits) -> tuple[str, ...]:
    if status == "limit" and limits.time_limit_s is not None:
        return (f"stopped by a limit; the clock limit was {limits.time_limit_s:g} s",)
    return ()


# --- PuLP and CBC ----------------------------------------------------------------------------


def to_pulp(model: Model) -> Any:  # noqa: ANN401 - pulp is untyped
    """Write a model as a PuLP problem, for CBC, SCIP, Gurobi, CPLEX or model text.

    Parameters
    ----------
    model
        The model; columns without names are ``x0, x1, ...``, rows ``r0, r1, ...``. A row with
        two different finite limits becomes two rows, ``..._low`` and ``..._high``.

    Returns
    -------
    pulp.LpProblem
        Its ``variables`` stand in the model's column order.
    """
    import pulp

    problem = pulp.LpProblem("deploy_opt", pulp.LpMaximize if model.maximise else pulp.LpMinimize)
    names = model.column_names or [f"x{j}" for j in range(model.cost.size)]
    columns = [
        problem.add_variable(
            name,
            low if np.isfinite(low) else None,
            high if np.isfinite(high) else None,
            pulp.LpInteger if whole else pulp.LpContinuous,
        )
        for name, low, high, whole in zip(
            names, model.lower.tolist(), model.upper.tolist(), model.integer.tolist(), strict=True
        )
    ]
    problem.setObjective(
        pulp.LpAffineExpression(
            list(zip(columns, model.cost.tolist(), strict=True)), constant=model.offset
        )
    )
    start, index, value = model.matrix.indptr, model.matrix.indices, model.matrix.data
    for i, (low, high) in enumerate(
        zip(model.row_lower.tolist(), model.row_upper.tolist(), strict=True)
    ):
        terms = slice(start[i], start[i + 1])
        pairs = zip(index[terms].tolist(), value[terms].tolist(), strict=True)
        left = pulp.LpAffineExpression([(columns[j], v) for j, v in pairs])
        name = model.row_names[i] if model.row_names else f"r{i}"
        if low == high:
            problem.addConstraint(pulp.LpConstraint(left, pulp.LpConstraintEQ, name, low))
            continue
        both = np.isfinite(low) and np.isfinite(high)
        if np.isfinite(low):
            low_name = f"{name}_low" if both else name
            problem.addConstraint(pulp.LpConstraint(left, pulp.LpConstraintGE, low_name, low))
        if np.isfinite(high):
            high_name = f"{name}_high" if both else name
            problem.addConstraint(pulp.LpConstraint(left, pulp.LpConstraintLE, high_name, high))
    return problem


def write_lp(model: Model, path: Path) -> None:
    """Write a model as LP text, to be read or given to another solver.

    Parameters
    ----------
    model
        The model.
    path
        Where to write; an existing file is replaced.
    """
    to_pulp(model).writeLP(str(path))


def _solve_cbc(model: Model, start: NDArray[np.float64] | None, limits: Limits) -> Solution:
    import pulp

    # CBC 2.10 takes the start of a maximisation with the wrong sign: always minimise
    sign = -1.0 if model.maximise else 1.0
    problem = to_pulp(replace(model, cost=sign * model.cost, offset=0.0, maximise=False))
    by_name = {column.name: column for column in problem.variables()}
    names = model.column_names or tuple(f"x{j}" for j in range(model.cost.size))
    ordered = [by_name[name] for name in names]
    warm = start is not None and model.is_integer
    if start is not None and warm:
        for column, value in zip(ordered, start.tolist(), strict=True):
            column.setInitialValue(value)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "cbc.log"
        command = pulp.COIN_CMD(
            path=_cbc_path(),
            msg=False,
            gapRel=limits.gap,
            threads=limits.threads,
            timeLimit=limits.time_limit_s,
            maxNodes=limits.node_limit,
            warmStart=warm,
            keepFiles=False,
            logPath=str(log),
            options=[f"randomCbcSeed {limits.seed}"],
        )
        command.tmpDir = folder
        try:
            problem.solve(command)
        except pulp.PulpSolverError as failed:
            raise SolverError(f"CBC failed: {failed}") from failed
        text = log.read_text(encoding="utf-8", errors="replace")
    return _cbc_solution(model, limits, problem, ordered, text)


def _cbc_path() -> str:
    """Find the CBC program: PuLP's own, else one on the path."""
    from pulp.apis import coin_api

    for candidate in (getattr(coin_api, "pulp_cbc_path", ""), "cbc"):
        path = shutil.which(candidate)
        if path:
            return path
    raise InputError.of(
        "engine", "'cbc' but no CBC program", "the one that comes with PuLP, or 'cbc' on the path",
        "use engine 'highs', or install CBC",
    )  # fmt: skip


def _cbc_solution(
    model: Model,
    limits: Limits,
    problem: Any,  # noqa: ANN401 - pulp is untyped
    ordered: list[Any],
    log: str,
) -> Solution:
    import pulp

    version = _logged(log, r"^Version:\s*(\S+)") or "unknown"
    nodes = int(_logged(log, r"^Enumerated nodes:\s*(\d+)") or 0)
    iterations = int(_logged(log, r"^Total iterations:\s*(\d+)") or 0)
    ended = problem.sol_status
    if ended == pulp.LpSolutionUnbounded:
        raise SolverError("the model is unbounded: its objective can grow without end")
    if "infeasible or unbounded" in log and solve(_feasibility(model), limits=limits).x is not None:
        raise SolverError("the model is unbounded: its objective can grow without end")
    if ended == pulp.LpSolutionInfeasible or problem.status == pulp.LpStatusInfeasible:
        return _infeasible(model, limits, "CBC", version, nodes, iterations)
    status: Status = "optimal" if ended == pulp.LpSolutionOptimal else "limit"
    x = None
    if ended != pulp.LpSolutionNoSolutionFound:
        values = [0.0 if column.varValue is None else column.varValue for column in ordered]
        x = _tidy(model, np.array(values, dtype=np.float64))
    objective = float(model.cost @ x) + model.offset if x is not None else np.nan
    logged = _logged(log, r"^Lower bound:\s*(\S+)")
    bound = objective if status == "optimal" else -model.worst
    if logged is not None and model.is_integer:
        # of the minimisation without the constant, printed to three decimals
        sign = -1.0 if model.maximise else 1.0
        bound = sign * (float(logged) - LOG_ROUNDING) + model.offset
        bound = max(bound, objective) if model.maximise else min(bound, objective)
    report = SolveReport(
        status, objective, bound, _gap(objective, bound), limits.gap, "CBC", version,
        nodes, iterations, notes=_clock_note(status, limits),
    )  # fmt: skip
    return Solution(report, x)


def _feasibility(model: Model) -> Model:
    return replace(model, cost=np.zeros_like(model.cost))


def _logged(log: str, pattern: str) -> str | None:
    found = re.findall(pattern, log, flags=re.MULTILINE)
    return str(found[-1]) if found else None


ENGINES: dict[str, Callable[[Model, NDArray[np.float64] | None, Limits], Solution]] = {
    "highs": _solve_highs,
    "cbc": _solve_cbc,
}
