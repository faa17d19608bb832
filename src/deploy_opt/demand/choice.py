"""Choose the models of city, districts and areas by their forecasts of stretches of the past."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.demand.members import DRIVEN, FACTOR_MODEL, FALLBACK, FAR_H
from deploy_opt.demand.scores import poisson_deviance
from deploy_opt.demand.windows import days_of
from deploy_opt.units import HOURS_PER_WEEK

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from deploy_opt.demand.members import Members
    from deploy_opt.demand.origins import Origin

_FEWEST_TO_CHOOSE = 3
_LEAST_WEIGHT = 0.05
_NO_ERROR = 1e-9
_WAVE_WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
_CLEARLY = 2.0  # paired standard errors
_TELLING_EFFECT = 0.01
_REGRESSION = "regression"
_Means = dict[str, "NDArray[np.float64]"]


@dataclass(frozen=True, slots=True)
class Choice:
    """The model of the city or of a district.

    Attributes
    ----------
    weights
        Member of the pool -> weight in the first week; they sum to 1.
    words
        How it came about.
    later
        Weights after the first week; None: the same.
    far
        Weights after four weeks; None: those after the first week.
    """

    weights: dict[str, float]
    words: str
    later: dict[str, float] | None = None
    far: dict[str, float] | None = None

    def mean(self, city: _Means) -> NDArray[np.float64]:
        """Combine the members' means; a member that could not be fitted hands its weight over."""
        mean = _combined(self.weights, city)
        for weights, first in ((self.later, HOURS_PER_WEEK), (self.far, FAR_H)):
            if weights is not None and len(mean) > first:
                mean[first:] = _combined(weights, city)[first:]
        return mean


def _combined(weights: dict[str, float], city: _Means) -> NDArray[np.float64]:
    there = {name: weight for name, weight in weights.items() if name in city}
    if not there:
        return city[FACTOR_MODEL].copy()
    total = sum(there.values())
    return sum(
        (city[name] * (weight / total) for name, weight in there.items()),
        start=np.zeros(len(city[FACTOR_MODEL])),
    )


@dataclass(frozen=True, slots=True)
class Plan:
    """What was chosen on the origins.

    Attributes
    ----------
    city
        The city model.
    dropped
        Driver groups whose effects made the test stretches worse.
    wave_weight
        Weight of the second area model in the shares of the areas.
    districts
        District -> columns of its areas.
    choices
        District -> its model.
    notes
        What was chosen, in words.
    """

    city: Choice
    dropped: tuple[str, ...]
    wave_weight: float
    districts: dict[str, NDArray[np.int64]]
    choices: dict[str, Choice]
    notes: tuple[str, ...]

    def apply(self, members: Members) -> Members:
        """Leave the dropped groups out, mix the area models, put districts on their forecasts.

        The shares of the areas still sum to 1 in every hour, so that areas add up to districts and
        districts to the city.
        """
        members = _without(members, self.dropped)
        return self._on_districts(_mixed(members, self.wave_weight))

    def on(self, origin: Origin) -> Origin:
        """Apply the plan to the members of an origin."""
        return replace(origin, members=self.apply(origin.members))

    def _on_districts(self, members: Members) -> Members:
        if not self.choices or not members.districts:
            return members
        split = members.split.copy()
        means = {name: c.mean(members.districts[name]) for name, c in self.choices.items()}
        total = np.maximum(sum(means.values()), 1e-12)
        for name, columns in self.districts.items():
            inside = members.split[:, columns].sum(axis=1, dtype=float)
            split[:, columns] *= (means[name] / total / np.maximum(inside, 1e-12))[:, None]
        return replace(members, split=split)


def make_plan(
    origins: Sequence[Origin], districts: dict[str, NDArray[np.int64]] | None = None
) -> Plan:
    """Choose driver groups, city model, area model and district models, in that order.

    Parameters
    ----------
    origins
        From `OriginRunner`; with fewer than three, the factor model is used unseen.
    districts
        District -> columns of its areas, where districts were forecast.
    """
    if len(origins) < _FEWEST_TO_CHOOSE:
        return Plan(choose(origins), (), 0.0, {}, {}, ())
    dropped, notes = _groups_to_drop(origins)
    origins = [replace(o, members=_without(o.members, dropped)) for o in origins]
    city = choose(origins)
    wave_weight = _wave_weight(origins, city)
    if wave_weight:
        notes.append(f"areas: the wave regression has {wave_weight:.0%} of the shares of the areas")
    choices = {}
    for name, columns in (districts or {}).items():
        choices[name] = choose(origins, name, columns)
        notes.append(f"district {name}: {choices[name].words}")
    return Plan(city, dropped, wave_weight, districts or {}, choices, tuple(notes))


def choose(
    origins: Sequence[Origin],
    district: str | None = None,
    columns: NDArray[np.int64] | None = None,
) -> Choice:
    """Weigh the members of the pool by their log score over the origins.

    The weight of a member is exp(-z^2 / 2), where z is how many standard errors its Poisson
    deviance of the hours and of the days lies behind the best member's, paired over the origins;
    weights below 5 % are dropped. So members that cannot be told apart share equally. Horizons of
    more than a week are weighed apart for the first week, the next three and the rest.
    If the combination does not beat the 20-week average by one standard error over the origins,
    the average is used.

    Parameters
    ----------
    origins
        From `OriginRunner`; with fewer than three, the factor model is used unseen.
    district, columns
        The district to choose for, and the columns of its areas; None: the city.
    """
    if len(origins) < _FEWEST_TO_CHOOSE:
        words = (
            f"the history holds {len(origins)} stretches to test on, too few to choose by: the "
            "factor model was taken"
        )
        return Choice({FACTOR_MODEL: 1.0}, words)
    longest = max(len(origin.hours) for origin in origins)
    weights, words = _weigh(origins, slice(0, HOURS_PER_WEEK), district, columns)
    if longest <= HOURS_PER_WEEK:
        return Choice(weights, words)
    later, later_words = _weigh(origins, slice(HOURS_PER_WEEK, FAR_H), district, columns)
    words = f"first week: {words}; later: {later_words}"
    if longest <= FAR_H:
        return Choice(weights, words, later)
    far, far_words = _weigh(origins, slice(FAR_H, None), district, columns)
    return Choice(weights, f"{words}; after four weeks: {far_words}", later, far)


def _weigh(
    origins: Sequence[Origin],
    rows: slice,
    district: str | None,
    columns: NDArray[np.int64] | None,
) -> tuple[dict[str, float], str]:
    means = [o.members.city if district is None else o.members.districts[district] for o in origins]
    names = [n for n in means[0] if all(n in one for one in means)]
    loss = np.array(
        [
            [_deviance(o, one[n], rows, columns) for n in names]
            for o, one in zip(origins, means, strict=True)
        ]
    )
    behind = loss - loss[:, [int(loss.sum(axis=0).argmin())]]
    error = behind.std(axis=0, ddof=1) / np.sqrt(len(origins))
    z = behind.mean(axis=0) / np.maximum(error, _NO_ERROR)
    weight = np.exp(-0.5 * z**2)
    weight[weight < _LEAST_WEIGHT * weight.sum()] = 0.0
    weight /= weight.sum()
    weights = {n: float(w) for n, w in zip(names, weight, strict=True) if w > 0}
    combined = np.array(
        [
            _deviance(o, _combined(weights, one), rows, columns)
            for o, one in zip(origins, means, strict=True)
        ]
    )
    gain = loss[:, names.index(FALLBACK)] - combined
    error = gain.std(ddof=1) / np.sqrt(len(gain))
    if gain.mean() <= max(error, _NO_ERROR) or weights.get(FALLBACK) == 1.0:
        words = (
            f"no model beats the 20-week average by one standard error over {len(origins)} test "
            "stretches: the average was taken for the total"
        )
        return {FALLBACK: 1.0}, words
    shares = ", ".join(f"{n} {w:.0%}" for n, w in weights.items())
    better = 1.0 - combined.sum() / loss[:, names.index(FALLBACK)].sum()
    words = (
        f"total from {shares}; deviance {better:.1%} below that of the 20-week average over "
        f"{len(origins)} test stretches"
    )
    return weights, words


def _deviance(
    origin: Origin,
    mean: NDArray[np.float64],
    rows: slice,
    columns: NDArray[np.int64] | None = None,
) -> float:
    """Poisson deviance of the hours plus that of the days of the city or of some areas."""
    calls, due, there = (values[rows] for values in origin.totals_of(mean, columns))
    if not there.any():
        return 0.0
    day = days_of(origin.hours[rows])
    hourly = float(poisson_deviance(calls[there], due[there]).sum())
    by_day = poisson_deviance(np.bincount(day, calls), np.bincount(day, due))
    return hourly + float(by_day.sum())


def _without(members: Members, groups: Iterable[str]) -> Members:
    """Take the effects of driver groups out of the means of the members that hold them."""
    gone = tuple(groups)
    if not gone:
        return members
    districts = {
        name: _divided(means, members.district_effects[name], gone)
        for name, means in members.districts.items()
    }
    return replace(members, city=_divided(members.city, members.effects, gone), districts=districts)


def _divided(means: _Means, effects: _Means, groups: tuple[str, ...]) -> _Means:
    added = sum((effects[g] for g in groups if g in effects), start=np.zeros(1))
    return {n: mean * np.exp(-added) if n in DRIVEN else mean for n, mean in means.items()}


def _groups_to_drop(origins: Sequence[Origin]) -> tuple[tuple[str, ...], list[str]]:
    """Find driver groups whose effects on the regression made the test stretches clearly worse.

    Clearly: by more than two paired standard errors over the stretches. Their effects are shrunk
    already, and a few stretches hold few holidays or storms, so that a loss within the noise says
    nothing. A group that moves no hour of the stretches by 1 % was not put to the test.
    """
    dropped, notes = [], []
    every = slice(None)
    for group in dict.fromkeys(g for o in origins for g in o.members.effects):
        there = [o for o in origins if group in o.members.effects and _REGRESSION in o.members.city]
        moved = max((float(np.abs(o.members.effects[group]).max()) for o in there), default=0.0)
        if len(there) < _FEWEST_TO_CHOOSE or moved < _TELLING_EFFECT:
            continue
        gains = []
        for origin in there:
            mean = origin.members.city[_REGRESSION]
            bare = mean * np.exp(-origin.members.effects[group])
            gains.append(_deviance(origin, bare, every) - _deviance(origin, mean, every))
        if np.mean(gains) < -_CLEARLY * np.std(gains, ddof=1) / np.sqrt(len(gains)):
            dropped.append(group)
            notes.append(f"the effects of {group} made the test stretches worse and were left out")
    return tuple(dropped), notes


def _mixed(members: Members, weight: float) -> Members:
    if not weight or members.waves.shape != members.split.shape:
        return members
    split = np.float32(1.0 - weight) * members.split + np.float32(weight) * members.waves
    return replace(members, split=split)


def _wave_weight(origins: Sequence[Origin], city: Choice) -> float:
    """Weight of the second area model with the least deviance of the area-hours.

    0 unless the gain over the factor model alone is above one standard error over the origins.
    """
    if any(o.members.waves.shape != o.members.split.shape for o in origins):
        return 0.0
    loss = np.array(
        [
            [
                float(poisson_deviance(o.calls, due.areas_of(city.mean(o.members.city))).sum())
                for weight in _WAVE_WEIGHTS
                for due in [replace(o, members=_mixed(o.members, weight))]
            ]
            for o in origins
        ]
    )
    best = int(loss.sum(axis=0).argmin())
    gain = loss[:, 0] - loss[:, best]
    error = gain.std(ddof=1) / np.sqrt(len(gain))
    return _WAVE_WEIGHTS[best] if gain.mean() > error else 0.0
