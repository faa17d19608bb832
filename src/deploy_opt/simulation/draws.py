"""Luck by incident: every random number of a call hangs on the seed, its name and the call's id.

Two plans, or a call set with some calls more, so share the luck of every incident (common random
numbers). The numbers come from hashing, in one array operation for all calls.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from deploy_opt.errors import InputError
from deploy_opt.seeds import stream

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray


def uniforms(seed: int, name: str, ids: ArrayLike) -> NDArray[np.float64]:
    """Draw one number in (0, 1) for each id.

    Parameters
    ----------
    seed
        The scenario's seed.
    name
        What the numbers are for; another name gives independent numbers.
    ids
        Ids of incidents, shape (n,).

    Returns
    -------
    numpy.ndarray
        Shape (n,). The finaliser is splitmix64 (Steele, Lea and Flood 2014).

    Examples
    --------
    >>> bool((uniforms(1, "a", ["x", "y"]) == uniforms(1, "a", ["y", "x"])[::-1]).all())
    True
    """
    texts = pd.array(pd.Series(np.asarray(ids)).astype(str), dtype=object)
    mixed = pd.util.hash_array(np.asarray(texts, dtype=object), categorize=False)
    key = hashlib.sha256(f"{int(seed)}\x1f{name}".encode()).digest()[:8]
    mixed = mixed ^ np.uint64(int.from_bytes(key, "big"))
    with np.errstate(over="ignore"):
        mixed = mixed + np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed = mixed ^ (mixed >> np.uint64(31))
    whole = (mixed >> np.uint64(11)).astype(np.float64)
    return np.asarray((whole + 0.5) * 2.0**-53)


@dataclass(frozen=True, slots=True)
class Law:
    """Distribution of a length of time.

    Attributes
    ----------
    kind
        ``constant``, ``exponential``, ``lognormal``, ``gamma`` or ``recorded`` (of `values`).
    mean_s, cv
        Mean in s and coefficient of variation (lognormal and gamma).
    values_s
        Recorded lengths, s.
    """

    kind: Literal["constant", "exponential", "lognormal", "gamma", "recorded"] = "constant"
    mean_s: float = 0.0
    cv: float = 1.0
    values_s: tuple[float, ...] = ()

    def at(self, u: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the length below which a share `u` of the lengths lies."""
        from scipy.special import gammaincinv, ndtri

        if self.kind == "constant" or (self.kind != "recorded" and self.mean_s == 0.0):
            return np.full(u.shape, self.mean_s)
        if self.kind == "exponential":
            return -self.mean_s * np.log1p(-u)
        if self.kind == "lognormal":
            spread = np.log1p(self.cv**2)
            shift = np.sqrt(spread) * ndtri(u) - spread / 2
            return np.asarray(self.mean_s * np.exp(shift), dtype=np.float64)
        if self.kind == "gamma":
            shape = self.cv**-2
            return np.asarray(gammaincinv(shape, u) * self.mean_s / shape, dtype=np.float64)
        if not self.values_s:
            found = f"{self.kind} with 0 recorded lengths"
            raise InputError.of("law", found, "at least one length")
        ordered = np.sort(np.asarray(self.values_s, dtype=np.float64))
        return np.asarray(ordered[(u * ordered.size).astype(np.int64)])


@dataclass(frozen=True, slots=True)
class ServiceLaws:
    """How long the parts of a call take.

    Attributes
    ----------
    processing, turnout, turnout_on_road, on_scene, handover
        Laws of the columns of the same names (with ``_s``).
    transport_share
        Share of calls with transport.
    drive_cv
        Coefficient of variation of the drive about the road's time (lognormal, mean 1).
    """

    processing: Law = Law()
    turnout: Law = Law()
    turnout_on_road: Law = Law()
    on_scene: Law = Law()
    handover: Law = Law()
    transport_share: float = 0.0
    drive_cv: float = 0.0


def draw_service(
    calls: pd.DataFrame, laws: Mapping[str, ServiceLaws], *, seed: int, replication: int = 0
) -> pd.DataFrame:
    """Give calls the parts that chance decides, each by its own named stream.

    Parameters
    ----------
    calls
        call_id, call_class; other columns are kept.
    laws
        Laws of each call class.
    seed, replication
        Another replication is other luck.

    Returns
    -------
    pandas.DataFrame
        The calls with processing_s, turnout_s, turnout_on_road_s, on_scene_s, handover_s,
        transport and drive_factor.
    """
    absent = sorted(set(calls["call_class"].astype(str)) - set(laws))
    if absent:
        raise InputError.of("laws", f"none for {', '.join(absent)}", "laws of every call class")
    of_class = calls["call_class"].astype(str).to_numpy()
    ids = calls["call_id"].to_numpy()

    def luck(name: str) -> NDArray[np.float64]:
        return uniforms(seed, f"simulation/{name}/{replication}", ids)

    parts = ("processing", "turnout", "turnout_on_road", "on_scene", "handover")
    drawn = {f"{part}_s": np.zeros(len(calls)) for part in parts}
    transport, factor = np.zeros(len(calls), dtype=np.bool_), np.ones(len(calls))
    lucks = {part: luck(part) for part in parts}
    moved, road = luck("transport"), luck("drive")
    for name, law in laws.items():
        rows = of_class == name
        for part in parts:
            drawn[f"{part}_s"][rows] = getattr(law, part).at(lucks[part][rows])
        transport[rows] = moved[rows] < law.transport_share
        if law.drive_cv > 0:
            factor[rows] = Law("lognormal", 1.0, law.drive_cv).at(road[rows])
    return calls.assign(**drawn, transport=transport, drive_factor=factor)


def draw_poisson(rates_per_h: ArrayLike, *, seed: int, replication: int = 0) -> pd.DataFrame:
    """Draw calls of independent Poisson processes, hour by hour.

    Parameters
    ----------
    rates_per_h
        Calls per hour, shape (hours, nodes).
    seed, replication
        Name the stream.

    Returns
    -------
    pandas.DataFrame
        call_id, at_s (from the first hour), node; by time.
    """
    rates = np.asarray(rates_per_h, dtype=np.float64)
    rng = stream(seed, "simulation", "calls", replication)
    return _spread(rng.poisson(rates), rng, np.arange(rates.shape[1]))


def draw_from_counts(
    counts: ArrayLike, points: pd.DataFrame, *, seed: int, replication: int = 0
) -> pd.DataFrame:
    """Place the calls of a forecast path: at demand points by share, evenly within the hour.

    Parameters
    ----------
    counts
        Calls, whole numbers, shape (hours, areas).
    points
        Demand points: area (column of `counts`), node, share (sums to 1 per area).
    seed, replication
        Name the stream.

    Returns
    -------
    pandas.DataFrame
        call_id, at_s, node, area (column of `counts`); by time.
    """
    number = np.asarray(counts)
    rng = stream(seed, "simulation", "calls", replication)
    calls = _spread(number, rng, np.arange(number.shape[1])).rename(columns={"node": "area"})
    luck = uniforms(seed, f"simulation/point/{replication}", calls["call_id"].to_numpy())
    node = np.zeros(len(calls), dtype=np.int64)
    for area, own in points.groupby("area", sort=True):
        rows = (calls["area"] == area).to_numpy()
        ends = np.cumsum(own["share"].to_numpy(dtype=np.float64))
        pick = np.minimum(np.searchsorted(ends, luck[rows] * ends[-1], "right"), len(own) - 1)
        node[rows] = own["node"].to_numpy(dtype=np.int64)[pick]
    bare = sorted(set(calls["area"]) - set(points["area"]))
    if bare:
        raise InputError.of("points", f"none in areas {bare[:5]}", "a demand point in each area")
    return calls.assign(node=node)


def _spread(
    number: NDArray[np.int64], rng: np.random.Generator, nodes: NDArray[np.int64]
) -> pd.DataFrame:
    hour, column = np.nonzero(number)
    times = number[hour, column]
    hour, column = np.repeat(hour, times), np.repeat(column, times)
    at_s = 3600.0 * (hour + rng.random(hour.size))
    nth = np.arange(hour.size) - np.repeat(np.cumsum(times) - times, times)
    ids = pd.Series(hour).astype(str) + "-" + pd.Series(column).astype(str)
    ids = ids + "-" + pd.Series(nth).astype(str)
    calls = pd.DataFrame({"call_id": ids, "at_s": at_s, "node": nodes[column]})
    return calls.sort_values("at_s", kind="stable", ignore_index=True)
