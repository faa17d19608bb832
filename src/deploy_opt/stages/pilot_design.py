"""Lay out a live pilot: how long it must run, and an order drawn by lot and published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import InputError
from deploy_opt.seeds import stream
from deploy_opt.simulation.designs import blocks_per_arm, stepped_wedge_power, switchback
from deploy_opt.simulation.wedge import check_clusters

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from deploy_opt.pilot_settings import LivePilot

_PERIOD_D = 7
_MOST_STEPS, _MOST_WEEKS = 12, 26


@dataclass(frozen=True, slots=True)
class LiveDesign:
    """How long a live pilot must run, and its order.

    Attributes
    ----------
    design
        ``switchback`` or ``stepped_wedge``.
    schedule
        As `inputs.pilot_files.read_schedule` reads it; days as ISO text.
    sd, delta
        Standard deviation that it is laid out for, and the difference to be found.
    blocks_per_arm
        Days under each plan (switchback), or weeks of a period (stepped wedge).
    power
        Chance to show `delta`.
    words
        The size in a sentence.
    """

    design: str
    schedule: pd.DataFrame
    sd: float
    delta: float
    blocks_per_arm: int
    power: float
    words: str


def design_switchback(
    values: pd.Series, live: LivePilot, *, first_day: dt.date, seed: int
) -> LiveDesign:
    """Size a switchback by days and draw its order.

    Parameters
    ----------
    values
        The outcome's value of each past day, indexed by day; may be empty where the settings say
        `sd` and `delta`.
    live
        Settings.
    first_day
        First day of the schedule.
    seed
        Seed of the lot.
    """
    about = values - values.groupby(values.index.dayofweek).transform("mean")
    sd = live.sd or _spread(about, len(set(values.index.dayofweek)))
    delta = live.delta or _five_percent(values)
    number = blocks_per_arm(sd, delta, level=live.level, power=live.power)
    pairs = -(-number // _PERIOD_D) * _PERIOD_D
    table = switchback(first_day.isoformat(), pairs, seed=seed)
    days = table["day"]
    words = (
        f"{number} days under each plan show a difference of {delta:.4g} with a chance of "
        f"{live.power:.0%} (a day's mean varies by {sd:.4g}); {pairs} pairs of equal weekdays, "
        f"{days.min():%Y-%m-%d} to {days.max():%Y-%m-%d}."
    )
    return LiveDesign("switchback", _iso(table), sd, delta, number, live.power, words)


def design_wedge(
    by_week: Mapping[str, pd.Series], live: LivePilot, *, first_day: dt.date, seed: int
) -> LiveDesign:
    """Size a stepped wedge and draw the order of its districts.

    Parameters
    ----------
    by_week
        District -> the outcome's value of each past week.
    live, first_day, seed
        As `design_switchback`.
    """
    names = sorted(by_week)
    steps = min(len(names), _MOST_STEPS)
    sizes = [len(part) for part in np.array_split(np.arange(len(names)), steps)] if steps else []
    step_of = np.repeat(np.arange(1, steps + 1), sizes)
    check_clusters(step_of)
    every = pd.concat(list(by_week.values()))
    around = pd.concat([values - values.mean() for values in by_week.values()])
    sd = live.sd or _spread(around, len(names))
    level = float(np.std([values.mean() for values in by_week.values()], ddof=1))
    delta = live.delta or _five_percent(every)
    power, weeks = 0.0, 0
    while power < live.power and weeks < _MOST_WEEKS:
        weeks += 1
        power = stepped_wedge_power(
            delta, sizes, sd_cell=sd / np.sqrt(weeks), sd_district=level, level=live.level
        )
    order = stream(seed, "pilot", "stepped wedge").permutation(len(names))
    start = {names[district]: int(step) for district, step in zip(order, step_of, strict=True)}
    first = pd.Timestamp(first_day)
    rows = [
        (
            name,
            period,
            first + pd.Timedelta(days=_PERIOD_D * weeks * period),
            first + pd.Timedelta(days=_PERIOD_D * weeks * (period + 1)),
            "plan" if period >= start[name] else "baseline",
        )
        for period in range(steps + 1)
        for name in names
    ]
    table = pd.DataFrame(rows, columns=["district", "period", "day", "until", "arm"])
    enough = "" if power >= live.power else f", short of the {live.power:.0%} asked"
    words = (
        f"{len(names)} districts in {steps} steps, {steps + 1} periods of {weeks} weeks: a "
        f"difference of {delta:.4g} is shown with a chance of {power:.0%}{enough} (a district's "
        f"week varies by {sd:.4g}); {first_day} until {table['until'].max():%Y-%m-%d}."
    )
    return LiveDesign("stepped_wedge", _iso(table), sd, delta, weeks, power, words)


def _spread(values: pd.Series, levels: int) -> float:
    free = len(values.dropna()) - levels
    if free < 10:
        found = f"{len(values.dropna())} past days or weeks with the primary outcome"
        expected = "records with arrivals, or pilot.live.sd and pilot.live.delta"
        raise InputError.of("pilot.live.sd", found, expected)
    return float(np.sqrt((values.dropna() ** 2).sum() / free))


def _five_percent(values: pd.Series) -> float:
    if values.dropna().empty:
        expected = "the difference to be found, as no record says what is usual"
        raise InputError.of("pilot.live.delta", "nothing", expected)
    return 0.05 * float(values.mean())


def _iso(table: pd.DataFrame) -> pd.DataFrame:
    days = {name: table[name].dt.strftime("%Y-%m-%d") for name in ("day", "until") if name in table}
    return table.assign(**days)
