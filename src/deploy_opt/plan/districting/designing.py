"""From a question to named districts with figures and proof."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from deploy_opt.errors import InfeasibleError
from deploy_opt.plan.districting.figures import (
    best_centres,
    cut_border,
    loads_of,
    match_names,
    shape_of,
    spread_of,
    stray_areas,
)
from deploy_opt.plan.districting.questions import Question, ask, fair_price
from deploy_opt.plan.districting.reading import listed
from deploy_opt.plan.districting.results import DistrictPlan
from deploy_opt.plan.districting.rule_conflicts import conflicting_rules
from deploy_opt.plan.districting.searches import (
    Found,
    Search,
    satisfies,
    search_freely,
    search_near,
)
from deploy_opt.units import SECONDS_PER_HOUR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.districting.case import DistrictCase
    from deploy_opt.plan.districting.questions import Wishes
    from deploy_opt.plan.districting.reading import Places

Proof = Literal["none", "prices", "cuts", "full"]

MOST_PASSES = 5


@dataclass(frozen=True, slots=True, eq=False)
class Bound:
    """What is proven, and the work it took."""

    bound: float
    work: dict[str, int]
    labels: NDArray[np.int64] | None = None


def design(
    places: Places,
    wishes: Wishes,
    search: Search,
    *,
    proof: Proof,
    travel_in_workload: bool,
    also: tuple[NDArray[np.int64], ...] = (),
) -> tuple[DistrictPlan, NDArray[np.int64]]:
    """Find named districts; also the labels of the case, for a further search.

    With `travel_in_workload`, the hours of travel depend on the districts: these are designed,
    hours are counted anew from their centres, and they are designed again until the hours that
    result are within the band (two passes mostly suffice).

    Raises
    ------
    InfeasibleError
        No districts satisfy the rules, or the search met none.
    """
    question, found = _settled(places, wishes, search, also)
    labels = _required(question, found)
    if travel_in_workload:
        best: tuple[Question, NDArray[np.int64], Found] | None = None
        for _ in range(MOST_PASSES):
            loaded = with_travel(places, labels, wishes.num_districts)
            question, found = _settled(loaded, wishes, search, also, question.case.border_price)
            labels = _required(question, found)
            actual = with_travel(places, labels, wishes.num_districts)
            true_case = replace(question.case, workload_h=actual.workload_h)
            true_mean = true_case.mean_h / question.case.mean_h
            true_case = replace(
                true_case,
                lower_h=question.case.lower_h * true_mean,
                upper_h=question.case.upper_h * true_mean,
            )
            best = (replace(question, case=true_case), labels, found)
            if satisfies(true_case, labels):
                break
        if best is not None:
            question, labels, found = best
    bound = _proven(question.case, labels, proof)
    if bound.labels is not None:
        labels = bound.labels
    notes = _pass_notes(question, labels, travel_in_workload=travel_in_workload)
    work = {"steps": found.steps, **bound.work}
    return describe(
        places, replace(question, notes=(*question.notes, *notes)), labels, bound.bound, work
    ), labels


def describe(
    places: Places,
    question: Question,
    labels: NDArray[np.int64],
    bound: float,
    work: dict[str, int],
) -> DistrictPlan:
    """Name the districts and work out their figures, in the order of their names."""
    case = question.case
    names, position = _names(question, labels)
    labels = position[labels]
    number = case.num_districts
    centre, travel = best_centres(case.travel_min, labels, number)
    total = float(travel.sum())
    loads = loads_of(case.workload_h, labels, number)
    stray = stray_areas(case.border_km, labels, case.workload_h)
    own = {name: at for at, name in enumerate(names)}
    moved = np.zeros(case.num_areas, dtype=np.bool_)
    if question.today is not None:
        before = np.array([own.get(question.names[d], -2) for d in question.today])
        moved = before != labels
    border_km = cut_border(case.border_km, labels)[1]
    return DistrictPlan(
        area_ids=case.area_ids,
        names=names,
        district_of=labels,
        centre=centre,
        workload_h=loads,
        travel_min=total,
        objective=total + case.border_price * border_km,
        bound=bound,
        spread=spread_of(loads),
        shape=shape_of(
            case.border_km, labels, number,
            area_km2=places.area_km2, outline_km=places.outline_km,
        ),
        moved=moved,
        work=work,
        notes=question.notes,
        stray=tuple(case.area_ids[i] for i in stray),
    )  # fmt: skip


def with_travel(places: Places, labels: NDArray[np.int64], num_districts: int) -> Places:
    """Add each area's hours of travel from the centre of its district to its workload."""
    centre, _ = best_centres(places.travel_min, labels, num_districts)
    seconds = places.times_s[centre[labels], np.arange(places.num_areas)]
    seconds = np.where(np.isfinite(seconds), seconds, 0.0)
    return replace(places, workload_h=places.workload_h + places.calls * seconds / SECONDS_PER_HOUR)


def _settled(
    places: Places,
    wishes: Wishes,
    search: Search,
    also: tuple[NDArray[np.int64], ...],
    border_price: float | None = None,
) -> tuple[Question, Found]:
    """Ask and search; without districts today, the border's price comes from a first search."""
    question = ask(
        places, wishes if border_price is None else replace(wishes, border_price=border_price)
    )
    _refuse_conflicts(question)
    if np.isnan(question.case.border_price):
        plain = replace(question.case, border_price=0.0)
        first = _search(plain, search, ())
        if first.labels is None:
            return replace(question, case=plain), first
        price = wishes.compactness * fair_price(places, first.labels, plain.num_districts)
        question = replace(question, case=replace(plain, border_price=price))
        again = _search(question.case, search, ())
        return question, replace(again, steps=again.steps + first.steps)
    return question, _search(question.case, search, also)


def _search(case: DistrictCase, search: Search, also: tuple[NDArray[np.int64], ...]) -> Found:
    if case.max_moved is None:
        return search_freely(case, search)
    return search_near(case, search, also=also)


def _refuse_conflicts(question: Question) -> None:
    rules = conflicting_rules(question.case, _label_names(question), band_words=question.band_words)
    if rules:
        raise InfeasibleError(rules)


def _required(question: Question, found: Found) -> NDArray[np.int64]:
    """Give the districts found, or say how near the search came."""
    if found.labels is not None:
        cut_off = _cut_off(question.case, found.labels)
        if cut_off:
            rule = "every area can be reached within its district"
            raise InfeasibleError([f"{rule}; no way leads to {listed(cut_off)}"])
        return found.labels
    rules = [question.band_words, "connected districts"]
    if question.case.max_moved is not None:
        rules.append(f"at most {question.case.max_moved} areas change district")
    if question.case.locked is not None:
        rules.append("the locks")
    if found.nearest is not None:
        loads = loads_of(question.case.workload_h, found.nearest, question.case.num_districts)
        rules.append(
            f"(not proven: the search met none; its nearest lie within"
            f" {spread_of(loads).band:.3g} of the mean)"
        )
    raise InfeasibleError(rules)


def _cut_off(case: DistrictCase, labels: NDArray[np.int64]) -> list[str]:
    """Name the areas that cannot be reached from the centre that reaches most of a district."""
    found = []
    for district in range(case.num_districts):
        own = np.flatnonzero(labels == district)
        no_way = ~np.isfinite(case.travel_min[np.ix_(own, own)])
        if no_way.any(axis=0).all():
            best = int(np.argmin(no_way.sum(axis=0)))
            found += [case.area_ids[i] for i in own[no_way[:, best]]]
    return found


def _proven(case: DistrictCase, labels: NDArray[np.int64], proof: Proof) -> Bound:
    """Bound the travel of any districts within the band."""
    if proof == "none":
        return Bound(float("nan"), {})
    from deploy_opt.plan.districting.bound import BoundLimits, district_bound

    limits = {
        "prices": BoundLimits(rounds=0, node_limit=0),
        "cuts": BoundLimits(node_limit=0),
        "full": BoundLimits(),
    }[proof]
    _, travel = best_centres(case.travel_min, labels, case.num_districts)
    found = district_bound(case, labels, float(travel.sum()), limits=limits)
    work = {"iterations": found.iterations, "cuts": found.cuts, "nodes": found.nodes}
    plain = case.border_price == 0 and case.max_moved is None and case.locked is None
    better = found.plan if plain and found.plan is not None else None
    if better is not None and not satisfies(case, better):
        better = None
    return Bound(found.bound, work, better)


def _pass_notes(
    question: Question, labels: NDArray[np.int64], *, travel_in_workload: bool
) -> tuple[str, ...]:
    if not travel_in_workload or satisfies(question.case, labels):
        return ()
    loads = loads_of(question.case.workload_h, labels, question.case.num_districts)
    band = spread_of(loads).band
    return (f"with the travel of these districts, workloads lie within {band:.3g} of the mean",)


def _label_names(question: Question) -> tuple[str, ...]:
    """Name the labels of the case, new ones by number."""
    fresh = (f"new {k}" for k in range(1, question.case.num_districts + 1))
    taken = set(question.named)
    rest = [name for name in fresh if name not in taken]
    number = question.case.num_districts
    return (*question.named, *rest)[:number]


def _names(
    question: Question, labels: NDArray[np.int64]
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Give the districts' names in order, and each label's position among them.

    Today's names go to the districts that share most workload with them; with `max_moved` the
    labels are today's already. Without districts today, districts are numbered by their first
    area.
    """
    case = question.case
    number = case.num_districts
    if case.max_moved is not None:
        known = np.arange(number)
        known[len(question.names) :] = -1
    elif question.names:
        today = question.today
        known = match_names(
            labels,
            np.full(case.num_areas, -1, dtype=np.int64) if today is None else today,
            case.workload_h,
            num_districts=number,
            num_today=len(question.names),
            locked=question.locked,
        )
    else:
        known = np.full(number, -1, dtype=np.int64)
    _, first = np.unique(labels, return_index=True)
    unnamed = sorted(np.flatnonzero(known < 0), key=lambda d: first[d])
    prefix = "new " if question.names else ""
    order = [*sorted(np.flatnonzero(known >= 0), key=lambda d: known[d]), *unnamed]
    position = np.empty(number, dtype=np.int64)
    position[order] = np.arange(number)
    fresh = [f"{prefix}{k}" for k in range(1, len(unnamed) + 1)]
    return (*(question.names[known[d]] for d in order if known[d] >= 0), *fresh), position
