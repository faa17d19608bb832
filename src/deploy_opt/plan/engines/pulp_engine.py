"""Solve through PuLP: CBC, every other solver that PuLP knows, and models as LP text."""

from __future__ import annotations

import inspect
import re
import shutil
import tempfile
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deploy_opt.errors import InputError, SolverError, nearest
from deploy_opt.plan.engines.outcomes import clock_note, infeasible, not_beaten, relative_gap, tidy
from deploy_opt.plan.results import SolveReport

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from deploy_opt.plan.engines.linear_model import Model, Solution
    from deploy_opt.plan.engines.outcomes import Limits
    from deploy_opt.plan.results import Status

    Solve = Callable[[Model, NDArray[np.float64] | None, Limits], Solution]

LOG_ROUNDING = 5e-4
"""CBC prints bounds to three decimals."""
LEAST_GAP = 1e-4
"""Gap that most solvers stop at of their own accord when PuLP cannot pass the asked one on."""
_UNBOUNDED = "the model is unbounded: its objective can grow without end"


def to_pulp(model: Model) -> Any:  # noqa: ANN401 - pulp is untyped
    """Write a model as a PuLP problem, for any solver that PuLP knows or as model text.

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
    columns = [
        problem.add_variable(
            name,
            low if np.isfinite(low) else None,
            high if np.isfinite(high) else None,
            pulp.LpInteger if whole else pulp.LpContinuous,
        )
        for name, low, high, whole in zip(
            _column_names(model),
            model.lower.tolist(),
            model.upper.tolist(),
            model.integer.tolist(),
            strict=True,
        )
    ]
    counted = zip(columns, model.cost.tolist(), strict=True)
    terms_of_cost = [(column, cost) for column, cost in counted if cost]
    problem.setObjective(pulp.LpAffineExpression(terms_of_cost, constant=model.offset))
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


def _column_names(model: Model) -> tuple[str, ...]:
    return model.column_names or tuple(f"x{j}" for j in range(model.cost.size))


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


def lp_text(model: Model) -> str:
    """Give a model as LP text; the same model gives the same text."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.lp"
        write_lp(model, path)
        return path.read_text(encoding="utf-8")


# --- any solver ------------------------------------------------------------------------------


def pulp_name(engine: str, own: tuple[str, ...]) -> str:
    """Find the solver of PuLP that a name means.

    A name is one of `pulp.listSolvers`, in any case, or the family before the underscore, such
    as ``scip`` or ``gurobi``; of a family the first that works on this machine is taken.

    Parameters
    ----------
    engine
        The name.
    own
        Engines with a way of their own, for the message.

    Returns
    -------
    str
        A name of `pulp.listSolvers`.

    Raises
    ------
    InputError
        PuLP does not know the name, or the solver is not installed; says what is.
    """
    import pulp

    known = list(dict.fromkeys(pulp.listSolvers()))
    wanted = engine.lower()
    family = [n for n in known if n.lower() == wanted or n.lower().startswith(f"{wanted}_")]
    installed = _installed()
    for name in family:
        if name in installed:
            return str(name)
    choice = f"{', '.join(own)} or one that PuLP finds on this machine: {', '.join(installed)}"
    if family:
        raise InputError.of(
            "solver.engine", f"{engine!r}, which is not installed", choice, "install it"
        )
    hint = nearest(engine, (*own, *(name.split("_", maxsplit=1)[0].lower() for name in known)))
    raise InputError.of("solver.engine", repr(engine), choice, hint)


def _installed() -> list[str]:
    import pulp

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of solvers that are looked for and not there
        return list(dict.fromkeys(pulp.listSolvers(onlyAvailable=True)))


def solve_through_pulp(
    model: Model, start: NDArray[np.float64] | None, limits: Limits, *, name: str, highs: Solve
) -> Solution:
    """Solve a model by any solver that PuLP knows.

    PuLP hands back an answer without its bound. Where the solver's own model can be asked for the
    bound it is; otherwise the bound follows from the solver's word that the answer is optimal
    within the gap. No bound is looser than that of the linear relaxation.

    Parameters
    ----------
    model, start, limits
        As `solver.solve`; limits that the solver does not take through PuLP are left out.
    name
        A name of `pulp.listSolvers`.
    highs
        Solves the linear relaxation for a bound.

    Returns
    -------
    Solution
    """
    import pulp

    title = f"{name} through PuLP"
    # not every solver counts the constant into its bound: leave it out, add it afterwards
    problem = to_pulp(replace(model, offset=0.0))
    by_name = {column.name: column for column in problem.variables()}
    ordered = [by_name[column] for column in _column_names(model)]
    solver = _with_limits(name, limits, warm=start is not None and model.is_integer)
    if start is not None and model.is_integer:
        for column, value in zip(ordered, start.tolist(), strict=True):
            column.setInitialValue(value)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of solvers' own bindings
        solver.tmpDir = folder
        try:
            problem.solve(solver)
        except pulp.PulpSolverError as failed:
            raise SolverError(f"{name} failed: {failed}") from failed
    ended = problem.sol_status
    if ended == pulp.LpSolutionUnbounded or problem.status == pulp.LpStatusUnbounded:
        raise SolverError(_UNBOUNDED)
    if ended == pulp.LpSolutionInfeasible or problem.status == pulp.LpStatusInfeasible:
        return infeasible(model, limits, title, pulp.__version__, 0, 0)
    x = None
    if ended != pulp.LpSolutionNoSolutionFound and problem.status == pulp.LpStatusOptimal:
        values = [0.0 if column.varValue is None else column.varValue for column in ordered]
        x = tidy(model, np.array(values, dtype=np.float64))
    relaxed = highs(replace(model, integer=np.zeros_like(model.integer)), None, limits)
    if relaxed.report.status == "infeasible":
        return infeasible(model, limits, title, pulp.__version__, 0, 0)
    objective = float(model.cost @ x) + model.offset if x is not None else np.nan
    told = _told_bound(problem, model.offset)
    if told is None and ended == pulp.LpSolutionOptimal:
        slack = max(limits.gap, LEAST_GAP) * abs(objective)
        told = objective + slack if model.maximise else objective - slack
    bounds = [relaxed.report.bound, *([told] if told is not None else [])]
    bound = not_beaten(model, objective, min(bounds) if model.maximise else max(bounds))
    gap = relative_gap(objective, bound)
    done = ended == pulp.LpSolutionOptimal or gap <= limits.gap
    status: Status = "optimal" if x is not None and done else "limit"
    report = SolveReport(
        status, objective, bound, gap, limits.gap, title, pulp.__version__,
        notes=clock_note(status, limits),
    )  # fmt: skip
    return replace(relaxed, report=report, x=x, row_duals=None, reduced_costs=None)


def _with_limits(name: str, limits: Limits, *, warm: bool) -> Any:  # noqa: ANN401 - untyped
    """Make a solver with those of the limits that PuLP can pass on to it."""
    import pulp

    taken = inspect.signature(type(pulp.getSolver(name, msg=False)).__init__).parameters
    wanted = {
        "gapRel": limits.gap,
        "timeLimit": limits.time_limit_s,
        "maxNodes": limits.node_limit,
        "threads": limits.threads,
        "warmStart": warm or None,
    }
    chosen = {key: value for key, value in wanted.items() if key in taken and value is not None}
    return pulp.getSolver(name, msg=False, **chosen)


def _told_bound(problem: Any, offset: float) -> float | None:  # noqa: ANN401 - untyped
    """Ask the solver's own model for its bound, where it can tell, and add the constant."""
    ask = getattr(getattr(problem, "solverModel", None), "getDualbound", None)
    return None if ask is None else float(ask()) + offset


# --- CBC -------------------------------------------------------------------------------------


def solve_cbc(
    model: Model, start: NDArray[np.float64] | None, limits: Limits, *, highs: Solve
) -> Solution:
    """Solve a model by CBC, with its bound and its work read from its log.

    Parameters
    ----------
    model, start, limits
        As `solver.solve`.
    highs
        Solves a model whose cost is left out, to tell infeasible from unbounded.

    Returns
    -------
    Solution
    """
    import pulp

    # CBC 2.10 takes the start of a maximisation with the wrong sign: always minimise
    sign = -1.0 if model.maximise else 1.0
    problem = to_pulp(replace(model, cost=sign * model.cost, offset=0.0, maximise=False))
    by_name = {column.name: column for column in problem.variables()}
    ordered = [by_name[name] for name in _column_names(model)]
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
    if "infeasible or unbounded" in text:
        bare = replace(model, cost=np.zeros_like(model.cost))
        if highs(bare, None, limits).x is not None:
            raise SolverError(_UNBOUNDED)
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

    from deploy_opt.plan.engines.linear_model import Solution

    version = _logged(log, r"^Version:\s*(\S+)") or "unknown"
    nodes = int(_logged(log, r"^Enumerated nodes:\s*(\d+)") or 0)
    iterations = int(_logged(log, r"^Total iterations:\s*(\d+)") or 0)
    ended = problem.sol_status
    if ended == pulp.LpSolutionUnbounded:
        raise SolverError(_UNBOUNDED)
    if ended == pulp.LpSolutionInfeasible or problem.status == pulp.LpStatusInfeasible:
        return infeasible(model, limits, "CBC", version, nodes, iterations)
    status: Status = "optimal" if ended == pulp.LpSolutionOptimal else "limit"
    x = None
    if ended != pulp.LpSolutionNoSolutionFound:
        values = [0.0 if column.varValue is None else column.varValue for column in ordered]
        x = tidy(model, np.array(values, dtype=np.float64))
    objective = float(model.cost @ x) + model.offset if x is not None else np.nan
    logged = _logged(log, r"^Lower bound:\s*(\S+)")
    bound = objective if status == "optimal" else -model.worst
    if logged is not None and model.is_integer:
        # of the minimisation without the constant, printed to three decimals
        sign = -1.0 if model.maximise else 1.0
        bound = not_beaten(model, objective, sign * (float(logged) - LOG_ROUNDING) + model.offset)
    report = SolveReport(
        status, objective, bound, relative_gap(objective, bound), limits.gap, "CBC", version,
        nodes, iterations, notes=clock_note(status, limits),
    )  # fmt: skip
    return Solution(report, x)


def _logged(log: str, pattern: str) -> str | None:
    found = re.findall(pattern, log, flags=re.MULTILINE)
    return str(found[-1]) if found else None
