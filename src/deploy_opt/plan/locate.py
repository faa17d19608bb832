"""Location problems by name: which posts to open, exactly, with bound and gap."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse

from deploy_opt.errors import FaultList, InputError, nearest
from deploy_opt.plan.cover import cover_within, tidy_cover
from deploy_opt.plan.locations.capacitated import capacitated_cover
from deploy_opt.plan.locations.center import center
from deploy_opt.plan.locations.covering import backup_cover, fewest_posts, max_cover
from deploy_opt.plan.locations.expected import expected_cover, nested_cover
from deploy_opt.plan.locations.median import median
from deploy_opt.plan.locations.problem import Answer, LocationProblem, LocationResult
from deploy_opt.plan.solver import Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = ["ALIASES", "PROBLEMS", "LocationResult", "locate"]


class Kind(NamedTuple):
    """How a location problem is solved and what it needs."""

    solve: Callable[[LocationProblem], Answer]
    needs: tuple[str, ...]
    on_times: bool = False


PROBLEMS: dict[str, Kind] = {
    "mclp": Kind(max_cover, ("num_posts",)),
    "lscp": Kind(fewest_posts, ()),
    "p_median": Kind(median, ("num_posts",), on_times=True),
    "p_center": Kind(center, ("num_posts",), on_times=True),
    "backup": Kind(backup_cover, ("num_posts",)),
    "mexclp": Kind(expected_cover, ("num_units", "busy_fraction")),
    "capacitated": Kind(capacitated_cover, ("num_posts", "capacity")),
    "nested_mclp": Kind(nested_cover, ("level_weights",)),
}
"""Every problem that `locate` solves."""

ALIASES = {
    "maximize_coverage": "mclp",
    "minimize_facilities": "lscp",
    "minimize_impedance": "p_median",
    "minimize_maximum_impedance": "p_center",
    "maximize_capacitated_coverage": "capacitated",
}
"""Names of the same problems in desktop GIS programs."""


def locate(  # noqa: PLR0913 - one door to eight problems; each uses some of these
    problem: str,
    times_s: Any,  # noqa: ANN401 - dense, scipy sparse (untyped) or blocks
    demand: ArrayLike,
    *,
    num_posts: int | None = None,
    num_units: int | None = None,
    standard_s: float | None = None,
    busy_fraction: float | None = None,
    capacity: ArrayLike | None = None,
    locked: Sequence[int] | NDArray[Any] = (),
    forbidden: Sequence[int] | NDArray[Any] = (),
    level_weights: ArrayLike | None = None,
    single_source: bool = False,
    time_limit_s: float | None = None,
    node_limit: int | None = None,
    gap: float = 1e-6,
) -> LocationResult:
    """Choose posts exactly for one of the classic location problems.

    Parameters
    ----------
    problem
        ``mclp`` most demand within the standard; ``lscp`` fewest posts that cover all demand;
        ``p_median`` least demand-weighted time; ``p_center`` shortest longest time; ``backup``
        most demand covered twice once first cover is at its best; ``mexclp`` most expected demand
        reached by a free unit; ``capacitated`` most demand served within what posts can serve;
        ``nested_mclp`` a priority list of posts; or a name of `ALIASES`.
    times_s
        Drive times, s, shape (posts, rows), inf = unreachable: a dense array or frame, an
        iterable of blocks of posts in order, or, where only cover counts, a scipy sparse cover
        matrix.
    demand
        Weight of each demand row, >= 0, shape (rows,).
    num_posts
        Posts to open, exactly; with ``mexclp`` the most posts that may hold units.
    num_units
        Units to place (``mexclp``); elsewhere another name for `num_posts`.
    standard_s
        Response standard, s: a row is covered where ``t <= standard_s``. Not used with a cover
        matrix; with ``p_median`` and ``p_center`` only for `LocationResult.covered`.
    busy_fraction
        Share of the time that a unit is busy, 0 <= q < 1.
    capacity
        Most units at a post (``mexclp``), or demand a post can serve (``capacitated``): one
        number or shape (posts,).
    locked, forbidden
        Row positions, or a mask of shape (posts,), of posts that must and must not open.
    level_weights
        Weight of the cover with 1, 2, ... posts open (``nested_mclp``).
    single_source
        Serve each row from one post alone (``capacitated``).
    time_limit_s, node_limit
        Stop each solve by the clock, or after so many branch-and-bound nodes (the same on every
        machine); the best found is given with its bound and gap.
    gap
        Relative gap at which an answer is good enough.

    Returns
    -------
    LocationResult
        ``chosen`` (0-based), ``units``, ``objective``, ``bound``, ``gap``, ``covered``,
        ``share``, ``post_of_row``, ``report``.

    Raises
    ------
    InputError
        Everything that is wrong with the arguments, at once.
    InfeasibleError
        No choice of posts can serve some rows (``lscp``, ``p_median``, ``p_center``); they are
        named.

    Examples
    --------
    >>> times_s = np.array([[60.0, 200.0, 900.0], [900.0, 100.0, 300.0]])
    >>> found = locate("mclp", times_s, [5, 3, 4], num_posts=1, standard_s=300)
    >>> found.chosen.tolist(), found.objective, found.covered.tolist()
    ([0], 8.0, [True, True, False])
    """
    name = ALIASES.get(problem, problem)
    if name not in PROBLEMS:
        raise InputError.of(
            "problem", repr(problem), f"one of {', '.join(PROBLEMS)}",
            nearest(problem, [*PROBLEMS, *ALIASES]),
        )  # fmt: skip
    kind = PROBLEMS[name]
    if "num_units" in kind.needs:
        num_open = num_posts
    else:
        num_open = num_posts if num_posts is not None else num_units
    given = {
        "num_posts": num_open,
        "num_units": num_units,
        "busy_fraction": busy_fraction,
        "capacity": capacity,
        "level_weights": level_weights,
    }
    faults = FaultList()
    for need in kind.needs:
        if given[need] is None:
            faults.add(need, "nothing", f"a value: {name!r} needs it")
    cover, times = _read_times(times_s, standard_s, kind, faults)
    faults.raise_if_any()
    shape = (cover if cover is not None else times).shape  # type: ignore[union-attr]
    checked = LocationProblem(
        demand=_numbers("demand", demand, shape[1], faults),
        cover=cover,
        times_s=times.astype(np.float64) if kind.on_times and times is not None else None,
        num_posts=num_open,
        num_units=num_units,
        busy_fraction=0.0 if busy_fraction is None else float(busy_fraction),
        capacity=_capacity(capacity, shape[0], faults),
        locked=_mask("locked", locked, shape[0], faults),
        forbidden=_mask("forbidden", forbidden, shape[0], faults),
        level_weights=_levels(level_weights, faults),
        single_source=single_source,
        limits=Limits(gap=gap, node_limit=node_limit, time_limit_s=time_limit_s),
    )
    _check(checked, name, faults)
    faults.raise_if_any()
    return _measure(checked, times, kind.solve(checked))


def _read_times(
    times_s: Any,  # noqa: ANN401 - dense, scipy sparse (untyped) or blocks
    standard_s: float | None,
    kind: Kind,
    faults: FaultList,
) -> tuple[sparse.csr_array | None, NDArray[np.floating] | None]:
    """Read the cover matrix, if there is a standard, and dense times, if they were given so."""
    if sparse.issparse(times_s):
        if kind.on_times:
            faults.add("times_s", "a cover matrix", "drive times, s", "give a dense array")
            return None, None
        return tidy_cover(times_s), None
    if standard_s is None and not kind.on_times:
        faults.add("standard_s", "nothing", "the response standard, s, or a sparse cover matrix")
        return None, None
    if standard_s is not None and not standard_s >= 0:
        faults.add("standard_s", f"{standard_s}", "seconds >= 0")
        return None, None
    dense = _dense(times_s)
    if dense is None:
        if not kind.on_times:
            return cover_within(times_s, float(standard_s or 0.0)), None
        dense = np.vstack(list(times_s))
    if dense.ndim != 2 or 0 in dense.shape:
        faults.add("times_s", f"shape {dense.shape}", "(posts, rows), at least one of each")
        return None, None
    times = dense if np.issubdtype(dense.dtype, np.floating) else dense.astype(np.float64)
    negative = np.argwhere(times < 0)
    if negative.size:
        post, row = negative[0].tolist()
        faults.add(
            f"times_s: post {post}, row {row}", f"{times[post, row]:g} s and "
            f"{len(negative)} negative times in all", "times >= 0; inf = unreachable",
        )  # fmt: skip
    if np.isnan(times).any():
        times = np.where(np.isnan(times), np.inf, times)
    return (None if standard_s is None else cover_within(times, standard_s)), times


def _dense(times_s: Any) -> NDArray[Any] | None:  # noqa: ANN401 - an array, a frame, lists or blocks
    """Read a whole matrix; None for blocks of posts."""
    if hasattr(times_s, "to_numpy"):  # a frame, or a series that is then refused for its shape
        return np.asarray(times_s.to_numpy())
    if isinstance(times_s, np.ndarray):
        return times_s
    if isinstance(times_s, (list, tuple)) and not any(
        isinstance(block, np.ndarray) for block in times_s
    ):
        return np.array(times_s, dtype=np.float64)
    return None


def _numbers(
    where: str, values: ArrayLike, size: int, faults: FaultList, *, finite: bool = True
) -> NDArray[np.float64]:
    """Read numbers >= 0, one per row."""
    read = np.asarray(values, dtype=np.float64)
    if read.shape != (size,):
        faults.add(where, f"shape {read.shape}", f"shape ({size},)")
        return np.zeros(size)
    wrong = ~(read >= 0) | (np.isinf(read) if finite else False)
    if wrong.any():
        first = int(np.argmax(wrong))
        kind = "finite numbers >= 0" if finite else "numbers >= 0"
        faults.add(f"{where}: row {first}", f"{read[first]:g} ({int(wrong.sum())} in all)", kind)
    return read


def _capacity(capacity: ArrayLike | None, size: int, faults: FaultList) -> NDArray[np.float64]:
    if capacity is None:
        return np.full(size, np.inf)
    read = np.asarray(capacity, dtype=np.float64)
    spread = np.full(size, float(read)) if read.ndim == 0 else read
    return _numbers("capacity", spread, size, faults, finite=False)


def _mask(
    where: str, posts: Sequence[int] | NDArray[Any], size: int, faults: FaultList
) -> NDArray[np.bool_]:
    read = np.asarray(posts)
    if read.dtype == np.bool_ and read.shape == (size,):
        return read.copy()
    mask = np.zeros(size, dtype=np.bool_)
    if not read.size:
        return mask
    if not np.issubdtype(read.dtype, np.integer) or read.min() < 0 or read.max() >= size:
        faults.add(where, f"{read.tolist()}", f"row positions 0..{size - 1}, or a mask")
        return mask
    mask[read] = True
    return mask


def _levels(level_weights: ArrayLike | None, faults: FaultList) -> NDArray[np.float64]:
    if level_weights is None:
        return np.zeros(0)
    read = np.atleast_1d(np.asarray(level_weights, dtype=np.float64))
    return _numbers("level_weights", read, read.size, faults)


def _check(problem: LocationProblem, name: str, faults: FaultList) -> None:
    """Note every count and share that cannot be."""
    both = np.flatnonzero(problem.locked & problem.forbidden)
    if both.size:
        faults.add("locked", f"posts {both.tolist()}, also forbidden", "posts that may open")
    _check_counts(problem, name, faults)
    if not 0 <= problem.busy_fraction < 1:
        faults.add("busy_fraction", f"{problem.busy_fraction}", "a share in [0, 1)")
    if not problem.limits.gap >= 0:
        faults.add("gap", f"{problem.limits.gap}", "a relative gap >= 0")
    if problem.limits.time_limit_s is not None and not problem.limits.time_limit_s > 0:
        faults.add("time_limit_s", f"{problem.limits.time_limit_s}", "seconds > 0, or None")
    if name == "mexclp" and problem.num_units is not None:
        room = np.floor(np.where(problem.forbidden, 0.0, problem.capacity))
        most = np.sort(np.minimum(room, problem.num_units))[::-1]
        fits = float(most[: problem.num_posts].sum())
        if fits < problem.num_units:
            faults.add(
                "capacity", f"room for {fits:.0f} units", f"room for {problem.num_units}",
                "raise capacity or num_posts, or place fewer units",
            )  # fmt: skip
    if name in {"p_median", "p_center"} and problem.num_posts == 0 and problem.demand.any():
        faults.add("num_posts", "0", "at least 1: every row with demand must be served")


def _check_counts(problem: LocationProblem, name: str, faults: FaultList) -> None:
    """Note counts of posts, units or levels that the posts and locks do not allow."""
    allowed = int((~problem.forbidden).sum())
    locked = int(problem.locked.sum())
    counts = {"num_posts": problem.num_posts}
    if name == "mexclp":
        counts["num_units"] = problem.num_units
    if name == "nested_mclp":
        counts = {"level_weights": problem.level_weights.size}
    if name == "lscp":
        return
    for where, count in counts.items():
        if count is None:
            continue
        if int(count) != count or count < 0:
            faults.add(where, f"{count}", "a whole number >= 0")
        elif name != "mexclp" and count > allowed:
            faults.add(where, f"{count}", f"at most {allowed}, the posts that may open")
        elif count < locked:
            faults.add(where, f"{count}", f"at least {locked}, the locked posts")


def _measure(
    problem: LocationProblem, times: NDArray[np.floating] | None, answer: Answer
) -> LocationResult:
    """Measure an answer on the demand rows as they were given."""
    rows = problem.demand.size
    opened = np.flatnonzero(answer.units > 0)
    covering: NDArray[np.float64] = np.zeros(rows)
    if problem.cover is not None:
        covering = np.asarray(problem.cover.T @ answer.units.astype(np.float64))
    elif times is not None and opened.size:
        covering = np.any(np.isfinite(times[opened]), axis=0).astype(np.float64)
    share = answer.share
    if share is None:
        share = np.asarray(1.0 - np.power(problem.busy_fraction, covering))
    post_of_row = answer.post_of_row
    if post_of_row is None:
        post_of_row = _nearest_open(problem, times, opened)
    report = replace(answer.report)
    return LocationResult(
        chosen=opened if answer.order is None else answer.order,
        units=answer.units,
        objective=report.objective,
        bound=report.bound,
        gap=report.gap,
        covered=covering > 0,
        share=share,
        post_of_row=post_of_row,
        report=report,
    )


def _nearest_open(
    problem: LocationProblem, times: NDArray[np.floating] | None, opened: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Find the nearest open post of each row; with a cover matrix alone, the first that covers."""
    nobody = np.full(problem.demand.size, -1, dtype=np.int64)
    if not opened.size:
        return nobody
    if times is not None:
        near = times[opened]
        first = np.argmin(near, axis=0)
        reached = np.isfinite(np.take_along_axis(near, first[None, :], axis=0)[0])
        return np.where(reached, opened[first], -1)
    sets = problem.sets[:, opened]
    served = np.flatnonzero(np.diff(sets.indptr))
    sets.sort_indices()
    nobody[served] = opened[sets.indices[sets.indptr[served]]]
    return nobody
