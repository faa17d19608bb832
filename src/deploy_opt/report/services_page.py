"""The page, tables and lines of a plan of all services."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from deploy_opt.report.charts import step_curve
from deploy_opt.report.still_pages import render_still

if TYPE_CHECKING:
    from deploy_opt.plan.city.results import CityPlan

WIDTH, HEIGHT = 420, 74
_NAMES = {"ems": "Ambulances", "police": "Patrols", "coresponse": "Co-responders"}
_FLOORS = {
    "workload": "the work itself",
    "minimum_posts": "units that are always there",
    "queueing": "a prompt start",
    "coverage": "coverage, above every floor",
}
_DECIDES = {"workload": "how busy units may be"}
"""What decides, where the words of the floor would not say it."""
_STAFF = (
    ("paid_hours_per_week", "paid h a week", ",.0f"),
    ("on_duty_hours_per_week", "on duty, without breaks", ",.0f"),
    ("headcount_peak", "most at once", ".0f"),
    ("relief_factor", "relief", ".2f"),
    ("fte", "FTE", ".1f"),
    ("overtime_hours_per_week", "overtime h a week", ",.0f"),
    ("filled_posts", "filled posts", ".1f"),
    ("vacancies", "vacancies", ".1f"),
    ("funded_posts", "funded posts", ".1f"),
)
"""Columns of staff.csv on the page: name, words, format."""


_NOTHING = 1e-6


def service_lines(plan: CityPlan) -> tuple[str, ...]:
    """Say what the services get and reach, one fact a line."""
    lines = [
        f"{_NAMES[row['service']]}: {row['unit_hours']:,.0f} unit-hours, "
        f"{row['reached_plan']:.1%} of the calls' worth reached"
        for row in plan.services.to_dict("records")
    ]
    lines += [fte_words(row) for row in plan.fte.to_dict("records")]
    lines += [*plan.follow_up_words, *released_words(plan.released)]
    if len(plan.patrol_today):
        row = plan.patrol_today.iloc[-1]
        lines.append(
            f"Patrols, most urgent calls within the target: {row['within_plan']:.1%} by the plan, "
            f"{row['within_today']:.1%} today ({row['unit_hours_plan']:,} and "
            f"{row['unit_hours_today']:,} unit-hours)."
        )
    how = "one shared budget" if plan.shared else "separate budgets"
    gained = shared_gain(plan)
    worth = (
        f"is worth {gained:+.2%} over separate ones"
        if gained > -_NOTHING
        else f"keeps more of the floors than separate ones, for {gained:+.2%} of the worth"
    )
    lines.append(f"Planned with {how}; one budget for all {worth}.")
    among = ", among plans no further below the floors" if plan.shortfalls else ""
    lines.append(
        f"Proven: crews within {plan.mix_gap:.3%}, positions within {plan.location_gap:.3%}{among}."
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
    hours = f"{row['hours_per_year']:,.0f} hours a year"
    how = f"{row['formula'].replace('_', ' ')} {round(row['relief_factor'], 3):g}"
    if row["service"] == "police" and row["tier"] != "all":
        role = str(row["role"]).replace("_", " ").capitalize()
        return f"{role}, Tier {row['tier']}: {row['fte']:.1f} FTE for {hours} of work, {how}."
    return (
        f"{_NAMES[row['service']]}: {row['fte']:.1f} FTE ({'; '.join(parts)}); what decides is "
        f"{_DECIDES.get(row['binding'], _FLOORS[row['binding']])}. {hours} on duty, {how}."
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
    asked = {
        "fte.csv": plan.fte,
        "staff.csv": plan.staff,
        "follow_up.csv": plan.follow_up,
        "released_hours.csv": plan.released,
        "patrol_today.csv": plan.patrol_today,
        "price_of_starts.csv": plan.start_prices,
    }
    return {**tables, **{name: frame for name, frame in asked.items() if len(frame)}}


def released_words(released: pd.DataFrame) -> tuple[str, ...]:
    """Say what patrols are spared, one tier a line."""
    if released.empty:
        return ()
    lines = []
    for tier, rows in released.groupby("tier", sort=True):
        hours = float(rows["hours_per_week"].sum())
        busiest = rows.groupby("area_id")["hours_per_week"].sum().sort_values(ascending=False)
        lines.append(
            f"Tier {tier}: {hours:,.1f} patrol hours a week released, most in area "
            f"{busiest.index[0]} ({busiest.iloc[0]:,.1f}). The patrols keep them: no post is cut."
            if tier == 4
            else f"Tier {tier}: {hours:,.1f} patrol hours a week released."
        )
    return tuple(lines)


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
        staff=[_staff_row(row) for row in plan.staff.to_dict("records")],
        staff_heads=[words for _, words, _ in _STAFF],
        released=released_words(plan.released),
        districts=_districts(plan),
        caps=[_cap_row(row, services) for row in plan.caps.to_dict("records")],
        weights=[_weight_row(row, services) for row in plan.weights.to_dict("records")],
        patrol_today=[_today_row(row) for row in plan.patrol_today.to_dict("records")],
        starts=[_start_row(row) for row in plan.start_prices.to_dict("records")],
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


def _staff_row(row: dict[str, Any]) -> dict[str, Any]:
    of_units = pd.notna(row["headcount_peak"])
    return {
        "service": _NAMES[row["service"]] if of_units else "Other responders",
        "unit": str(row["role"]).replace("_", " "),
        "qualification": str(row["qualification"]).replace("_", " "),
        "numbers": [
            "–" if pd.isna(row[name]) else format(row[name], how) for name, _, how in _STAFF
        ],
    }


def _price_row(row: dict[str, Any]) -> dict[str, str]:
    lost = row["lost_per_1000"]
    return {
        "name": _NAMES[row["service"]],
        "unit": str(row["unit_type"]),
        "bought": f"{row['bought_per_1000']:.2f}",
        "lost": "–" if not math.isfinite(lost) else f"{lost:.2f}",
    }


def _today_row(row: dict[str, Any]) -> dict[str, str]:
    return {
        "name": "All districts" if row["district"] == "all" else str(row["district"]),
        **{
            f"{kind}_{arm}": f"{row[f'{kind}_{arm}']:{how}}"
            for kind, how in (("unit_hours", ",.0f"), ("within", ".1%"), ("hours_short", ",.0f"))
            for arm in ("today", "plan")
        },
    }


def _start_row(row: dict[str, Any]) -> dict[str, str]:
    """Say what a number of start times costs; one without crews says why."""
    number = "all" if pd.isna(row["at_most"]) else f"{row['at_most']:d}"
    found = {"name": _NAMES[row["service"]], "number": number, "conflict": row["conflict"]}
    if row["conflict"]:
        return found
    return {
        **found,
        "starts": ", ".join(f"{int(hour):02d}" for hour in row["starts_h"].split()),
        "worth": f"{row['worth']:,.1f}",
        "loss": f"{row['loss']:,.2f} ({row['loss_share']:.2%})",
        "gap": f"{row['gap']:.2%}",
        "short": _short(row),
    }


def _short(row: dict[str, Any]) -> str:
    """Say by how many unit-hours floors are missed, and what keeping them would take."""
    said = f"{row['short_unit_hours']:,}"
    if row["short_unit_hours"] and row["floor_unit_hours"] > 0:
        said += f"; keeping all floors takes {row['floor_unit_hours']:,.0f} h"
    if row["proven_short"]:
        many = "no crews keep" if pd.isna(row["at_most"]) else f"no {row['at_most']:d} hours keep"
        said += f"; {many} them within the budget"
    return said


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
