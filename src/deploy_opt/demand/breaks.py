"""Find lasting jumps of the level: a new station, a change of borders, a pandemic."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from deploy_opt.demand.windows import Window

_SIDE_WEEKS = 6
_CITY_RATIO = 1.25
_AREA_RATIO = 1.6
_NEAR_PART = 0.75
_LEAST_STATISTIC = 40.0
_FEWEST_CALLS = 30.0


@dataclass(frozen=True, slots=True)
class Break:
    """A jump of the level.

    Attributes
    ----------
    area
        Column of the area, or None: the city.
    at
        First hour of the new level.
    ratio
        New level over old one; of an area, of its share in the city.
    """

    area: int | None
    at: pd.Timestamp
    ratio: float


def find_breaks(window: Window) -> tuple[Break, ...]:
    """Test every week of the history for a jump of the city's level and of the areas' shares.

    The statistic is the Poisson likelihood ratio of two levels against one, over the dispersion of
    the weeks around the two. It must pass 40, the levels must differ by 25 % (city) or 60 % (share
    of an area), and most of that must lie between the six weeks before and after, so that a season
    or a slow growth is no jump. At most one jump, the clearest, is reported of each series.

    Parameters
    ----------
    window
        A history; with fewer than 12 weeks nothing can be found.
    """
    week = ((window.age_weeks.max() - window.age_weeks) // 1.0).astype(np.int64)
    num = int(week.max()) + 1
    if num < 2 * _SIDE_WEEKS:
        return ()
    from scipy.sparse import csr_array

    rows = np.arange(len(week))
    pick = csr_array((np.ones(len(week), dtype=np.float32), (week, rows)), shape=(num, len(week)))
    calls = np.asarray(pick @ window.calls, dtype=float)
    hours = np.asarray(pick @ window.exposure, dtype=float)
    found: list[Break] = []
    total, weight = calls.sum(axis=1), hours.mean(axis=1)
    city = _jump(total, weight, _CITY_RATIO)
    starts = np.searchsorted(week, np.arange(num))
    if city is not None:
        found.append(Break(None, window.past[starts[city[0]]], city[1]))
    part = calls.sum(axis=0) / np.maximum(hours.sum(axis=0), 1.0)
    due = (hours * part).sum(axis=1)
    level = np.divide(total, due, out=np.zeros(num), where=due > 0)
    if calls.shape[1] > 1:
        for area in range(calls.shape[1]):
            one = _jump(calls[:, area], hours[:, area] * level, _AREA_RATIO)
            if one is not None:
                found.append(Break(area, window.past[starts[one[0]]], one[1]))
    return tuple(found)


def _jump(
    calls: NDArray[np.float64], weight: NDArray[np.float64], least_ratio: float
) -> tuple[int, float] | None:
    """Week and ratio of the clearest jump, or None."""
    if calls.sum() < 2.0 * _FEWEST_CALLS:
        return None
    num = len(calls)
    upto, there = np.r_[0.0, np.cumsum(calls)], np.r_[0.0, np.cumsum(weight)]
    cuts = np.arange(_SIDE_WEEKS, num - _SIDE_WEEKS + 1)
    before, after = upto[cuts], upto[-1] - upto[cuts]
    e_before, e_after = there[cuts], there[-1] - there[cuts]
    rate = upto[-1] / max(there[-1], 1e-9)
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = before * np.log(before / (e_before * rate)) + after * np.log(
            after / (e_after * rate)
        )
    gain = np.where(np.isfinite(gain), 2.0 * gain, 0.0)
    cut = int(cuts[gain.argmax()])
    low, high = (
        upto[cut] / max(there[cut], 1e-9),
        (upto[-1] - upto[cut]) / max(there[-1] - there[cut], 1e-9),
    )
    if max(low, high) * min(there[cut], there[-1] - there[cut]) < _FEWEST_CALLS or low <= 0:
        return None
    fitted = weight * np.where(np.arange(num) < cut, low, high)
    use = fitted > 0
    spread = ((calls[use] - fitted[use]) ** 2 / fitted[use]).sum() / max(use.sum() - 2, 1)
    near = slice(cut - _SIDE_WEEKS, cut), slice(cut, cut + _SIDE_WEEKS)
    sides = [calls[s].sum() / max(weight[s].sum(), 1e-9) for s in near]
    if min(sides) <= 0:
        return None
    ratio, close = high / low, sides[1] / sides[0]
    clear = gain.max() / max(spread, 1.0) >= _LEAST_STATISTIC
    enough = abs(np.log(ratio)) >= np.log(least_ratio)
    step = max(np.log(least_ratio), abs(np.log(ratio)))
    sudden = np.log(close) * np.sign(np.log(ratio)) >= _NEAR_PART * step
    return (cut, float(ratio)) if clear and enough and sudden else None


def after_breaks(window: Window, breaks: tuple[Break, ...]) -> Window:
    """Hide what lies before the jumps: all of it for the city's, of the area for an area's.

    Parameters
    ----------
    window
        A history.
    breaks
        From `find_breaks`.
    """
    if not breaks:
        return window
    first = max((b.at for b in breaks if b.area is None), default=window.past[0])
    keep = slice(int(window.past.searchsorted(first)), None)
    calls, exposure = window.calls[keep].copy(), window.exposure[keep].copy()
    past = window.past[keep]
    for one in breaks:
        if one.area is not None:
            rows = slice(0, int(past.searchsorted(one.at)))
            calls[rows, one.area] = 0.0
            exposure[rows, one.area] = 0.0
    return replace(
        window,
        past=past,
        calls=calls,
        exposure=exposure,
        past_how=window.past_how[keep],
        age_weeks=window.age_weeks[keep],
    )


def break_notes(window: Window, breaks: tuple[Break, ...]) -> list[str]:
    """Say when which level jumped by how much, and what was done."""
    notes = []
    for one in breaks:
        change = f"{one.ratio - 1.0:+.0%} from {one.at:%Y-%m-%d} on"
        if one.area is None:
            notes.append(
                f"{window.service}: the level of the city jumped by {change}; the models "
                "learn from the time after it only"
            )
        else:
            notes.append(
                f"{window.service}: the share of area {window.area_ids[one.area]} in the city's "
                f"calls jumped by {change}; its earlier calls are not learned"
            )
    return notes
