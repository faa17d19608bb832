"""Second area model: a ridge Poisson regression of each area on waves of the day and the week."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.units import HOURS_PER_DAY, HOURS_PER_WEEK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.demand.rates import AreaRates

RIDGES = (3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
_HELD_OUT = 0.2
_FEWEST_WEEKS = 6
_STEPS = 25
_LONGEST_STEP = 1.0
_NEAR_ENOUGH = 1e-7


def wave_columns() -> NDArray[np.float64]:
    """Columns of the 168 hours of the week, (168, 14).

    Three waves of the day, two of the day on weekends, the weekend itself and two waves of the
    week, less the one that the weekend holds.
    """
    week = np.arange(HOURS_PER_WEEK)
    day = 2.0 * np.pi * (week % HOURS_PER_DAY) / HOURS_PER_DAY
    turn = 2.0 * np.pi * week / HOURS_PER_WEEK
    weekend = (week >= 5 * HOURS_PER_DAY).astype(float)
    columns = [weekend]
    for k in (1, 2, 3):
        columns += [np.sin(k * day), np.cos(k * day)]
    for k in (1, 2):
        columns += [weekend * np.sin(k * day), weekend * np.cos(k * day)]
    columns += [np.sin(turn), np.cos(turn), np.sin(2.0 * turn)]
    return np.column_stack(columns)


def fit_area_waves(
    calls: NDArray[np.float32],
    exposure: NDArray[np.float32],
    hour_of_week: NDArray[np.int64],
    rates: AreaRates,
    *,
    age_weeks: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Fit each area's departure from the city's week by ridge Poisson regression.

    log rate = log(share x profile) + waves x effects; the effects have the prior precision that
    forecast the last fifth of the weeks best, and the level is that of the factor model.

    Parameters
    ----------
    calls
        (hours, areas); 0 where not observed.
    exposure
        (hours, areas) hours observed.
    hour_of_week
        (hours,) Monday 00:00 = 0.
    rates
        The factor model: its profile and shares are the offset.
    age_weeks
        (hours,) weeks before the end of the history.

    Returns
    -------
    ndarray
        (168, areas) calls per hour.
    """
    base = rates.profile[:, None] * rates.share[None, :]
    found, there = _by_hour_of_week(hour_of_week, calls, exposure)
    ridge = RIDGES[len(RIDGES) // 2]
    if age_weeks[0] >= _FEWEST_WEEKS:
        late = age_weeks <= _HELD_OUT * age_weeks[0]
        late_found, late_there = _by_hour_of_week(hour_of_week[late], calls[late], exposure[late])
        early_found, early_there = found - late_found, there - late_there
        gains = []
        for one in RIDGES:
            relative = _relative(early_found, early_there * base, one)
            due = late_there * base * relative
            due *= (late_found.sum(axis=0) + 1.0) / (due.sum(axis=0) + 1.0)
            gains.append(float((late_found * np.log(np.maximum(due, 1e-12)) - due).sum()))
        ridge = RIDGES[int(np.argmax(gains))]
    relative = _relative(found, there * base, ridge)
    week = rates.profile / rates.profile.sum()
    rate: NDArray[np.float64] = base * (relative / (week @ relative))
    return rate


def _by_hour_of_week(
    how: NDArray[np.int64], calls: NDArray[np.float32], exposure: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    from scipy.sparse import csr_array

    rows = np.arange(len(how))
    ones = np.ones(len(how), dtype=np.float32)
    pick = csr_array((ones, (how, rows)), shape=(HOURS_PER_WEEK, len(how)))
    return np.asarray(pick @ calls, dtype=float), np.asarray(pick @ exposure, dtype=float)


def _relative(
    found: NDArray[np.float64], expected: NDArray[np.float64], ridge: float
) -> NDArray[np.float64]:
    """Rates relative to the expected ones, (168, areas), by Newton steps over all areas at once."""
    waves = wave_columns()
    num = waves.shape[1]
    products = (waves[:, :, None] * waves[:, None, :]).reshape(len(waves), -1)
    effects = np.zeros((expected.shape[1], num))
    for _ in range(_STEPS):
        factor = np.exp(waves @ effects.T)
        due = expected * factor
        due *= (found.sum(axis=0) + 1.0) / (due.sum(axis=0) + 1.0)
        slope = (found - due).T @ waves - ridge * effects
        mean = (due.T @ waves) / np.maximum(due.sum(axis=0), 1e-12)[:, None]
        bend = (due.T @ products).reshape(-1, num, num)
        bend -= due.sum(axis=0)[:, None, None] * mean[:, :, None] * mean[:, None, :]
        bend += ridge * np.eye(num)
        step = np.linalg.solve(bend, slope[:, :, None])[:, :, 0]
        step = np.clip(step, -_LONGEST_STEP, _LONGEST_STEP)
        effects += step
        if np.abs(step).max(initial=0.0) < _NEAR_ENOUGH:
            break
    relative: NDArray[np.float64] = np.exp(waves @ effects.T)
    return relative
