"""Which rules of districts cannot hold together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.districting.figures import pieces_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from deploy_opt.plan.districting.case import DistrictCase

_SLACK = 1e-9


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that may be dropped.

    Attributes
    ----------
    kind
        ``band``, ``moves`` or ``lock``.
    words
        The rule, said to the planner.
    area
        Area of a lock; -1 for the others.
    """

    kind: str
    words: str
    area: int = -1


def conflicting_rules(
    case: DistrictCase, names: Sequence[str], *, band_words: str
) -> tuple[str, ...]:
    """Find a smallest set of rules that cannot hold together, in words; empty: none is proven.

    Tested by what every plan must satisfy: an area is no larger than a district may be, locked
    areas of a district can be joined without areas locked elsewhere, and the linear program of
    workloads, locks and moves, without the whole of contiguity, has an answer. Rules are dropped
    one after another as long as the rest still conflicts (Junker's QuickXplain, AAAI 2004), so
    that no rule of the answer can be left out.

    Parameters
    ----------
    case
        What is asked.
    names
        Names of the districts.
    band_words
        The band, said as it was asked for.
    """
    too_large = np.flatnonzero(case.workload_h > case.upper_h * (1 + _SLACK))
    if len(too_large):
        return (
            band_words,
            *(
                f"area {case.area_ids[i]} alone has a workload of {case.workload_h[i]:,.6g},"
                f" a district at most {case.upper_h:,.6g}"
                for i in too_large
            ),
        )
    rules = _rules(case, names, band_words)
    if _may_hold(case, rules):
        return ()
    kept = _explain(lambda some: not _may_hold(case, some), [], list(rules), added=False)
    order = {rule: at for at, rule in enumerate(rules)}
    return tuple(rule.words for rule in sorted(kept, key=order.__getitem__))


def _rules(case: DistrictCase, names: Sequence[str], band_words: str) -> tuple[Rule, ...]:
    rules = [Rule("band", band_words)]
    if case.max_moved is not None and case.today is not None:
        rules.append(Rule("moves", f"at most {case.max_moved} areas change district"))
    if case.locked is not None:
        rules += [
            Rule("lock", f"area {case.area_ids[i]} is locked to {names[case.locked[i]]}", int(i))
            for i in np.flatnonzero(case.locked >= 0)
        ]
    return tuple(rules)


def _explain(
    conflict: Callable[[list[Rule]], bool], ground: list[Rule], rules: list[Rule], *, added: bool
) -> list[Rule]:
    """Find a smallest part of the rules that conflicts together with the ground."""
    if added and conflict(ground):
        return []
    if len(rules) == 1:
        return rules
    half = len(rules) // 2
    first, second = rules[:half], rules[half:]
    from_second = _explain(conflict, [*ground, *first], second, added=bool(first))
    from_first = _explain(conflict, [*ground, *from_second], first, added=bool(from_second))
    return [*from_first, *from_second]


def _may_hold(case: DistrictCase, rules: Sequence[Rule]) -> bool:
    """Say whether no test shows that rules conflict."""
    kinds = {rule.kind for rule in rules}
    locked = np.full(case.num_areas, -1, dtype=np.int64)
    for rule in rules:
        if rule.kind == "lock" and case.locked is not None:
            locked[rule.area] = case.locked[rule.area]
    allowed = _allowed(case, locked)
    if allowed is None:
        return False
    if not kinds & {"band", "moves"}:
        return True
    some = replace(
        case,
        lower_h=case.lower_h if "band" in kinds else 0.0,
        upper_h=case.upper_h if "band" in kinds else float(case.workload_h.sum()) + 1.0,
        max_moved=case.max_moved if "moves" in kinds else None,
        locked=locked,
    )
    return _loads_fit(some, allowed)


def _allowed(case: DistrictCase, locked: NDArray[np.int64]) -> NDArray[np.bool_] | None:
    """Say which area may be in which district, shape (areas, districts); None: locks split one.

    A district with locks reaches only what its locked areas reach without areas locked elsewhere.
    """
    allowed = np.ones((case.num_areas, case.num_districts), dtype=np.bool_)
    allowed[locked >= 0] = False
    for district in np.unique(locked[locked >= 0]).tolist():
        own = np.flatnonzero(locked == district)
        free = (locked < 0) | (locked == district)
        _, piece = pieces_of(case.border_km, np.where(free, 0, -1))
        if len(np.unique(piece[own])) > 1:
            return None
        allowed[:, district] = free & (piece == piece[own[0]])
    return allowed


def _loads_fit(case: DistrictCase, allowed: NDArray[np.bool_]) -> bool:
    """Say whether fractions of areas can be given to districts within the limits and moves."""
    from scipy import sparse

    from deploy_opt.plan.solver import linear_model, solve

    area, district = np.nonzero(allowed)
    if len(np.unique(area)) < case.num_areas:
        return False
    columns = np.arange(len(area))
    ones = np.ones(len(area))
    rows = [
        sparse.coo_array((ones, (area, columns)), (case.num_areas, len(area))),
        sparse.coo_array(
            (case.workload_h[area], (district, columns)), (case.num_districts, len(area))
        ),
    ]
    low = [np.ones(case.num_areas), np.full(case.num_districts, case.lower_h - _slack(case))]
    high = [np.ones(case.num_areas), np.full(case.num_districts, case.upper_h + _slack(case))]
    if case.max_moved is not None and case.today is not None:
        stays = (case.today[area] == district).astype(float)
        rows.append(sparse.coo_array(stays[None, :]))
        low.append(np.array([np.count_nonzero(case.today >= 0) - case.max_moved - 1e-6]))
        high.append(np.array([np.inf]))
    model = linear_model(
        np.zeros(len(area)),
        sparse.vstack(rows).tocsr(),
        rows=(np.concatenate(low), np.concatenate(high)),
        bounds=(0, 1),
    )
    return solve(model).report.status != "infeasible"


def _slack(case: DistrictCase) -> float:
    return 1e-7 * case.mean_h
