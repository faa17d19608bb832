"""The page of the independent check: plan against today in the simulation, and beside the model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from deploy_opt.report.simulated_groups import GroupFacts, group_lines, group_summary, group_tables
from deploy_opt.report.simulated_services import (
    LABELS,
    ServiceFacts,
    service_lines,
    service_rows,
    service_summary,
    today_tables,
)
from deploy_opt.report.simulated_values import ARMS, arm_values, in_time, value_cell
from deploy_opt.report.still_pages import render_still

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

CHART_WIDTH, CHART_HEIGHT = 1060, 180
_STATISTICS = ("mean_response_s", "p90_response_s", "queued_share", "busy_fraction")


@dataclass(frozen=True, slots=True)
class SimulationFacts:
    """What the page says about the simulation.

    Attributes
    ----------
    name
        Agency or case.
    synthetic
        Whether the data are invented.
    standard
        The standard, in words.
    model
        Share of calls in time that the model of the plan says, by arm (plan, baseline).
    replications
        Weeks played.
    hours, first_hour
        Hours of the plan, and the hour of the week of the first.
    provenance
        Program and run, in words.
    notes
        What a reader must know.
    area_names
        Names of the areas by id.
    services
        What is compared for each service.
    groups
        Population groups whose response is told, by service; none without groups.
    """

    name: str
    synthetic: bool
    standard: str
    model: Mapping[str, float]
    replications: int
    hours: int
    first_hour: int
    provenance: str
    notes: tuple[str, ...] = ()
    area_names: Mapping[str, str] = field(default_factory=dict)
    services: tuple[ServiceFacts, ...] = ()
    groups: tuple[GroupFacts, ...] = ()


def simulation_summary(table: pd.DataFrame, facts: SimulationFacts) -> dict[str, Any]:
    """Gather the main numbers as plain values.

    Parameters
    ----------
    table
        Contract ``simulation.csv``.
    facts
        What the page says about the simulation.

    Returns
    -------
    dict
        By arm the share in time, mean and 90th percentile (s), share that waited and busy fraction,
        each with value, lo and hi (95 %); the model's share and the disagreement in points.
    """
    whole, table = table, table[table["service"] == "ems"]
    arms: dict[str, dict[str, Any]] = {}
    for arm in ARMS:
        mine = table[(table["arm"] == arm) & (table["scope"] == "all")].set_index("statistic")
        arms[arm] = arm_values(mine, arm, _STATISTICS)
    groups = {each.service: group_summary(whole, each) for each in facts.groups}
    groups = {service: found for service, found in groups.items() if found}
    points = {arm: 100 * (arms[arm]["in_time"]["value"] - facts.model[arm]) for arm in facts.model}
    return {
        "name": facts.name,
        "synthetic": facts.synthetic,
        "standard": facts.standard,
        "replications": facts.replications,
        **arms,
        "model_in_time": dict(facts.model),
        "disagreement_points": points,
        "services": {each.service: service_summary(whole, each) for each in facts.services},
        **({"groups": groups} if groups else {}),
        "notes": list(facts.notes),
    }


def simulation_lines(summary: Mapping[str, Any]) -> list[str]:
    """Say the main numbers in words, one fact a line."""
    plan, today, gain = (summary[arm]["in_time"] for arm in ARMS)
    mean = summary["difference"]["mean_response_s"]
    first = (
        f"In {summary['replications']} simulations the plan reaches {plan['value']:.2%} of calls "
        f"in time, today {today['value']:.2%}: {_points(gain)} points, on the same calls."
    )
    lines = [
        first,
        f"Mean response: {mean['value']:+.1f} s ({mean['lo']:+.1f} to {mean['hi']:+.1f}).",
        *(disagreement_words(summary, arm) for arm in summary["model_in_time"]),
        *service_lines({k: v for k, v in summary["services"].items() if k != "ems"}),
        *group_lines(summary.get("groups", {})),
    ]
    return ["Synthetic data: an invented city.", *lines] if summary["synthetic"] else lines


def disagreement_words(summary: Mapping[str, Any], arm: str) -> str:
    """Say how far the model of the plan and the simulation are apart."""
    model, points = summary["model_in_time"][arm], summary["disagreement_points"][arm]
    found = summary[arm]["in_time"]
    inside = found["lo"] <= model <= found["hi"]
    verdict = "within the simulation's interval" if inside else "beyond the simulation's interval"
    name = "the plan" if arm == "plan" else "today"
    return (
        f"For {name} the model says {model:.2%}, the simulation {found['value']:.2%} "
        f"({found['lo']:.2%} to {found['hi']:.2%}): {abs(points):.2f} points apart, {verdict}."
    )


def _points(share: Mapping[str, float]) -> str:
    value, lo, hi = (100 * share[name] for name in ("value", "lo", "hi"))
    return f"{value:+.2f} ({lo:+.2f} to {hi:+.2f})"


def render_simulation(table: pd.DataFrame, facts: SimulationFacts) -> str:
    """Write the page: one file, no script, nothing fetched, the same bytes every time.

    Parameters
    ----------
    table
        Contract ``simulation.csv``; hours count from the plan's first.
    facts
        What the page says about the simulation.
    """
    summary = simulation_summary(table, facts)
    whole, table = table, table[table["service"] == "ems"]
    gain = summary["difference"]["in_time"]
    sure = gain["lo"] > 0 or gain["hi"] < 0
    return render_still(
        "simulation.html",
        ("patterns", "simulation"),
        facts=facts,
        plan=f"{summary['plan']['in_time']['value']:.1%}",
        today=f"{summary['baseline']['in_time']['value']:.1%}",
        gain=_points(gain),
        sure=sure,
        apart=[disagreement_words(summary, arm) for arm in facts.model],
        most_apart=f"{max(abs(p) for p in summary['disagreement_points'].values()):.2f}",
        rows=_rows(summary),
        services=service_rows(summary["services"]),
        todays=today_tables(summary["services"]),
        population=group_tables(summary.get("groups", {})),
        classes=_groups(table, "call_class"),
        areas=_groups(table, "area", names=facts.area_names, worst_first=True),
        units=_units(table),
        other_units=_units(whole[whole["service"] != "ems"]),
        chart=_chart(table, facts),
        size=(CHART_WIDTH, CHART_HEIGHT),
    )


def _rows(summary: Mapping[str, Any]) -> list[dict[str, str]]:
    return [
        {
            "label": label,
            **{
                arm: value_cell(summary[arm][name], name, signed=arm == "difference")
                for arm in ARMS
            },
        }
        for name, label in LABELS.items()
    ]


def _groups(
    table: pd.DataFrame,
    scope: str,
    *,
    names: Mapping[str, str] | None = None,
    worst_first: bool = False,
) -> list[dict[str, str]]:
    """Rows of the groups of a scope: calls, share in time of both arms and the difference."""
    own = table[table["scope"] == scope]
    wide = own.pivot_table(
        index="scope_id", columns=["arm", "statistic"], values=["value", "lo", "hi"], sort=False
    )
    if wide.empty:
        return []
    if worst_first:
        wide = wide.sort_values(("value", "plan", "late_share"), ascending=False, kind="stable")
    rows = []
    for name, row in wide.iterrows():
        found = {arm: {k: row[k, arm, "late_share"] for k in ("value", "lo", "hi")} for arm in ARMS}
        turned = {arm: in_time(late, difference=arm == "difference") for arm, late in found.items()}
        cells = {arm: value_cell(turned[arm], "share", signed=arm == "difference") for arm in ARMS}
        mean = {k: row[k, "difference", "mean_response_s"] for k in ("value", "lo", "hi")}
        calls = f"{row['value', 'plan', 'num_calls']:.1f}"
        rows.append(
            {
                "name": (names or {}).get(str(name), str(name)),
                "calls": calls,
                **cells,
                "mean": value_cell(mean, "mean_response_s", signed=True),
            }
        )
    return rows


def _units(table: pd.DataFrame) -> list[dict[str, str]]:
    """Busiest units of the plan."""
    own = table[(table["scope"] == "unit") & (table["arm"] == "plan")]
    busy = own[own["statistic"] == "busy_fraction"].sort_values(
        "value", ascending=False, kind="stable"
    )
    return [
        {"name": str(row["scope_id"]), "busy": value_cell(row, "busy_fraction")}
        for row in busy.to_dict("records")
    ]


def _chart(table: pd.DataFrame, facts: SimulationFacts) -> dict[str, Any]:
    """Draw the share in time by hour of the day, plan and today, each the mean of its hours."""
    own = table[(table["scope"] == "hour") & (table["statistic"].isin(["late_share", "num_calls"]))]
    wide = own.pivot_table(index="scope_id", columns=["arm", "statistic"], values="value")
    day = (wide.index.astype(int) + facts.first_hour) % 24
    shares = {}
    for arm in ARMS[:2]:
        calls, late = (wide[arm, name].to_numpy() for name in ("num_calls", "late_share"))
        of_hour = np.bincount(day, calls, minlength=24)
        late_calls = np.bincount(day, np.nan_to_num(late) * calls, minlength=24)
        shares[arm] = 1 - late_calls / np.maximum(of_hour, 1e-12)
    low = min(float(values.min()) for values in shares.values())
    bottom = max(np.floor(low * 20 - 1e-9) / 20, 0.0)

    def path(values: NDArray[np.float64]) -> str:
        y = CHART_HEIGHT - (values - bottom) / max(1.0 - bottom, 0.05) * (CHART_HEIGHT - 8) - 4
        x = np.arange(24) * CHART_WIDTH / 24
        spots = [f"{a:.0f} {b:.1f}H{a + CHART_WIDTH / 24:.0f}" for a, b in zip(x, y, strict=True)]
        return "M" + "L".join(spots)

    return {
        "plan": path(shares["plan"]),
        "baseline": path(shares["baseline"]),
        "bottom": f"{bottom:.0%}",
        "rows": [
            {
                "hour": f"{hour:02d}:00",
                "plan": f"{shares['plan'][hour]:.1%}",
                "today": f"{shares['baseline'][hour]:.1%}",
            }
            for hour in range(24)
        ],
    }
