"""The hours of a plan with weights on areas and with covering sets beside those of the calls."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.week import Week, week_at

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.case import Case
    from deploy_opt.plan.search import Hour


@dataclass(frozen=True, slots=True)
class ExtraSets:
    """Covering sets that stand for the price of a rule.

    Attributes
    ----------
    cover
        1.0 where a post covers a set, shape (posts, sets), one for each geometry of the model.
    weights
        Worth of each set in each hour, expected calls, >= 0, shape (hours, sets), one for each
        geometry; only rows of that geometry's hours are read.
    """

    cover: tuple[NDArray[np.float64], ...]
    weights: tuple[NDArray[np.float64], ...]


@dataclass(frozen=True, slots=True)
class Weights:
    """What calls are worth in a search.

    Attributes
    ----------
    areas
        Weight of each area, shape (areas,).
    sets
        Covering sets beside those of the calls.
    """

    areas: NDArray[np.float64]
    sets: tuple[ExtraSets, ...] = ()

    @property
    def plain(self) -> bool:
        """Whether every area weighs 1 and nothing stands beside the calls."""
        return not self.sets and bool((self.areas == 1).all())


def weighted_week(case: Case, staffing: NDArray[np.int64], weights: Weights | None = None) -> Week:
    """Set up every hour of a plan at its units on duty, weighted.

    Parameters
    ----------
    case
        The question.
    staffing
        Units on duty, shape (hours,).
    weights
        What calls are worth; None: 1 each.

    Returns
    -------
    Week
    """
    areas = None if weights is None else weights.areas
    week = week_at(case.model, case.rules, staffing, areas)
    if weights is None or not weights.sets:
        return week
    model = case.model
    covers = {
        which: np.hstack([geometry.cover, *(extra.cover[which] for extra in weights.sets)])
        for which, geometry in enumerate(model.geometries)
    }
    hours = []
    for hour, problem in enumerate(week.hours):
        which = int(model.geometry_of_hour[hour])
        beside = [extra.weights[which][hour] for extra in weights.sets]
        added = np.concatenate(beside)
        curve = _curve_of(problem, len(added))
        worth = np.concatenate([problem.weights, added])
        hours.append(replace(problem, cover=covers[which], weights=worth, curve=curve))
    return Week(tuple(hours), week.staffing, week.cyclic)


def _curve_of(problem: Hour, added: int) -> NDArray[np.float64]:
    """Keep one curve for all sets, or give the added sets the mean of those of the calls."""
    if problem.curve.ndim == 1:
        return problem.curve
    total = max(float(problem.weights.sum()), 1e-300)
    mean = problem.weights @ problem.curve / total
    return np.vstack([problem.curve, np.tile(mean, (added, 1))])
