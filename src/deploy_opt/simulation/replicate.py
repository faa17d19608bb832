"""Plans against the same calls, many times: means, half-widths and paired differences."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from deploy_opt.errors import InputError
from deploy_opt.simulation.simulate import simulate
from deploy_opt.simulation.statistics import KEYS, half_width, measure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import ArrayLike

    from deploy_opt.simulation.policies import Policy
    from deploy_opt.simulation.result import SimulationResult

COLUMNS = ["arm", "service", *KEYS, "value", "half_width", "lo", "hi", "n", "replications"]


@dataclass(frozen=True, slots=True)
class Arm:
    """A plan to be simulated: its fleet and the rules that go with it."""

    fleet: pd.DataFrame
    policy: str | Policy = "closest"


@dataclass(frozen=True, slots=True)
class Precision:
    """When enough replications have been made.

    Attributes
    ----------
    half_width
        The half-width to reach, in the unit of the statistic.
    statistic, arm
        Whose half-width, over all calls (of the first service).
    least, most
        Fewest and most replications.
    """

    half_width: float
    statistic: str = "mean_response_s"
    arm: str = "difference"
    least: int = 10
    most: int = 200


@dataclass(frozen=True, slots=True)
class Replications:
    """What replications found.

    Attributes
    ----------
    table
        The columns of simulation.csv: arm, service, scope, scope_id, statistic, value, half_width,
        lo, hi (95 %, Student's), n (calls counted), replications. With two arms, ``difference``
        is the first less the second, replication by replication on the same calls.
    samples
        The value of each replication: arm, service, scope, scope_id, statistic, replication,
        value, n.
    replications
        How many were made.
    reached
        Whether the asked precision was reached; True when none was asked.
    """

    table: pd.DataFrame
    samples: pd.DataFrame
    replications: int
    reached: bool


def replicate(  # noqa: PLR0913 - a study's design is its arguments
    arms: Mapping[str, Arm],
    draw_calls: Callable[[int], pd.DataFrame],
    times: ArrayLike,
    *,
    replications: int = 30,
    precision: Precision | None = None,
    standards_s: float | Mapping[str, float],
    warm_up_s: float = 86_400.0,
    service: str = "ems",
    threads: int = 1,
    measured: Callable[[SimulationResult, pd.DataFrame], pd.DataFrame] | None = None,
    **options: Any,  # noqa: ANN401 - what `simulate` takes
) -> Replications:
    """Simulate one or two plans on the same calls, replication by replication.

    Parameters
    ----------
    arms
        The plans by name, such as ``plan`` and ``baseline``; both see the same calls with the
        same luck.
    draw_calls
        Makes the calls of a replication from its number, with all that is random in them.
    times
        Drive times as `simulate` takes them.
    replications
        How many, where no `precision` is asked.
    precision
        Go on until this half-width is reached.
    standards_s, warm_up_s
        As `measure` takes them.
    service
        Value of the column of that name.
    threads
        Replications worked at the same time; the result is the same.
    measured
        Works the statistics out instead of `measure`, from the result and its calls; may give a
        column ``service``, which then stands instead of `service`.
    options
        Passed to `simulate`.

    Returns
    -------
    Replications
    """
    least = precision.least if precision else replications
    if not 1 <= len(arms) <= 2 or least < 2:
        found = f"{len(arms)} arms, {least} replications"
        raise InputError.of("replicate", found, "1 or 2 arms, at least 2 replications")

    def play(number: int) -> pd.DataFrame:
        calls = draw_calls(number)
        found = []
        for name, arm in arms.items():
            result = simulate(arm.fleet, calls, times, policy=arm.policy, **options)
            if measured is None:
                values = measure(result, calls, standards_s=standards_s, warm_up_s=warm_up_s)
            else:
                values = measured(result, calls)
            found.append(pd.DataFrame({"service": service}, index=values.index).assign(**values))
            found[-1]["arm"] = name
        return pd.concat(found).assign(replication=number)

    most = precision.most if precision else replications
    done: list[pd.DataFrame] = []
    with ThreadPoolExecutor(threads) as pool:
        while True:
            upto = min(max(least, len(done) + least // 2), most)
            done += pool.map(play, range(len(done), upto))
            samples = _with_differences(pd.concat(done, ignore_index=True), list(arms))
            reached = precision is None or _reached(samples, precision)
            if reached or upto >= most:
                break
    table = summarise(samples, service=service)
    return Replications(table, samples, len(done), reached)


def summarise(samples: pd.DataFrame, *, service: str) -> pd.DataFrame:
    """Average samples over replications, with Student's 95 % intervals.

    Parameters
    ----------
    samples
        arm, scope, scope_id, statistic, replication, value (NaN = nothing to say, left out), n;
        optional service.
    service
        Value of the column of that name where samples have none.

    Returns
    -------
    pandas.DataFrame
        The columns of simulation.csv; arms, scopes and ids in the order of the samples.
    """
    from scipy.stats import t

    known = samples[samples["value"].notna()]
    if "service" not in known:
        known = known.assign(service=service)
    groups = known.groupby(["arm", "service", *KEYS], sort=False)
    value, number = groups["value"].mean(), groups["value"].count()
    spread = groups["value"].std(ddof=1) / np.sqrt(number)
    half = spread * t.ppf(0.975, np.maximum(number - 1, 1))
    table = pd.DataFrame({"value": value, "half_width": half, "lo": value - half})
    table = table.assign(hi=value + half, n=groups["n"].sum().astype(np.int64))
    table = table.assign(replications=number.astype(np.int64)).reset_index()
    return table[COLUMNS]


def _with_differences(samples: pd.DataFrame, arms: list[str]) -> pd.DataFrame:
    if len(arms) < 2:
        return samples
    keys = ["service", *KEYS, "replication"]
    ours, theirs = (samples[samples["arm"] == arm].drop(columns="arm") for arm in arms)
    ours = ours[ours["scope"] != "unit"]
    both = ours.merge(theirs, on=keys, suffixes=("", "_other"))
    both = both.assign(value=both["value"] - both["value_other"], arm="difference")
    return pd.concat([samples, both[samples.columns]], ignore_index=True)


def _reached(samples: pd.DataFrame, precision: Precision) -> bool:
    mine = (samples["arm"] == precision.arm) & (samples["scope"] == "all")
    mine &= samples["statistic"] == precision.statistic
    if not mine.any():
        found = f"{precision.statistic} of {precision.arm}"
        raise InputError.of("precision", found, "a statistic of all calls, and an arm")
    mine &= samples["service"] == samples.loc[mine, "service"].iloc[0]
    return half_width(samples.loc[mine, "value"]) <= precision.half_width
