"""Fit one category: train, calibrate, and measure on calls that neither has seen."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.risk.conformal import calibrate
from deploy_opt.risk.officer_risk.boosting import engine_for, fit_trees, out_of_fold
from deploy_opt.risk.officer_risk.costs import confusion, cost_check
from deploy_opt.risk.officer_risk.effects import partial_dependence, permutation_importance
from deploy_opt.risk.officer_risk.encoding import Encoding, learn_encoding
from deploy_opt.risk.officer_risk.model import (
    CategoryModel,
    Threshold,
    level_probabilities,
    most_fitting,
)
from deploy_opt.risk.officer_risk.splits import Split, SplitKind, split_rows
from deploy_opt.risk.officer_risk.weights import recalibrate, tune_weight
from deploy_opt.risk.set_report import set_report
from deploy_opt.seeds import stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from deploy_opt.risk.officer_risk.costs import CostCheck
    from deploy_opt.risk.officer_risk.params import OfficerRiskParams

RATIOS = tuple(range(1, 21))
"""Cost ratios of the table for stakeholders."""
COVERAGES = (0.70, 0.75, 0.80)
"""Coverages of that table."""
_FIRST = dt.date(1970, 1, 1)
_MORE_IN_BINS = 2


@dataclass(frozen=True, slots=True)
class CategoryFit:
    """A category as fitted and tested.

    Attributes
    ----------
    model
        The model, published or not.
    check
        Cost per held-out call beside the constants.
    report
        split, measure, label (a level, or -1: all), value, lo, hi, n of held-out calls.
    choices
        cost_ratio x coverage: what the people concerned choose from.
    importance, dependence
        As `permutation_importance` and `partial_dependence`, with a column level.
    tested
        Row positions (in the category's table) of the held-out calls, and the levels in their sets,
        shape (calls, levels), and the level of least cost, shape (calls,).
    """

    model: CategoryModel
    check: CostCheck
    report: pd.DataFrame
    choices: pd.DataFrame
    importance: pd.DataFrame
    dependence: pd.DataFrame
    tested: tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.int64]]


def fit_category(
    features: pd.DataFrame, level: NDArray[np.int64], params: OfficerRiskParams
) -> CategoryFit:
    """Fit and test the calls of one category.

    Parameters
    ----------
    features
        As `dispatch_features` gives them, one category, complete windows.
    level
        Level of each call, shape (calls,).
    params
        The choices.

    Returns
    -------
    CategoryFit
        With `CategoryFit.check` saying whether it may be published.
    """
    day = features["day"].to_numpy()
    split = split_rows(day, kind=params.split, seed=params.seed)
    encoding, thresholds = _train(features, level, split, params)
    part = _Part(encoding, thresholds, features, level, split)
    alpha = 1 - params.coverage
    calibration = calibrate(part.p_calibration, part.y_calibration, alpha=alpha)
    sets = calibration.sets(part.p_test)
    said = most_fitting(part.odds_test)
    num_levels = len(params.levels)
    check = cost_check(said, part.y_test, num_levels=num_levels, cost_ratio=params.cost_ratio)
    tables = [_report(params.split, sets, said, part.y_test, check, params)]
    if params.random_report:
        tables.append(_other_split(features, level, params))
    names = encoding.names
    weights = [
        permutation_importance(t, part.rows_test, part.y_test >= k, names, seed=params.seed)
        for k, t in enumerate(thresholds, start=1)
    ]
    curves = [
        partial_dependence(
            t, part.rows_test, names, seed=params.seed,
            features=tuple(w.loc[w["used"], "feature"]),
        )
        for t, w in zip(thresholds, weights, strict=True)
    ]  # fmt: skip
    singles = tables[0].query("measure == 'singleton_precision' and label >= 0")["value"]
    train_days, last = day[split.train], int(day.max())
    model = CategoryModel(
        category=str(features["category"].iloc[0]),
        levels=params.levels,
        encoding=encoding,
        thresholds=tuple(thresholds),
        calibration=calibration,
        policy=params.policy,
        cost_ratio=params.cost_ratio,
        precision=tuple(float(v) for v in singles),
        trained=(iso(int(train_days.min())), iso(int(train_days.max()))),
        retire_on=iso(last + params.retire_after_days),
    )
    return CategoryFit(
        model=model,
        check=check,
        report=pd.concat(tables, ignore_index=True),
        choices=_choices(part, params),
        importance=_by_level(weights, params),
        dependence=_by_level(curves, params),
        tested=(split.test, sets, said),
    )


class _Part:
    """Held-out and calibration calls as the model sees them."""

    def __init__(
        self,
        encoding: Encoding,
        thresholds: Sequence[Threshold],
        features: pd.DataFrame,
        level: NDArray[np.int64],
        split: Split,
    ) -> None:
        self.y_calibration, self.y_test = level[split.calibration], level[split.test]
        rows_calibration = encoding.rows(features.iloc[split.calibration])
        self.rows_test = encoding.rows(features.iloc[split.test])
        self.odds_calibration = [t.log_odds(rows_calibration) for t in thresholds]
        self.odds_test = [t.log_odds(self.rows_test) for t in thresholds]

    @property
    def p_calibration(self) -> NDArray[np.float64]:
        return level_probabilities(self.odds_calibration)

    @property
    def p_test(self) -> NDArray[np.float64]:
        return level_probabilities(self.odds_test)


def _train(
    features: pd.DataFrame, level: NDArray[np.int64], split: Split, params: OfficerRiskParams
) -> tuple[Encoding, list[Threshold]]:
    train = features.iloc[split.train]
    encoding = learn_encoding(train, least_calls_of_word=params.least_calls_of_word)
    rows, levels = encoding.rows(train), level[split.train]
    tuned_on = _some(len(rows), params)
    engine = engine_for(len(rows), params.engine)
    few, found = rows[tuned_on], []
    for number in range(1, len(params.levels)):
        high = levels >= number
        few_high = high[tuned_on]

        def scores_at(weight: float, few_high: NDArray[np.bool_] = few_high) -> NDArray[np.float64]:
            return out_of_fold(few, few_high, weight=weight, engine=engine, seed=params.seed)

        if params.objective == "count_ratio":
            weight = tune_weight(scores_at, few_high, params.cost_ratio).weight
            slope, constant, shift = 1.0, 0.0, 0.0
        else:
            weight, shift = 1.0, math.log(params.cost_ratio)
            slope, constant = recalibrate(scores_at(1.0), few_high)
        trees = fit_trees(rows, high, weight=weight, engine=engine, seed=params.seed)
        found.append(Threshold(trees, slope, constant, shift, weight))
    return encoding, found


def _other_split(
    features: pd.DataFrame, level: NDArray[np.int64], params: OfficerRiskParams
) -> pd.DataFrame:
    kind: SplitKind = "random" if params.split == "temporal" else "temporal"
    split = split_rows(features["day"].to_numpy(), kind=kind, seed=params.seed)
    part = _Part(*_train(features, level, split, params), features, level, split)
    calibration = calibrate(part.p_calibration, part.y_calibration, alpha=1 - params.coverage)
    said = most_fitting(part.odds_test)
    check = cost_check(
        said, part.y_test, num_levels=len(params.levels), cost_ratio=params.cost_ratio
    )
    return _report(kind, calibration.sets(part.p_test), said, part.y_test, check, params)


def _report(
    split: str,
    sets: NDArray[np.bool_],
    said: NDArray[np.int64],
    true: NDArray[np.int64],
    check: CostCheck,
    params: OfficerRiskParams,
) -> pd.DataFrame:
    n, nan = len(true), math.nan
    rows: list[tuple[str, int, float, float, float, int]] = [
        ("cost_per_call", -1, check.cost, nan, nan, n),
        *(("cost_of_always", j, float(cost), nan, nan, n) for j, cost in enumerate(check.always)),
        ("saved_per_call", -1, check.saved, check.saved_lo, check.saved_hi, n),
    ]
    for number in range(1, len(params.levels)):
        table = confusion(said >= number, true >= number)
        rows += [(name, number, value, nan, nan, n) for name, value in table.shares.items()]
        rows += [
            (name, number, float(getattr(table, name)), nan, nan, n)
            for name in ("tp", "fp", "fn", "tn")
        ]
    table = pd.DataFrame(rows, columns=["measure", "label", "value", "lo", "hi", "n"])
    whole = pd.concat([table, set_report(sets, true)], ignore_index=True)
    whole.insert(0, "split", split)
    return whole


def _choices(part: _Part, params: OfficerRiskParams) -> pd.DataFrame:
    """Held-out results at each cost ratio and coverage, by shifting the odds of the same trees."""
    rows, num_levels = [], len(params.levels)
    for ratio in RATIOS:
        move = math.log(ratio / params.cost_ratio)
        odds = [each + move for each in part.odds_test]
        p_calibration = level_probabilities([each + move for each in part.odds_calibration])
        p_test, said = level_probabilities(odds), most_fitting(odds)
        check = cost_check(said, part.y_test, num_levels=num_levels, cost_ratio=ratio)
        table = confusion(said >= 1, part.y_test >= 1)
        for coverage in COVERAGES:
            sets = calibrate(p_calibration, part.y_calibration, alpha=1 - coverage).sets(p_test)
            single = sets.sum(axis=1) == 1
            top = single & sets[:, -1]
            right = top & (part.y_test == num_levels - 1)
            rows.append(
                {
                    "cost_ratio": ratio,
                    "coverage": coverage,
                    "tp": table.tp,
                    "fp": table.fp,
                    "fn": table.fn,
                    "tn": table.tn,
                    "false_alarms_per_miss": table.shares["false_alarms_per_miss"],
                    "recall": table.shares["recall"],
                    "cost_per_call": check.cost,
                    "cheapest_constant": float(check.always.min()),
                    "beats": check.beats,
                    "cannot_tell_share": float((~single).mean()),
                    "says_highest_share": float(top.mean()),
                    "precision_of_highest": right.sum() / top.sum() if top.any() else math.nan,
                }
            )
    return pd.DataFrame(rows)


def _by_level(tables: Sequence[pd.DataFrame], params: OfficerRiskParams) -> pd.DataFrame:
    named = [t.assign(level=name) for name, t in zip(params.levels[1:], tables, strict=True)]
    whole = [t for t in named if len(t)]
    return pd.concat(whole, ignore_index=True) if whole else named[0]


def _some(num_rows: int, params: OfficerRiskParams) -> NDArray[np.int64]:
    """Rows that weights are searched on; bins are quick, so they take twice as many."""
    most = params.tuning_rows
    if engine_for(num_rows, params.engine) == "histogram":
        most *= _MORE_IN_BINS
    if num_rows <= most:
        return np.arange(num_rows)
    rng = stream(params.seed, "officer risk", "tuning")
    return np.sort(rng.choice(num_rows, most, replace=False))


def iso(day: int) -> str:
    """ISO date of days since 1970."""
    return (_FIRST + dt.timedelta(days=day)).isoformat()
