"""Search for districts: from several starts, or near today's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.errors import InputError
from deploy_opt.plan.districting.figures import (
    best_centres,
    cut_border,
    loads_of,
    match_names,
    stray_areas,
)
from deploy_opt.plan.districting.seeds_grow import first_districts
from deploy_opt.seeds import stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.districting.anneal import Ground, Rules, Schedule
    from deploy_opt.plan.districting.case import DistrictCase

STEPS_PER_AREA = 12_000
ROUNDS = 4
LEAST_STEPS = 20_000
WIDE = 3.0
FIRST_SHARE = 0.375
FIRST_HEAT = (2.0, 0.1)
LAST_HEAT = (0.4, 0.02)
AGAIN_HEAT = (0.1, 0.2)
NEAR_HEAT = (0.08, 0.25, 0.6, 1.3)
NEAR_COLD = 0.013
PRICE = 1.5
MOVED_PRICE = (0.4, 0.7, 1.0, 1.3)
SWAPS = (0.3, 0.5)
TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Search:
    """How much to search.

    Attributes
    ----------
    starts
        Searches from different first districts; the best is kept.
    steps
        Steps of each; None: 12,000 per area.
    seed
        Seed of the random numbers.
    """

    starts: int = 10
    steps: int | None = None
    seed: int = 1

    def __post_init__(self) -> None:
        if self.starts < 1 or (self.steps is not None and self.steps < 1):
            raise InputError.of(
                "districts: search", f"{self.starts} starts of {self.steps} steps", "at least 1"
            )

    def steps_for(self, case: DistrictCase) -> int:
        """Give the steps of each start."""
        return self.steps or max(STEPS_PER_AREA * case.num_areas, LEAST_STEPS)


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What a search found.

    Attributes
    ----------
    labels
        District of each area, shape (areas,); None: nothing that satisfies the rules.
    nearest
        The districts nearest to the rules that were met at the end of a start, shape (areas,);
        None: locked areas could not even be joined.
    steps
        Steps worked.
    """

    labels: NDArray[np.int64] | None
    nearest: NDArray[np.int64] | None
    steps: int


def objective_of(case: DistrictCase, labels: NDArray[np.int64]) -> float:
    """Work out travel plus the price of borders, call-minutes."""
    _, travel = best_centres(case.travel_min, labels, case.num_districts)
    return float(travel.sum()) + case.border_price * cut_border(case.border_km, labels)[1]


def outside_h(case: DistrictCase, labels: NDArray[np.int64]) -> float:
    """Sum the unit-hours by which districts lie outside their limits."""
    loads = loads_of(case.workload_h, labels, case.num_districts)
    over = np.maximum(loads - case.upper_h, 0) + np.maximum(case.lower_h - loads, 0)
    return float(over.sum())


def num_moved(case: DistrictCase, labels: NDArray[np.int64]) -> int:
    """Count the areas that leave their district of today."""
    if case.today is None:
        return 0
    return int(np.count_nonzero((case.today >= 0) & (case.today != labels)))


def satisfies(case: DistrictCase, labels: NDArray[np.int64]) -> bool:
    """Say whether districts keep every rule: none empty, connected, band, locks, moves."""
    return (
        len(np.unique(labels)) == case.num_districts
        and outside_h(case, labels) <= 10 * TOLERANCE * case.mean_h
        and (case.max_moved is None or num_moved(case, labels) <= case.max_moved)
        and (case.locked is None or bool(((case.locked < 0) | (case.locked == labels)).all()))
        and len(stray_areas(case.border_km, labels, case.workload_h)) == 0
    )


def search_freely(case: DistrictCase, search: Search) -> Found:
    """Search from today's districts and from grown seeds in turn; first wide, then in the band.

    The first stage has three times the band and is hot, so that districts can find their places;
    the second keeps the band. A tight band needs both, and the swaps
    (measured: ``benchmarks/bench_districts.py``). Where no start meets the rules, more follow.
    """
    ground = ground_of(case)
    found = Found(None, None, 0)
    for turn in range(ROUNDS):
        candidates = [] if found.nearest is None else [found.nearest]
        candidates += _kept_today(case)
        for start in range(turn * search.starts, (turn + 1) * search.starts):
            candidates += _two_stages(case, search, ground, start)
        steps = found.steps + search.starts * search.steps_for(case)
        found = _again(case, search, ground, _best(case, candidates, steps))
        if found.labels is not None:
            break
    return found


def _two_stages(
    case: DistrictCase, search: Search, ground: Ground, start: int
) -> list[NDArray[np.int64]]:
    """Search once: the best districts and the last ones; nothing if locks could not be joined."""
    from deploy_opt.plan.districting.anneal import Schedule

    random = stream(search.seed, "districts", "start", start)
    from_today = case.today is not None and start % 2 == 0
    labels = first_districts(case, random, from_today=from_today)
    if labels is None:
        return []
    words = random.integers(1, 2**32, 4).astype(np.int64)
    steps, mean, unit = search.steps_for(case), case.mean_h, _unit(case, labels)
    wide_steps = int(FIRST_SHARE * steps)
    lower, upper = mean - WIDE * (mean - case.lower_h), mean + WIDE * (case.upper_h - mean)
    stages = (
        (_rules(case, lower, upper, 0.0), wide_steps, FIRST_HEAT, SWAPS[0]),
        (_rules(case, case.lower_h, case.upper_h, 0.0), steps - wide_steps, LAST_HEAT, SWAPS[1]),
    )
    best = labels
    for rules, length, (hot, cold), swaps in stages:
        schedule = Schedule(length, unit * hot, unit * cold, swaps)
        best, labels = _stage(ground, rules, schedule, labels, words, _price(case, unit))
    return [best, labels]


def _kept_today(case: DistrictCase) -> list[NDArray[np.int64]]:
    """Give today's districts if they satisfy the rules: among equals they stay."""
    if case.today is None or (case.today < 0).any() or not satisfies(case, case.today):
        return []
    return [case.today]


def _again(case: DistrictCase, search: Search, ground: Ground, found: Found) -> Found:
    """Warm the best districts up and let them cool again, each time from the best so far."""
    from deploy_opt.plan.districting.anneal import Schedule

    steps = search.steps_for(case)
    rules = _rules(case, case.lower_h, case.upper_h, 0.0)
    for turn in range(search.starts):
        begin = found.nearest if found.labels is None else found.labels
        if begin is None:
            break
        words = stream(search.seed, "districts", "again", turn).integers(1, 2**32, 4)
        unit = _unit(case, begin)
        heat = unit * AGAIN_HEAT[turn % len(AGAIN_HEAT)]
        schedule = Schedule(steps, heat, unit * LAST_HEAT[1], SWAPS[1])
        ends = _stage(ground, rules, schedule, begin, words.astype(np.int64), _price(case, unit))
        found = _best(case, [begin, *ends], found.steps + steps)
    return found


def search_near(
    case: DistrictCase, search: Search, *, also: tuple[NDArray[np.int64], ...] = ()
) -> Found:
    """Search near today's districts, as `max_moved` asks; cool, for heat loses the way back.

    Parameters
    ----------
    case
        What is asked, with today's districts.
    search
        How much to search: half of its starts begin today, the others from `also` by turns.
    also
        Further districts to begin from, such as the plan with fewer moves; kept if none is
        better, so that more moves never cost more.
    """
    from deploy_opt.plan.districting.anneal import Schedule

    ground = ground_of(case)
    steps = search.steps_for(case)
    begin = first_districts(case, stream(search.seed, "districts", "near"), from_today=True)
    if begin is None:
        return Found(None, None, 0)
    starts = [begin, *also, *_free_start(case, search)]
    candidates = list(starts)
    for start in range(search.starts):
        labels = starts[(start + start // len(NEAR_HEAT)) % len(starts)]
        words = stream(search.seed, "districts", "near", start).integers(1, 2**32, 4)
        unit = _unit(case, labels)
        turn = start % len(NEAR_HEAT)
        rules = _rules(case, case.lower_h, case.upper_h, unit * MOVED_PRICE[turn])
        schedule = Schedule(steps, unit * NEAR_HEAT[turn], unit * NEAR_COLD, SWAPS[1])
        candidates += _stage(
            ground, rules, schedule, labels, words.astype(np.int64), _price(case, unit)
        )
    return _best(case, candidates, steps * search.starts)


def _free_start(case: DistrictCase, search: Search) -> list[NDArray[np.int64]]:
    """Give the plan without a limit on moves, by today's names, where the limit is wide."""
    if case.today is None or (case.max_moved or 0) * WIDE < case.num_areas:
        return []
    fewer = replace(search, starts=(search.starts + 1) // 2)
    free = search_freely(replace(case, max_moved=None), fewer).labels
    if free is None:
        return []
    number = case.num_districts
    name = match_names(
        free, case.today, case.workload_h, num_districts=number, num_today=number,
        locked=case.locked,
    )  # fmt: skip
    return [name[free]]


def ground_of(case: DistrictCase) -> Ground:
    """Turn a case into the arrays of the loop; places without a way get a far but finite time."""
    from deploy_opt.plan.districting.anneal import Ground

    known = np.isfinite(case.travel_min)
    far = 10.0 * float(case.travel_min[known].max(initial=0.0)) + 1.0
    travel = np.vstack([np.where(known, case.travel_min, far), np.zeros(case.num_areas)])
    border = case.border_km
    nobody = np.full(case.num_areas, -1, dtype=np.int64)
    return Ground(
        np.ascontiguousarray(travel),
        np.ascontiguousarray(case.workload_h, dtype=np.float64),
        border.indptr.astype(np.int64),
        border.indices.astype(np.int64),
        border.data.astype(np.float64),
        (nobody if case.locked is None else case.locked) >= 0,
        nobody if case.today is None else case.today.astype(np.int64),
    )


def _rules(case: DistrictCase, lower_h: float, upper_h: float, moved_price: float) -> Rules:
    from deploy_opt.plan.districting.anneal import Rules

    limited = case.max_moved is not None and moved_price > 0
    most = case.max_moved if limited and case.max_moved is not None else case.num_areas
    return Rules(
        case.num_districts,
        float(lower_h),
        float(upper_h),
        float(case.border_price),
        int(most),
        float(moved_price),
    )


def _unit(case: DistrictCase, labels: NDArray[np.int64]) -> float:
    """Give the call-minutes per area of some districts: the scale of temperatures."""
    unit = objective_of(replace(case, border_price=0.0), labels) / case.num_areas
    if np.isfinite(unit) and unit > 0:
        return unit
    known = case.travel_min[np.isfinite(case.travel_min)]
    return max(float(known.mean()), 1e-9) if known.size else 1.0


def _price(case: DistrictCase, unit: float) -> float:
    """Give the first price of a unit-hour outside the band."""
    return PRICE * unit / (float(case.workload_h.sum()) / case.num_areas)


def _stage(
    ground: Ground,
    rules: Rules,
    schedule: Schedule,
    labels: NDArray[np.int64],
    words: NDArray[np.int64],
    price: float,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Anneal once: the best districts that satisfied the rules (else the last), and the last."""
    from deploy_opt.plan.districting.anneal import anneal, empty_state

    state = empty_state(labels, rules.num_districts)
    best = labels.copy()
    objective, _ = anneal(ground, rules, schedule, state, price, words, best)
    return (best if np.isfinite(objective) else state.labels.copy()), state.labels.copy()


def _best(case: DistrictCase, candidates: list[NDArray[np.int64]], steps: int) -> Found:
    """Take the cheapest districts that satisfy the rules, the first of equals."""
    kept = [labels for labels in candidates if satisfies(case, labels)]
    if kept:
        costs = np.array([objective_of(case, labels) for labels in kept])
        equal = costs <= costs.min() * (1 + TOLERANCE)
        return Found(kept[int(np.argmax(equal))], None, steps)
    if not candidates:
        return Found(None, None, steps)
    far = [outside_h(case, labels) for labels in candidates]
    return Found(None, candidates[int(np.argmin(far))], steps)
