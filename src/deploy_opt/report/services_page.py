"""The page, tables and lines of a plan of all services."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from deploy_opt.report.charts import step_curve
from deploy_opt.report.service_shifts import shifts_of_services
from deploy_opt.report.shift_tables import ShiftWords
from deploy_opt.report.still_pages import render_still
from deploy_opt.service_settings import CoResponders, Patrol
from deploy_opt.units import HOURS_PER_WEEK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deploy_opt.plan.city.results import CityPlan
    from deploy_opt.settings import Scenario

WIDTH, HEIGHT = 420, 74
_NAMES = {"ems": "Ambulances", "police": "Patrols", "coresponse": "Co-responders"}
_FLOORS = {
    "workload": "the work itself",
    "minimum_posts": "teams that are always there",
    "queueing": "a prompt start",
    "coverage": "coverage, above every floor",
}


def service_lines(plan: CityPlan) -> tuple[str, ...]:
    """Say what the services get and reach, one fact a line."""
    lines = [
        f"{_NAMES[row['service']]}: {row['unit_hours']:,.0f} unit-hours, "
        f"{row['reached_plan']:.1%} of the calls' worth reached"
        for row in plan.services.to_dict("records")
    ]
    lines += [fte_words(row) for row in plan.fte.to_dict("records")]
    how = "one shared budget" if plan.shared else "separate budgets"
    gained = shared_gain(plan)
    lines.append(
        f"Planned with {how}; one budget for all is worth {gained:+.2%} over separate ones."
    )
    lines.append(
        f"Proven: crews within {plan.mix_gap:.3%}, positions within {plan.location_gap:.3%}."
    )
    return (*lines, *(f"Not kept: {words}" for words in plan.shortfalls))


def shared_gain(plan: CityPlan) -> float:
    """Give what one budget is worth over separate ones of the same sum, as a share."""
    return plan.value_shared / max(plan.value_separate, 1e-12) - 1.0


def fte_words(row: dict[str, Any]) -> str:
    """Say a row of ``fte.csv``."""
    parts = [
        f"{row[f'{name}_fte']:.1f} for {words}"
        for name, words in _FLOORS.items()
        if f"{name}_fte" in row and pd.notna(row[f"{name}_fte"])
    ]
    return (
        f"Co-responders: {row['fte']:.1f} FTE ({'; '.join(parts)}); what decides is "
        f"{_FLOORS[row['binding']]}. {row['hours_per_year']:,.0f} hours on duty a year, "
        f"{row['formula'].replace('_', ' ')} {row['relief_factor']:g}."
    )


def service_tables(plan: CityPlan) -> dict[str, pd.DataFrame]:
    """Give the tables of a plan of all services by file name."""
    tables = {
        "services.csv": plan.services,
        "service_posts.csv": plan.units,
        "service_crews.csv": plan.crews,
        "district_units.csv": plan.district_hours,
        "patrol_need.csv": plan.need,
        "last_hours.csv": plan.last_hours,
        "cap_prices.csv": plan.caps,
        "weights.csv": plan.weights,
    }
    if len(plan.fte):
        tables["fte.csv"] = plan.fte
    return tables


def service_shift_table(
    plan: CityPlan, scenario: Scenario, *, names: Mapping[str, str], run_id: str
) -> pd.DataFrame:
    """Write the shifts of all services in the canonical columns (contract ``shifts.csv``)."""
    patrol = scenario.patrol or Patrol()
    teams = scenario.coresponders or CoResponders()
    fleet = scenario.fleet
    words = {
        fleet.unit_type: ShiftWords(fleet.unit_type, {fleet.unit_type: fleet.crew_size}, run_id),
        patrol.unit_type: ShiftWords(patrol.unit_type, {"officer": patrol.crew_size}, run_id),
        teams.unit_type: ShiftWords(
            teams.unit_type, {"clinician": teams.people}, run_id, int(teams.meal_break_min)
        ),
    }
    first = scenario.horizon.first_hour
    units = plan.units.assign(hour=(plan.units["hour"] - first) % HOURS_PER_WEEK)
    return shifts_of_services(
        units,
        plan.crews,
        names,
        words,
        hours=scenario.horizon.hours,
        start=scenario.horizon.start,
        time_zone=scenario.time_zone,
    )


def render_services(
    plan: CityPlan, *, name: str, synthetic: bool, dates: str, provenance: str
) -> str:
    """Write the page: one file, no script, nothing fetched, the same bytes every time."""
    services = plan.services["service"].tolist()
    return render_still(
        "services.html",
        ("patterns", "services"),
        name=name,
        synthetic=synthetic,
        dates=dates,
        provenance=provenance,
        plan=plan,
        gain=f"{shared_gain(plan):+.2%}",
        size=(WIDTH, HEIGHT),
        services=[_service_row(row) for row in plan.services.to_dict("records")],
        names=[_NAMES[service] for service in services],
        hours=[_price_row(row) for row in plan.last_hours.to_dict("records")],
        fte=[fte_words(row) for row in plan.fte.to_dict("records")],
        districts=_districts(plan),
        caps=[_cap_row(row, services) for row in plan.caps.to_dict("records")],
        weights=[_weight_row(row, services) for row in plan.weights.to_dict("records")],
    )


def _service_row(row: dict[str, Any]) -> dict[str, str]:
    return {
        "name": _NAMES[row["service"]],
        "unit_hours": f"{row['unit_hours']:,.0f}",
        "limit": f"{row['limit']:,.0f}",
        "calls": f"{row['calls']:,.0f}",
        **{
            f"{kind}_{which}": (
                f"{row[f'{kind}_{which}']:,.0f}"
                if kind == "money"
                else f"{row[f'{kind}_{which}']:.1%}"
            )
            for kind in ("money", "reached")
            for which in ("separate", "shared")
        },
    }


def _price_row(row: dict[str, Any]) -> dict[str, str]:
    lost = row["lost_per_1000"]
    return {
        "name": _NAMES[row["service"]],
        "unit": str(row["unit_type"]),
        "bought": f"{row['bought_per_1000']:.2f}",
        "lost": "–" if not math.isfinite(lost) else f"{lost:.2f}",
    }


def _moved(row: dict[str, Any], services: list[str]) -> str:
    parts = [
        f"{_NAMES[service]} {row[f'to_{service}']:+,.0f}"
        for service in services
        if abs(row[f"to_{service}"]) >= 0.5
    ]
    return ", ".join(parts) or "nothing"


def _cap_row(row: dict[str, Any], services: list[str]) -> dict[str, str]:
    return {
        "reason": row["reason"],
        "hours": f"{row['hours_bound']:,}",
        "gained": f"{row['value_gained']:.2f}",
        "moved": _moved(row, services),
    }


def _weight_row(row: dict[str, Any], services: list[str]) -> dict[str, str]:
    return {
        "name": f"{_NAMES[row['service']]} x {row['factor']:g}",
        "money": ", ".join(f"{_NAMES[s]} {row[f'money_{s}']:,.0f}" for s in services),
        "reached": ", ".join(f"{row[f'reached_{s}']:,.1f}" for s in services),
    }


def _districts(plan: CityPlan) -> list[dict[str, str]]:
    result = []
    top = int(plan.district_hours["units"].max())
    for name, rows in plan.district_hours.groupby("district", sort=True):
        units = rows["units"].to_numpy(dtype=np.int64)
        busy, response = rows["utilisation"], rows["response_p1_s"]
        binding = rows["binding"].value_counts()
        result.append(
            {
                "name": str(name),
                "path": step_curve(units, top=top, width=WIDTH, height=HEIGHT),
                "units": f"{units.min()} to {units.max()}",
                "hours": f"{units.sum():,}",
                "busy": f"{busy.mean():.0%}, at most {busy.max():.0%}",
                "response": f"{response.mean() / 60:.1f} min, at most {response.max() / 60:.1f}",
                "share": f"{rows['response_p1_share'].mean():.1%}",
                "binding": ", ".join(f"{k} {v} h" for k, v in binding.items()),
            }
        )
    return result
