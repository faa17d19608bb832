"""Officer risk: forecast before arrival how dangerous a dispatch may be, with honest sets.

After Berk and others on 911 dispatches of Camden, New Jersey. It speaks of calls by area and type,
never of persons; it informs those who are sent and feeds no deployment plan. A category is
published only if its forecasts cost less on held-out calls than saying always the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from deploy_opt.errors import InputError
from deploy_opt.risk.model_files import read_model, write_model
from deploy_opt.risk.officer_risk.costs import level_cost
from deploy_opt.risk.officer_risk.feasibility import FEASIBLE, checked_labels, feasibility
from deploy_opt.risk.officer_risk.features import dispatch_features
from deploy_opt.risk.officer_risk.fit import fit_category, iso
from deploy_opt.risk.officer_risk.leakage import check_not_telling
from deploy_opt.risk.officer_risk.model import CategoryModel, model_from_plain
from deploy_opt.risk.officer_risk.params import OfficerRiskParams

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import ArrayLike

    from deploy_opt.risk.officer_risk.features import Sources
    from deploy_opt.risk.officer_risk.fit import CategoryFit

__all__ = [
    "OfficerRisk",
    "OfficerRiskParams",
    "feasibility",
    "fit_officer_risk",
    "load_officer_risk",
    "save_officer_risk",
    "score_dispatch",
]

KIND = "officer risk"
_LEFT_OUT = "costs no less than always the same"


@dataclass(frozen=True, slots=True)
class OfficerRisk:
    """Models of the categories that earn one, and the proof.

    Attributes
    ----------
    models
        Category -> model, published ones only.
    withheld
        Category -> why there is no model.
    feasibility
        As `feasibility`.
    report
        category, published, split, measure, label, value, lo, hi, n.
    choices
        category, cost_ratio (1 .. 20), coverage (.70, .75, .80) and what each choice brings.
    importance, dependence
        With columns category and level; see `permutation_importance` and `partial_dependence`.
    groups
        category, group, measure (coverage, recall, says_high_share, cost_per_call), value, n.
    period
        First and last day of the calls, ISO dates.
    params
        The choices.
    notes
        What a reader must know, in words.
    """

    models: dict[str, CategoryModel]
    withheld: dict[str, str]
    feasibility: pd.DataFrame
    report: pd.DataFrame
    choices: pd.DataFrame
    importance: pd.DataFrame
    dependence: pd.DataFrame
    groups: pd.DataFrame
    period: tuple[str, str]
    params: OfficerRiskParams
    notes: tuple[str, ...]


def fit_officer_risk(
    features: pd.DataFrame,
    labels: ArrayLike,
    params: OfficerRiskParams | None = None,
    *,
    group_of_area: Mapping[str, str] | None = None,
    progress: Callable[[str], None] | None = None,
) -> OfficerRisk:
    """Fit every category that has enough calls, and publish those that beat constant forecasts.

    Parameters
    ----------
    features
        As `dispatch_features` gives them.
    labels
        Level of each call from 0, shape (calls,), as `label_calls` gives them.
    params
        The choices; None: the defaults.
    group_of_area
        Area -> group, for measures by group; None: no such table.
    progress
        Called with the name of each category that is begun.

    Returns
    -------
    OfficerRisk
        Models and proof.

    Raises
    ------
    InputError
        For columns about persons, features that are not listed or that tell the outcome, and
        labels that do not fit.
    """
    params = params or OfficerRiskParams()
    level = checked_labels(features, labels, params)
    counts = feasibility(features, level, params)
    whole = features["complete"].to_numpy(bool)
    check_not_telling(features, level)
    models: dict[str, CategoryModel] = {}
    withheld: dict[str, str] = {}
    fits: dict[str, CategoryFit] = {}
    groups = []
    for category, rows in counts.groupby("category", sort=True):
        lacking = rows.loc[rows["verdict"] != FEASIBLE, "verdict"]
        if len(lacking):
            withheld[category] = str(lacking.iloc[0])
            continue
        if progress is not None:
            progress(str(category))
        at = np.flatnonzero(whole & (features["category"] == category).to_numpy())
        fit = fit_category(features.iloc[at].reset_index(drop=True), level[at], params)
        fits[category] = fit
        if fit.check.beats:
            models[category] = fit.model
        else:
            withheld[category] = _LEFT_OUT
        if group_of_area is not None:
            area = features["area_id"].iloc[at]
            groups.append(_by_group(category, fit, area, level[at], group_of_area, params))
    left = int((~whole).sum())
    days = features["day"]
    return OfficerRisk(
        models=models,
        withheld=withheld,
        feasibility=counts,
        report=_joined({c: f.report.assign(published=c in models) for c, f in fits.items()}),
        choices=_joined({c: f.choices for c, f in fits.items()}),
        importance=_joined({c: f.importance for c, f in fits.items()}),
        dependence=_joined({c: f.dependence for c, f in fits.items()}),
        groups=pd.concat(groups, ignore_index=True) if groups else pd.DataFrame(),
        period=(iso(int(days.min())), iso(int(days.max()))) if len(days) else ("", ""),
        params=params,
        notes=_notes(left, params),
    )


def save_officer_risk(risk: OfficerRisk, path: Path, *, key: bytes | None = None) -> str:
    """Write the published models and why others are withheld; see `write_model`.

    Returns
    -------
    str
        The seal, to be noted elsewhere.
    """
    content = {
        "models": {category: model.to_plain() for category, model in risk.models.items()},
        "withheld": risk.withheld,
        "period": list(risk.period),
    }
    return write_model(path, KIND, content, key=key)


@dataclass(frozen=True, slots=True)
class SavedOfficerRisk:
    """Models as read back from a file.

    Attributes
    ----------
    models
        Category -> model.
    withheld
        Category -> why there is no model.
    """

    models: dict[str, CategoryModel]
    withheld: dict[str, str]


def load_officer_risk(
    path: Path, *, key: bytes | None = None, expected_seal: str | None = None
) -> SavedOfficerRisk:
    """Read models back; a file that was changed is refused, see `read_model`."""
    content = read_model(path, KIND, key=key, expected_seal=expected_seal)
    try:
        models = {str(c): model_from_plain(m) for c, m in content["models"].items()}
        withheld = {str(c): str(why) for c, why in content["withheld"].items()}
    except (KeyError, AttributeError) as error:
        raise InputError.of(str(path), f"no {error}", "models of officer risk") from error
    return SavedOfficerRisk(models, withheld)


def score_dispatch(
    risk: OfficerRisk | SavedOfficerRisk, calls: pd.DataFrame, sources: Sources
) -> pd.DataFrame:
    """Forecast calls that are being dispatched, one or many.

    Parameters
    ----------
    risk
        The models.
    calls
        Some of `KNOWN_AT_DISPATCH`, as `dispatch_features` takes them.
    sources
        What is known of the past, weather and census.

    Returns
    -------
    pandas.DataFrame
        In the order of the calls: incident_id, category, said (a level, or ``cannot tell``; missing
        where there is no forecast), may_be (the set, levels joined by `` or ``), precision (share
        of held-out calls in which a lone such level was right; missing where the set holds
        several), why (why there is no forecast, else empty).

    Raises
    ------
    InputError
        As `dispatch_features`.
    """
    features = dispatch_features(calls, sources)
    said: dict[str, list[Any]] = {
        name: [None] * len(features) for name in ("said", "may_be", "precision", "why")
    }
    for category, at in features.groupby("category").indices.items():
        model = risk.models.get(category)
        why = risk.withheld.get(category, "no model of this category") if model is None else ""
        late = (
            []
            if model is None
            else [iso(int(d)) >= model.retire_on for d in features["day"].iloc[at]]
        )
        sets = None if model is None else model.sets(features.iloc[at])
        words = [] if model is None or sets is None else model.words(sets)
        for place, row in enumerate(at):
            if model is None or sets is None:
                said["why"][row] = why
                continue
            if late[place]:
                said["why"][row] = f"the model was to be retired on {model.retire_on}"
                continue
            inside = np.flatnonzero(sets[place])
            said["said"][row] = words[place]
            said["may_be"][row] = " or ".join(model.levels[j] for j in inside)
            said["precision"][row] = model.precision[inside[0]] if len(inside) == 1 else np.nan
            said["why"][row] = ""
    columns: dict[str, Any] = {
        "incident_id": features["incident_id"].to_numpy(object),
        "category": features["category"].to_numpy(object),
        **{name: pd.array(values, dtype="string") for name, values in said.items()
           if name != "precision"},
        "precision": np.array([np.nan if v is None else v for v in said["precision"]], dtype=float),
    }  # fmt: skip
    order = ["incident_id", "category", "said", "may_be", "precision", "why"]
    return pd.DataFrame(columns)[order]


def _by_group(
    category: str,
    fit: CategoryFit,
    area: pd.Series,
    level: np.ndarray[tuple[int], np.dtype[np.int64]],
    group_of_area: Mapping[str, str],
    params: OfficerRiskParams,
) -> pd.DataFrame:
    at, sets, said = fit.tested
    true = level[at]
    group = area.iloc[at].map(dict(group_of_area)).fillna("unknown").to_numpy(object)
    held = sets[np.arange(len(true)), true]
    cost = level_cost(said, true, params.cost_ratio)
    rows = []
    for name in sorted(set(group)):
        own = group == name
        high = own & (true > 0)
        for measure, values in (
            ("coverage", held[own]),
            ("recall", said[high] > 0),
            ("says_high_share", said[own] > 0),
            ("cost_per_call", cost[own]),
        ):
            value = float(np.mean(values)) if len(values) else np.nan
            rows.append((category, name, measure, value, len(values)))
    return pd.DataFrame(rows, columns=["category", "group", "measure", "value", "n"])


def _joined(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    named = []
    for category, table in tables.items():
        named.append(table.copy())
        named[-1].insert(0, "category", category)
    return pd.concat(named, ignore_index=True) if named else pd.DataFrame()


def _notes(left: int, params: OfficerRiskParams) -> tuple[str, ...]:
    honest = (
        f"a set holds the true level in {params.coverage:.0%} of the calls of each level; "
        "how often a lone level is right is another number: see singleton_precision"
    )
    notes = [honest]
    if left:
        notes.append(f"{left} calls left out: their windows begin before the records")
    if params.objective == "count_ratio":
        notes.append(
            "weights were set so that false alarms per miss meet the cost ratio, which is not the "
            "least cost at that ratio"
        )
    return tuple(notes)
