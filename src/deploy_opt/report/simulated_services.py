"""What the simulation says of each service beside the model of the plan: numbers and words."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deploy_opt.report.simulated_values import ARMS, arm_values, interval, value_cell

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

SERVICE_NAMES = {"ems": "Ambulances", "police": "Patrols", "coresponse": "Co-responders"}
_SHOWN = 0.00005
_NO_TODAY = "not in the scenario, so the plan alone is played"
_STATISTICS = ("mean_response_s", "p90_response_s", "queued_share")
LABELS = {
    "in_time": "in time",
    "mean_response_s": "mean response",
    "p90_response_s": "90th percentile of the response",
    "queued_share": "waited for a free unit",
    "busy_fraction": "busy fraction of the units",
}


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """What is compared for a service.

    Attributes
    ----------
    service
        The service.
    counted
        Which calls count, and when one is in time, in words.
    scope, scope_id
        Rows of ``simulation.csv`` that hold them.
    model
        Share in time that the model of the plan says; NaN where it says none.
    has_today
        Whether today's units are known and were played too.
    model_today
        Share in time that the model says of today; NaN where it says none.
    """

    service: str
    counted: str
    scope: str
    scope_id: str
    model: float
    has_today: bool = False
    model_today: float = math.nan


def service_summary(table: pd.DataFrame, facts: ServiceFacts) -> dict[str, Any]:
    """Gather the numbers of a service under the plan as plain values.

    Parameters
    ----------
    table
        Contract ``simulation.csv``.
    facts
        What is compared.

    Returns
    -------
    dict
        in_time, mean_response_s, p90_response_s, queued_share and busy_fraction with value, lo
        and hi (95 %); model_in_time, disagreement_points (simulation less model) and whether the
        model's share lies within the interval. Where today was played, the same of baseline and
        difference (plan less today, paired).
    """
    mine = table[table["service"] == facts.service]
    own = mine[mine["arm"] == "plan"]
    rows = _rows(own, facts)
    whole = own[own["scope"] == "all"].set_index("statistic")
    found = arm_values(rows, "plan", _STATISTICS)
    share = found["in_time"]
    found |= {
        "counted": facts.counted,
        "busy_fraction": interval(whole, "busy_fraction"),
        "unanswered_share": interval(whole, "unanswered_share"),
        "model_in_time": float(facts.model),
        "disagreement_points": 100 * (share["value"] - facts.model),
        "within_interval": within(share, facts.model),
        "has_today": facts.has_today,
    }
    if facts.has_today:
        for arm in ARMS[1:]:
            theirs = mine[mine["arm"] == arm]
            found[arm] = arm_values(_rows(theirs, facts), arm, _STATISTICS)
            all_calls = theirs[theirs["scope"] == "all"].set_index("statistic")
            found[arm]["busy_fraction"] = interval(all_calls, "busy_fraction")
        if math.isfinite(facts.model_today):
            found["model_in_time_today"] = facts.model_today
    return found


def _rows(table: pd.DataFrame, facts: ServiceFacts) -> pd.DataFrame:
    there = (table["scope"] == facts.scope) & (table["scope_id"] == facts.scope_id)
    return table[there].set_index("statistic")


def against_model(share: Mapping[str, float], model: float) -> str:
    """Set a simulated share beside the model's.

    Examples
    --------
    >>> against_model({"value": 0.9056, "lo": 0.9009, "hi": 0.9104}, 0.9097)
    "90.56 % (90.09 to 91.04) against the model's 90.97 %: 0.41 points lower, within the interval"
    """
    value, lo, hi = (100 * share[name] for name in ("value", "lo", "hi"))
    apart = value - 100 * model
    way = "apart" if abs(apart) < 100 * _SHOWN else ("lower" if apart < 0 else "higher")
    inside = "within" if within(share, model) else "beyond"
    return (
        f"{value:.2f} % ({lo:.2f} to {hi:.2f}) against the model's {100 * model:.2f} %: "
        f"{abs(apart):.2f} points {way}, {inside} the interval"
    )


def within(share: Mapping[str, float], model: float) -> bool:
    """Whether the model's share lies within a simulated interval, to the digits that are shown."""
    return bool(share["lo"] - _SHOWN <= model <= share["hi"] + _SHOWN)


def service_lines(services: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Say how far model and simulation, and plan and today, are apart: a line or two a service."""
    lines = []
    for name, found in services.items():
        lines.append(
            f"{SERVICE_NAMES[name]}, simulated: "
            f"{against_model(found['in_time'], found['model_in_time'])} ({found['counted']})."
        )
        if found["has_today"]:
            lines.append(f"{SERVICE_NAMES[name]}: {_against_today(found)}.")
    return lines


def _against_today(found: Mapping[str, Any]) -> str:
    plan, today = found["in_time"], found["baseline"]["in_time"]
    gain, mean = (found["difference"][name] for name in ("in_time", "mean_response_s"))
    points = [f"{100 * gain[end]:+.2f}" for end in ("value", "lo", "hi")]
    seconds = [f"{mean[end]:+.1f}" for end in ("value", "lo", "hi")]
    return (
        f"the plan reaches {100 * plan['value']:.2f} % in time, today "
        f"{100 * today['value']:.2f} %: {points[0]} points ({points[1]} to {points[2]}), mean "
        f"response {seconds[0]} s ({seconds[1]} to {seconds[2]}), on the same calls"
    )


def page_one_lines(simulated: Mapping[str, Any]) -> list[str]:
    """Say on page one what the independent check found, from ``simulation.json``."""
    share, model = simulated["plan"]["in_time"], simulated["model_in_time"]["plan"]
    lines = [f"Simulation {against_model(share, model)}."]
    services = simulated.get("services", {})
    found_of = {name: services[name] for name in SERVICE_NAMES if name in services}
    others = [
        f"{SERVICE_NAMES[name]} {100 * found['in_time']['value']:.1f} % against "
        f"{100 * found['model_in_time']:.1f} % ({100 * found['in_time']['lo']:.1f} to "
        f"{100 * found['in_time']['hi']:.1f})"
        for name, found in found_of.items()
        if name != "ems"
    ]
    return [*lines, f"{'; '.join(others)}."] if others else lines


def read_simulated(folder: Path, run_id: str) -> dict[str, Any] | None:
    """Read what an earlier ``simulate`` of the same run found; None where there is none."""
    try:
        found = json.loads((folder / "simulation.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    same = isinstance(found, dict) and found.get("run_id") == run_id
    return found if same else None


def service_rows(services: Mapping[str, Mapping[str, Any]]) -> list[dict[str, str]]:
    """Give the rows of the page's table of services."""
    return [
        {
            "name": SERVICE_NAMES[name],
            "counted": found["counted"],
            "model": f"{100 * found['model_in_time']:.2f} %",
            "simulated": _share(found["in_time"]),
            "apart": f"{found['disagreement_points']:+.2f}".replace("-", "\u2212"),
            "inside": "within" if found["within_interval"] else "beyond",
            "mean": _seconds(found["mean_response_s"]),
            "waited": _share(found["queued_share"]),
            "busy": _share(found["busy_fraction"]),
            "today": "played too" if found["has_today"] else _NO_TODAY,
        }
        for name, found in services.items()
    ]


def today_tables(services: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Give the page's tables of plan against today of services beside the first."""
    return [
        {
            "name": SERVICE_NAMES[name],
            "counted": found["counted"],
            "rows": [
                {
                    "label": label,
                    "plan": value_cell(found[figure], figure),
                    "baseline": value_cell(found["baseline"][figure], figure),
                    "difference": value_cell(found["difference"][figure], figure, signed=True),
                }
                for figure, label in LABELS.items()
            ],
        }
        for name, found in services.items()
        if name != "ems" and found["has_today"]
    ]


def _share(found: Mapping[str, float]) -> str:
    return _cell([100 * found[name] for name in ("value", "lo", "hi")], 2, " %")


def _seconds(found: Mapping[str, float]) -> str:
    return _cell([found[name] for name in ("value", "lo", "hi")], 0, " s")


def _cell(numbers: Sequence[float], digits: int, unit: str) -> str:
    if not np.isfinite(numbers[0]):
        return "–"
    value, lo, hi = (f"{number:.{digits}f}" for number in numbers)
    return f"{value}{unit} ({lo} to {hi})".replace("-", "\u2212")
