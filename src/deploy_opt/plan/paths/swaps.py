"""Swaps of posts, hour by hour, that leave fewer late calls on the worst paths."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.search import promising_swaps
from deploy_opt.plan.week import keeps_moves

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from deploy_opt.plan.paths.model import PathModel
    from deploy_opt.plan.rules import Rules

_TRIES = 6
_ROUNDS = 4
_TIE = 1e-9


def path_swaps(
    model: PathModel,
    rules: Rules,
    units: NDArray[np.int64],
    weigh: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    keeps: Callable[[NDArray[np.int64]], bool],
) -> tuple[NDArray[np.int64], int]:
    """Move units between posts while the late calls on the worst paths fall.

    The plans that are best for some weights of the paths need not hold the one that is best on
    the worst of them: that one may hedge, one hour against another. Here each hour's swaps are
    ranked by the weights of the paths that are now the worst, and the first few tried exactly.

    Parameters
    ----------
    model
        Paths, all weighing the same.
    rules
        Limits on posts and moves; units on duty stay.
    units
        Positions to start from, shape (hours, posts).
    weigh
        Gives the weights of the worst paths from the late calls of each, shape (paths,).
    keeps
        Whether positions keep what else is asked.

    Returns
    -------
    tuple
        New positions and the swaps made.
    """
    search = _Swaps(model, rules, units, weigh)
    made = 0
    for _ in range(_ROUNDS):
        before = made
        for hour in range(model.num_hours):
            while search.improve(hour, keeps):
                made += 1
        if made == before:
            break
    return search.units, made


class _Swaps:
    """Positions whose hours change one by one, with the values of every path kept."""

    def __init__(
        self,
        model: PathModel,
        rules: Rules,
        units: NDArray[np.int64],
        weigh: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    ) -> None:
        self.model, self.rules, self.weigh = model, rules, weigh
        self.units = units.copy()
        self.values = np.stack([model.hour_values(h, row) for h, row in enumerate(units)])

    def improve(self, hour: int, keeps: Callable[[NDArray[np.int64]], bool]) -> bool:
        """Make the first promising swap of an hour that helps, if one does."""
        calls, total = self.model.path_calls, self.values.sum(axis=0)
        late = calls - total
        weights = self.weigh(late)
        risk = float(weights @ late)
        for row in self._trials(hour, weights):
            values = self.model.hour_values(hour, row)
            lost = late + self.values[hour] - values
            if float(self.weigh(lost) @ lost) >= risk - _TIE * max(risk, 1.0):
                continue
            trial = self.units.copy()
            trial[hour] = row
            if keeps(trial):
                self.units, self.values[hour] = trial, values
                return True
        return False

    def _trials(self, hour: int, weights: NDArray[np.float64]) -> Iterator[NDArray[np.int64]]:
        row, rules = self.units[hour], self.rules
        problem = self.model.hour_at(hour, row, weights, (rules.lower[hour], rules.upper[hour]))
        problem = replace(problem, max_open=rules.max_open_per_hour)
        open_now = np.ones(len(row), dtype=np.bool_)
        if rules.max_open is not None or rules.opening_calls.any():
            open_now = np.asarray(self.units.any(axis=0), dtype=np.bool_)
        for trial in promising_swaps(problem, row, open_now, _TRIES):
            if keeps_moves(self.units, hour, trial, rules.max_moves, cyclic=rules.cyclic):
                yield trial
