"""What dropping a rule cannot bring more than: bounds beside the prices of rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.bounds.certificates import LocationBound, hour_key, location_bound
from deploy_opt.plan.bounds.cover_prices import hour_program, price_cover
from deploy_opt.plan.value_tables import hour_problem
from deploy_opt.plan.week import week_at

if TYPE_CHECKING:
    from deploy_opt.plan.deployment import SolvedCase
    from deploy_opt.plan.rules import Rules


class PriceBounds:
    """Bounds on the calls reached under looser rules, made once for a plan.

    Parameters
    ----------
    solved
        The plan and what it was made from.
    """

    def __init__(self, solved: SolvedCase) -> None:
        self.case, self.crews_bound = solved.case, solved.staffed.crews.bound
        self.units, self.free = solved.placed.units, solved.placed.free
        self.known = solved.placed.bound
        self.value = solved.placed.value

    def _located(self) -> LocationBound:
        staffing = self.units.sum(axis=1)
        known = self.known
        if known is None or not np.array_equal(known.units.sum(axis=1), staffing):
            start = self.free if np.array_equal(self.free.sum(axis=1), staffing) else self.units
            week = week_at(self.case.model, self.case.rules, staffing)
            known = location_bound(week, start, engine=self.case.settings.solver.engine)
            self.known = known
        return known

    def with_positions(self, crews_bound: float) -> float:
        """Bound the calls of any crews from a bound that rests on the positions found.

        Parameters
        ----------
        crews_bound
            What no crews can be worth by hulls of the value tables.

        Returns
        -------
        float
            The bound, raised by how far other positions could be above those found, measured at
            the plan's units on duty: as in `proof.Proof`.
        """
        located = self._located()
        found = max(float(self.case.model.value(located.units).sum()), self.value)
        gap = max(float(located.by_hour.sum()) / max(found, 1e-12), 1.0)
        return max(crews_bound, found) * gap

    def any_crews(self) -> float:
        """Bound all plans whose posts keep their own limits, whatever else is dropped."""
        return self.with_positions(self.crews_bound)

    def at_units(self, rules: Rules) -> float:
        """Bound positions under other limits of the posts, at the plan's units on duty.

        Only hours in which the posts' limits differ are solved again.

        Parameters
        ----------
        rules
            The looser rules; limits on open posts and moves are left aside.
        """
        case = self.case
        by_hour = self._located().by_hour.copy()
        differs = (rules.lower != case.rules.lower) | (rules.upper != case.rules.upper)
        staffing = np.asarray(self.units.sum(axis=1), dtype=np.int64)
        bounds = (rules.lower, rules.upper)
        seen: dict[bytes, float] = {}
        for index in np.flatnonzero(differs.any(axis=1)).tolist():
            hour = hour_problem(case.model, index, int(staffing[index]), bounds)
            key = hour_key(hour)
            if key not in seen:
                near = np.clip(self.units[index], hour.lower, hour.upper)
                engine = case.settings.solver.engine
                seen[key] = price_cover(hour_program(hour), near, engine=engine).bound
            by_hour[index] = seen[key]
        return float(by_hour.sum())
