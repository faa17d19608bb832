"""What the simulation says of population groups: plan and today, in numbers, rows and words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from deploy_opt.report.simulated_services import SERVICE_NAMES
from deploy_opt.report.simulated_values import ARMS, arm_values, value_cell

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

_LABELS = {
    "in_time": "in time",
    "mean_response_s": "mean response",
    "p90_response_s": "90th percentile",
}
_EVERYBODY = "all"


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """Population groups whose response by a service is told.

    Attributes
    ----------
    service
        The service.
    residents
        Residents of each group; the first is all of them, under ``all``.
    model
        Share in time that the model of the plan says of each group; empty where it says none.
    """

    service: str
    residents: Mapping[str, float]
    model: Mapping[str, float] = field(default_factory=dict)


def group_summary(table: pd.DataFrame, facts: GroupFacts) -> dict[str, dict[str, Any]]:
    """Gather the numbers of each group as plain values.

    Parameters
    ----------
    table
        Contract ``simulation.csv``.
    facts
        The groups.

    Returns
    -------
    dict
        By group, all residents first and then the worst under the plan first: residents, calls,
        n, model_in_time and by arm in_time, mean_response_s and p90_response_s with value, lo and
        hi (95 %).
    """
    own = table[(table["service"] == facts.service) & (table["scope"] == "group")]
    found = {}
    for name, people in facts.residents.items():
        mine = own[own["scope_id"] == name]
        arms = {arm: mine[mine["arm"] == arm].set_index("statistic") for arm in ARMS}
        arms = {arm: rows for arm, rows in arms.items() if "late_share" in rows.index}
        if "plan" not in arms:
            continue
        found[name] = {
            "residents": people,
            "calls": float(arms["plan"].loc["num_calls", "value"]),
            "n": int(arms["plan"].loc["late_share", "n"]),
            **({"model_in_time": facts.model[name]} if facts.model else {}),
            **{arm: arm_values(rows, arm, tuple(_LABELS)[1:]) for arm, rows in arms.items()},
        }
    order = sorted(found, key=lambda name: (name != _EVERYBODY, _in_time(found[name], "plan")))
    return {name: found[name] for name in order}


def group_tables(groups: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Give the page's tables of groups, one a service: three figures a group, by arm."""
    return [
        {
            "service": SERVICE_NAMES[service],
            "today": any("baseline" in own for own in found.values()),
            "rows": _rows(found),
        }
        for service, found in groups.items()
    ]


def _rows(summary: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "name": group_name(name),
            "residents": f"{found['residents']:,.0f}",
            "calls": f"{found['calls']:.0f}",
            "model": f"{100 * found['model_in_time']:.2f} %" if "model_in_time" in found else "",
            "figures": [
                {"label": label}
                | {
                    arm: value_cell(found[arm][figure], figure, signed=arm == "difference")
                    for arm in ARMS
                    if arm in found
                }
                for figure, label in _LABELS.items()
            ],
        }
        for name, found in summary.items()
    ]


def group_lines(groups: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[str]:
    """Say how population groups fare, one line a service; the worst under the plan first."""
    return [
        f"{SERVICE_NAMES[service]} in time by residents of population groups, simulated: "
        f"{', '.join(_words(found))}."
        for service, found in groups.items()
        if len(found) > 1
    ]


def _words(found: Mapping[str, Mapping[str, Any]]) -> Sequence[str]:
    return [
        f"{group_name(name)} {100 * _in_time(own, 'plan'):.1f} %"
        + (f" (today {100 * _in_time(own, 'baseline'):.1f} %)" if "baseline" in own else "")
        for name, own in found.items()
    ]


def _in_time(found: Mapping[str, Any], arm: str) -> float:
    return float(found[arm]["in_time"]["value"])


def group_name(name: str) -> str:
    """Give the words for a group: its column without underscores."""
    return "all residents" if name == _EVERYBODY else name.replace("_", " ")
