"""Recover hours that a record leaves out because they had few calls."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.demand.counts import hour_of_week
from deploy_opt.units import HOURS_PER_WEEK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.demand.counts import CountGrid

_MOST_LEAST = 10
_FEWEST_CELLS = 500
_FEWEST_EXPECTED = 20.0
_LIKE_EXPECTED = (0.3, 3.0)
_STEPS = 8
_LEVEL_WEEKS = 9
_OUTAGE_P = 1e-6


def smallest_recorded(grid: CountGrid) -> int:
    """Smallest count that the record holds where it leaves smaller ones out, else 0.

    A record is taken for censored when no cell of it holds fewer than `c` >= 2 calls, and as many
    cells are missing (a third to three times) as a Poisson law around the hour of the week would
    put below `c`, at least 20.

    Parameters
    ----------
    grid
        Counts of one service.
    """
    num = int(grid.observed.sum())
    if num < _FEWEST_CELLS or grid.observed.all():
        return 0
    least = int(grid.calls[grid.observed].min())
    if not 2 <= least <= _MOST_LEAST:
        return 0
    below = _chance_below(_means(grid, grid.calls, grid.observed), least)
    expected, missing = float(below.sum()), int((~grid.observed).sum())
    low, high = _LIKE_EXPECTED
    if expected < _FEWEST_EXPECTED or not low * expected <= missing <= high * expected:
        return 0
    return least


def fill_censored(grid: CountGrid, least: int) -> CountGrid:
    """Put what is expected of them into the cells that are missing for their few calls.

    The expectation-maximisation steps of a Poisson law with a mean by area, hour of the week and
    nine weeks: E[Y | Y < c] = m P(Y <= c - 2) / P(Y <= c - 1), then the means anew. Dempster, Laird
    and Rubin (1977), *Maximum likelihood from incomplete data via the EM algorithm*, JRSS B
    39:1-38. Stretches that such a law would leave out with a chance below 1e-6 stay missing: they
    are outages.

    Parameters
    ----------
    grid
        Counts of one service.
    least
        From `smallest_recorded`; below 2 the grid is given back.
    """
    if least < 2 or not len(grid.hours):
        return grid
    missing = ~grid.observed
    calls, use = grid.calls.astype(float), grid.observed
    for step in range(_STEPS):
        mean = _means(grid, calls, use)
        if step == 0:
            use = grid.observed | (missing & ~_outages(missing, _chance_below(mean, least)))
        filled = use & missing
        calls = np.where(filled, _mean_below(mean, least), grid.calls)
    return replace(grid, calls=calls.astype(np.float32), observed=use)


def mean_of_recorded(mean: NDArray[np.float64], least: int) -> NDArray[np.float64]:
    """Mean of the counts that a censored record holds: E[Y | Y >= c] of a Poisson law.

    Parameters
    ----------
    mean
        Means of all hours, of any shape.
    least
        `c`; below 2 the means are given back.
    """
    from scipy.special import pdtrc

    if least < 2:
        return mean
    m = np.maximum(mean, 1e-9)
    raised: NDArray[np.float64] = m * pdtrc(least - 2, m) / np.maximum(pdtrc(least - 1, m), 1e-300)
    return np.where(mean > 0, np.maximum(raised, least), 0.0)


def words(grid: CountGrid, filled: CountGrid, least: int) -> str:
    """Say what was found and done."""
    recovered = int(filled.observed.sum() - grid.observed.sum())
    return (
        f"{grid.service}: the record leaves out hours with fewer than {least} calls; "
        f"{recovered:,} such area-hours count as the {least - 1} calls or fewer that a Poisson law "
        "expects of them, and test scores are of recorded hours only"
    )


def _chance_below(mean: NDArray[np.float64], least: int) -> NDArray[np.float64]:
    from scipy.special import pdtr

    chance: NDArray[np.float64] = pdtr(least - 1, mean)
    return chance


def _mean_below(mean: NDArray[np.float64], least: int) -> NDArray[np.float64]:
    from scipy.special import pdtr

    below: NDArray[np.float64] = pdtr(least - 1, mean)
    expected: NDArray[np.float64] = mean * pdtr(least - 2, mean) / np.maximum(below, 1e-300)
    return expected


def _means(
    grid: CountGrid, calls: NDArray[np.floating], use: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Mean by area and hour of the week times the level of nine weeks, (hours, areas)."""
    how = hour_of_week(grid.hours)
    length = use * grid.length_h[:, None]
    found = np.zeros((HOURS_PER_WEEK, calls.shape[1]))
    there = np.zeros_like(found)
    np.add.at(found, how, np.where(use, calls, 0.0))
    np.add.at(there, how, length)
    table = (found + found.mean()) / (there + np.maximum(there.mean(), 1.0)) * 1.0
    table = np.where(there > 0, found / np.maximum(there, 1.0), table)
    base = table[how] * grid.length_h[:, None]
    week = np.arange(len(how)) // HOURS_PER_WEEK
    came = np.bincount(week, np.where(use, calls, 0.0).sum(axis=1))
    due = np.bincount(week, np.where(use, base, 0.0).sum(axis=1))
    window = np.ones(_LEVEL_WEEKS)
    level = np.convolve(came, window, "same") / np.maximum(np.convolve(due, window, "same"), 1e-9)
    if len(came) < _LEVEL_WEEKS:
        level = np.full(len(came), came.sum() / max(due.sum(), 1e-9))
    means: NDArray[np.float64] = np.maximum(base * level[week][:, None], 1e-9)
    return means


def _outages(missing: NDArray[np.bool_], below: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Cells in missing stretches too long for few calls, (hours, areas)."""
    out = np.zeros_like(missing)
    for area in range(missing.shape[1]):
        edges = np.diff(np.r_[False, missing[:, area], False].astype(np.int8))
        starts, stops = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
        upto = np.r_[0.0, np.cumsum(np.log(np.maximum(below[:, area], 1e-300)))]
        for a, b in zip(starts, stops, strict=True):
            out[a:b, area] = upto[b] - upto[a] < np.log(_OUTAGE_P)
    return out
