"""What no districts can beat: prices, cuts, branching."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.districting.branches import explore
from deploy_opt.plan.districting.cut_bound import tighten
from deploy_opt.plan.districting.figures import best_centres
from deploy_opt.plan.districting.lagrangian import relax_districts
from deploy_opt.plan.districting.reduce import TOLERANCE, Pairs, pairs_of

if TYPE_CHECKING:
    from typing import Literal

    from numpy.typing import NDArray

    from deploy_opt.plan.districting.case import DistrictCase

PROVEN = 1e-4
"""Gap within which a plan counts as proven optimal."""


@dataclass(frozen=True, slots=True)
class BoundLimits:
    """How much work a bound is worth; counts, not clocks, so that it is the same everywhere.

    Attributes
    ----------
    lagrangian_steps
        Most steps of the price search; it mostly settles after some 600.
    rounds
        Most rounds of cuts before branching; 0: prices alone.
    node_limit
        Most nodes of branching; 0: none.
    work_limit
        Most work of branching: simplex iterations times pairs of centre and area in the program.
    gap
        Share of the travel that need not be proven.
    """

    lagrangian_steps: int = 800
    rounds: int = 60
    node_limit: int = 5000
    work_limit: float = 2.5e9
    gap: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class DistrictBound:
    """What is proven about districts.

    Attributes
    ----------
    bound
        No connected districts within the band, locks kept, have fewer call-minutes of travel.
    status
        ``optimal``: the best plan known, `plan` or the one given, is within 0.01 % of the bound.
    lagrangian_bound
        What prices alone prove.
    kept_centres, kept_pairs
        Centres and pairs of centre and area that a plan as cheap may use after the prices.
    iterations
        Simplex iterations.
    cuts, nodes
        Separator cuts found, nodes branched on.
    plan
        District of each area in a better plan that was met, shape (areas,); None: none was. It
        keeps the locks; `max_moved` is not looked at.
    plan_travel_min
        Call-minutes of the best plan known.
    """

    bound: float
    status: Literal["optimal", "bound"]
    lagrangian_bound: float
    kept_centres: int
    kept_pairs: int
    iterations: int
    cuts: int
    nodes: int
    plan: NDArray[np.int64] | None
    plan_travel_min: float


def district_bound(
    case: DistrictCase,
    plan: NDArray[np.int64],
    plan_travel_min: float,
    *,
    limits: BoundLimits | None = None,
) -> DistrictBound:
    """Prove how little travel connected districts within the band must have.

    In turn: prices of areas with a knapsack per centre (`relax_districts`), the linear program
    with separator cuts on the pairs that prices leave (`tighten`), branching (`explore`). Each
    step rules out what would cost more than the plan given, so that a good plan makes the proof
    quick. The bound is for travel alone (no border price) and holds for every connected district
    shape; locks are kept: areas locked to one district share a centre, those locked to different
    ones do not. `max_moved` is left out, so that the bound holds for any number of moves.

    Parameters
    ----------
    case
        What is asked.
    plan
        District of each area in the best plan known, shape (areas,).
    plan_travel_min
        Its call-minutes.
    limits
        How much work to spend.

    Returns
    -------
    DistrictBound
    """
    rules = limits or BoundLimits()
    pairs = pairs_of(case)
    prices = _first_prices(case, pairs, plan)
    relaxed = relax_districts(pairs, prices, plan_travel_min, steps=rules.lagrangian_steps)
    bound, best = relaxed.bound, plan_travel_min
    iterations = cuts = nodes = 0
    better: NDArray[np.int64] | None = None
    if rules.rounds and _open(bound, best, rules.gap):
        tight = tighten(relaxed.pairs, relaxed.prices, best, rounds=rules.rounds)
        bound, iterations, cuts = max(bound, tight.bound), tight.iterations, tight.num_cuts
        if tight.program is not None and rules.node_limit and _open(bound, best, rules.gap):
            tree = explore(
                tight.program,
                bound,
                best,
                gap=rules.gap,
                node_limit=rules.node_limit,
                work_limit=rules.work_limit,
            )
            bound, best, nodes = tree.bound, tree.best_min, tree.nodes
            iterations, cuts = iterations + tree.iterations, cuts + tree.cuts
            if tree.centre_of is not None:
                better = _labels(case, tree.centre_of[pairs.item_of])
                _, travel = best_centres(case.travel_min, better, case.num_districts)
                best = float(travel.sum())
    bound = best if best - bound <= 10 * TOLERANCE * best else bound
    return DistrictBound(
        bound=bound,
        status="optimal" if best - bound <= PROVEN * best else "bound",
        lagrangian_bound=relaxed.bound,
        kept_centres=relaxed.pairs.num_centres,
        kept_pairs=relaxed.pairs.num_pairs,
        iterations=iterations,
        cuts=cuts,
        nodes=nodes,
        plan=better,
        plan_travel_min=best,
    )


def _open(bound: float, best: float, gap: float) -> bool:
    return best - bound > max(gap, TOLERANCE) * best


def _labels(case: DistrictCase, centre_of: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give the district of each area: of locked areas their lock, else in the order of centres."""
    _, group = np.unique(centre_of, return_inverse=True)
    group = np.ravel(group)
    number = np.full(case.num_districts, -1, dtype=np.int64)
    if case.locked is not None:
        held = case.locked >= 0
        number[group[held]] = case.locked[held]
    number[number < 0] = np.setdiff1d(np.arange(case.num_districts), number)
    return number[group]


def _first_prices(case: DistrictCase, pairs: Pairs, plan: NDArray[np.int64]) -> NDArray[np.float64]:
    """Price every item at what it costs in the known plan, shape (items,)."""
    centres, _ = best_centres(case.travel_min, plan, case.num_districts)
    cost = case.travel_min[np.arange(case.num_areas), centres[plan]]
    prices: NDArray[np.float64] = np.bincount(
        pairs.item_of, np.where(np.isfinite(cost), cost, 0.0), minlength=pairs.num_items
    ).astype(np.float64)
    return prices
