"""Designs of a live pilot: how long it must run, and a fair order of plans."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from deploy_opt.errors import InputError
from deploy_opt.seeds import stream


def _normal(share: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(share))


def blocks_per_arm(sd: float, delta: float, *, level: float = 0.05, power: float = 0.8) -> int:
    """Blocks of a switchback that each plan needs to show a difference.

    ``2 (z_{1-level/2} + z_power)^2 sd^2 / delta^2``, rounded up.

    Parameters
    ----------
    sd
        Standard deviation of a block's mean.
    delta
        Difference to be found, in the same unit.
    level, power
        Two-sided level of the test and its power.

    Examples
    --------
    >>> blocks_per_arm(1.0, 0.5)
    63
    """
    if not (sd > 0 and delta > 0):
        raise InputError.of("design: sd, delta", f"{sd:g}, {delta:g}", "numbers above 0")
    return math.ceil(2 * ((_normal(1 - level / 2) + _normal(power)) * sd / delta) ** 2 - 1e-9)


def switchback(first_day: str, num_pairs: int, *, seed: int) -> pd.DataFrame:
    """Draw a switchback by days: each pair is one weekday of two weeks that follow each other.

    Parameters
    ----------
    first_day
        ISO date of the first block.
    num_pairs
        Pairs of days, one of either plan; a multiple of 7 balances the weekdays.
    seed
        Seed of the coin that orders each pair.

    Returns
    -------
    pandas.DataFrame
        block, day, pair, arm (``plan`` or ``baseline``); by day.
    """
    flips = stream(seed, "pilot", "switchback").integers(0, 2, num_pairs)
    pair = np.repeat(np.arange(num_pairs), 2)
    second = np.tile([0, 1], num_pairs)
    offset = pair // 7 * 14 + pair % 7 + 7 * second
    arm = np.where((second + flips[pair]) % 2 == 0, "plan", "baseline")
    days = pd.Timestamp(first_day) + pd.to_timedelta(offset, unit="D")
    table = pd.DataFrame({"day": days, "pair": pair, "arm": arm})
    table = table.sort_values("day", ignore_index=True)
    return table.assign(block=np.arange(len(table)))[["block", "day", "pair", "arm"]]


def stepped_wedge_se(clusters_by_step: list[int], *, sd_cell: float, sd_district: float) -> float:
    """Work out the standard error of a stepped wedge (Hussey and Hughes 2007, eq. 8).

    Parameters
    ----------
    clusters_by_step
        Districts that cross over after the first, second ... period; one period more is watched.
    sd_cell
        Standard deviation of a district's mean of one period about its own level.
    sd_district
        Standard deviation of the districts' levels.
    """
    steps, districts = len(clusters_by_step), sum(clusters_by_step)
    if districts < 2 or not (sd_cell > 0 and sd_district >= 0):
        found = f"{districts} districts, sd {sd_cell:g} and {sd_district:g}"
        do = "with one district use a switchback or a series with a control district"
        raise InputError.of("design", found, "two districts or more, a positive sd", do)
    periods = steps + 1
    start = np.repeat(np.arange(1, periods), clusters_by_step)
    treated = (np.arange(periods)[None, :] >= start[:, None]).astype(np.float64)
    u, w = treated.sum(), (treated.sum(axis=0) ** 2).sum()
    v = (treated.sum(axis=1) ** 2).sum()
    cell, level = sd_cell**2, sd_district**2
    top = districts * cell * (cell + periods * level)
    bottom = (districts * u - w) * cell
    bottom += (u**2 + districts * periods * u - periods * w - districts * v) * level
    return float(np.sqrt(top / bottom))


def stepped_wedge_power(
    delta: float,
    clusters_by_step: list[int],
    *,
    sd_cell: float,
    sd_district: float,
    level: float = 0.05,
) -> float:
    """Power of a stepped wedge to find a difference `delta`."""
    from scipy.special import ndtr

    error = stepped_wedge_se(clusters_by_step, sd_cell=sd_cell, sd_district=sd_district)
    return float(ndtr(abs(delta) / error - _normal(1 - level / 2)))
