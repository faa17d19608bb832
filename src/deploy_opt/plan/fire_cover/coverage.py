"""Fire cover of a plan against today's: two layers, areas, companies and first-due areas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from deploy_opt.errors import InputError
from deploy_opt.plan.fire_cover.first_due import FirstDue, first_due, first_due_changes
from deploy_opt.plan.fire_cover.force import fewest_companies, most_covered
from deploy_opt.plan.fire_cover.score import score_companies

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.fire_cover.force import Aim, ForcePlan
    from deploy_opt.plan.fire_cover.question import FireQuestion
    from deploy_opt.plan.fire_cover.score import ForceScore
    from deploy_opt.plan.solver import Limits


@dataclass(frozen=True, slots=True, eq=False)
class FireCoverage:
    """What a plan's companies reach, what today's do, and what changes.

    Attributes
    ----------
    question
        What was asked.
    plan
        The placement with bound and gap.
    layers
        One line per arm (plan, baseline), layer (first_due, effective_force) and risk class
        (``all`` first): limit_s, calls, reached, share, target_share, met.
    areas
        One line per area, the one with the least force in the plan first: area_id, calls,
        first_plan, first_baseline, first_diff, force_plan, force_baseline, force_diff (shares of
        its calls).
    companies
        One line per station and kind in use in either arm: station_id, kind, companies,
        companies_today, change.
    due, due_today
        First-due areas.
    moved
        First-due calls that change hands, see `first_due_changes`.
    """

    question: FireQuestion
    plan: ForcePlan
    layers: pd.DataFrame
    areas: pd.DataFrame
    companies: pd.DataFrame
    due: FirstDue
    due_today: FirstDue
    moved: pd.DataFrame

    def share(self, layer: str, arm: str = "plan", risk_class: str = "all") -> float:
        """Share of the calls within a layer's limit."""
        line = self._line(layer, arm, risk_class)
        return float(line["share"])

    def is_met(self, layer: str, arm: str = "plan", risk_class: str = "all") -> bool:
        """Whether the target share is reached."""
        return bool(self._line(layer, arm, risk_class)["met"])

    def _line(self, layer: str, arm: str, risk_class: str) -> pd.Series:
        key = {"layer": layer, "arm": arm, "risk_class": risk_class}
        chosen = self.layers
        for column, value in key.items():
            chosen = chosen[chosen[column] == value]
        if chosen.empty:
            raise InputError.of("layer", str(key), "a line of FireCoverage.layers")
        return chosen.iloc[0]


def fire_coverage(
    question: FireQuestion,
    *,
    mode: Literal["most", "fewest"] = "most",
    aim: Aim = "weighted",
    weights: tuple[float, float] = (0.5, 0.5),
    limits: Limits | None = None,
) -> FireCoverage:
    """Plan fire companies and set the plan beside today's, both by the same model.

    Parameters
    ----------
    question
        Stations, companies, risk classes, standard and rules.
    mode
        ``most``: most weighted calls covered by the companies allowed; ``fewest``: the fewest
        companies that reach the least shares of the rules.
    aim, weights, limits
        As `most_covered`.

    Returns
    -------
    FireCoverage

    Raises
    ------
    InputError
        An unknown mode or aim, or no share to reach.
    InfeasibleError
        The smallest set of rules that conflict.
    """
    if mode not in {"most", "fewest"}:
        raise InputError.of("mode", repr(mode), "most or fewest")
    if mode == "fewest":
        plan = fewest_companies(question, limits=limits)
    else:
        plan = most_covered(question, aim=aim, weights=weights, limits=limits)
    today = score_companies(question, question.today)
    due, due_today = (first_due(question, of) for of in (plan.companies, question.today))
    return FireCoverage(
        question=question,
        plan=plan,
        layers=_layers(question, {"plan": plan.score, "baseline": today}),
        areas=_areas(question, plan.score, today),
        companies=_companies(question, plan.companies),
        due=due,
        due_today=due_today,
        moved=first_due_changes(due, due_today),
    )


def _layers(question: FireQuestion, scores: dict[str, ForceScore]) -> pd.DataFrame:
    standard, lines = question.standard, []
    calls = np.stack([risk.calls for risk in question.risks], axis=1)
    limits = np.array([question.limit_s(risk) for risk in question.risks])
    for arm, score in scores.items():
        first = np.repeat(score.first[:, None], calls.shape[1], axis=1)
        layers = (
            ("first_due", first, np.full(len(limits), standard.first_limit_s)),
            ("effective_force", score.force, limits),
        )
        for layer, cover, limit in layers:
            by_risk = (calls * cover).sum(axis=0)
            for name, of in (
                ("all", list(range(len(limits)))),
                *((risk.name, [r]) for r, risk in enumerate(question.risks)),
            ):
                total, reached = float(calls[:, of].sum()), float(by_risk[of].sum())
                share = reached / total if total else np.nan
                lines.append(
                    {
                        "arm": arm,
                        "layer": layer,
                        "risk_class": name,
                        "limit_s": float(limit[of].max()),
                        "calls": total,
                        "reached": reached,
                        "share": share,
                        "target_share": standard.target_share,
                        "met": bool(share >= standard.target_share),
                    }
                )
    return pd.DataFrame(lines)


def _areas(question: FireQuestion, plan: ForceScore, today: ForceScore) -> pd.DataFrame:
    calls = np.stack([risk.calls for risk in question.risks], axis=1)
    every = calls.sum(axis=1)
    sums = pd.DataFrame(
        {
            "area_id": list(question.row_area),
            "calls": every,
            "first_plan": every * plan.first,
            "first_baseline": every * today.first,
            "force_plan": (calls * plan.force).sum(axis=1),
            "force_baseline": (calls * today.force).sum(axis=1),
        }
    )
    found = sums.groupby("area_id", sort=True).sum().reset_index()
    found = found[found["calls"] > 0]
    for layer in ("first", "force"):
        for arm in ("plan", "baseline"):
            found[f"{layer}_{arm}"] = found[f"{layer}_{arm}"] / found["calls"]
        found[f"{layer}_diff"] = found[f"{layer}_plan"] - found[f"{layer}_baseline"]
    ordered = found.sort_values(
        ["force_plan", "first_plan", "area_id"], kind="stable", ignore_index=True
    )
    columns = [f"{layer}_{arm}" for layer in ("first", "force") for arm in _ARMS]
    return ordered[["area_id", "calls", *columns]]


_ARMS = ("plan", "baseline", "diff")


def _companies(question: FireQuestion, placed: NDArray[np.int64]) -> pd.DataFrame:
    lines = [
        {
            "station_id": station,
            "kind": kind.name,
            "companies": int(placed[k, j]),
            "companies_today": int(kind.today[j]),
            "change": int(placed[k, j] - kind.today[j]),
        }
        for j, station in enumerate(question.station_ids)
        for k, kind in enumerate(question.kinds)
        if placed[k, j] or kind.today[j]
    ]
    columns = ["station_id", "kind", "companies", "companies_today", "change"]
    return pd.DataFrame(lines, columns=columns)
