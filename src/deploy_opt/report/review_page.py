"""The page of a reviewed week: worst areas first, each with its likely reason by a stated rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deploy_opt.report.calibration_page import clock
from deploy_opt.report.still_pages import render_still
from deploy_opt.simulation.calibrate import MEAN_WITHIN, P90_WITHIN
from deploy_opt.simulation.review import REASONS, WEEK, outside_bands

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    import pandas as pd

_MOST_AREAS, _MOST_BLOCKS = 12, 10
_MINUS = "\u2212"
_CAUSES = {
    "by_demand": "more or fewer calls than expected",
    "by_units": "units on duty other than planned",
    "by_speed": "responses other than modelled",
    "by_chance": "where and when the calls fell",
}
_RULE = (
    "Three causes are looked for: calls above the 95 % band of the forecast; hours without the "
    "planned units at the area's nearest post that made calls late; recorded responses slower "
    "than simulated on the same calls, the 95 % interval of the difference above 0. Of those that "
    "hold, the one with most late calls is named; where none holds, whether late calls are above "
    "95 % of the simulated weeks, or calls below their band."
)


@dataclass(frozen=True, slots=True)
class ReviewFacts:
    """What the page says about the week.

    Attributes
    ----------
    name
        Agency or case.
    synthetic
        Whether the data are invented.
    week
        Its Monday.
    standard
        The standard, in words.
    planned_h, duty_h
        Unit-hours planned and on duty; None where the latter is not known.
    drift
        Recorded and modelled mean and 90th percentile of the week, as
        `deploy_opt.simulation.calibrate.compare` gives them; None with too few responses.
    recorded
        Calls with a recorded and a modelled response.
    area_names
        Names of the areas by id.
    notes
        What a reader must know.
    provenance
        Program and run, in words.
    """

    name: str
    synthetic: bool
    week: dt.date
    standard: str
    planned_h: float
    duty_h: float | None
    drift: Mapping[str, float] | None
    recorded: int
    area_names: Mapping[str, str]
    notes: tuple[str, ...]
    provenance: str

    @property
    def drifted(self) -> bool | None:
        """Whether the simulation no longer meets the records; None = not known."""
        if self.drift is None:
            return None
        mean, p90 = self.drift["mean_error"], self.drift["p90_error"]
        return abs(mean) > MEAN_WITHIN or abs(p90) > P90_WITHIN


def review_summary(cells: pd.DataFrame, facts: ReviewFacts) -> dict[str, Any]:
    """Gather what was off as plain values."""
    city = cells[cells["scope"] == "city"]
    return {
        "name": facts.name,
        "synthetic": facts.synthetic,
        "week": facts.week.isoformat(),
        "city": _plain(city),
        "worst_areas": _plain(_areas(cells)),
        "outside_bands": dict(outside_bands(cells)),
        "unit_hours": {"planned": facts.planned_h, "on_duty": facts.duty_h},
        "calibration": None
        if facts.drift is None
        else {**facts.drift, "n": facts.recorded, "drifted": facts.drifted},
        "rule": _RULE,
        "notes": list(facts.notes),
    }


def _plain(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {
            name: None if isinstance(value, float) and not np.isfinite(value) else value
            for name, value in row.items()
        }
        for row in table.to_dict("records")
    ]


def _whole(cells: pd.DataFrame) -> pd.Series:
    rows = cells[(cells["scope"] == "city") & (cells["block"] == WEEK)]
    return rows.iloc[0]


def _areas(cells: pd.DataFrame) -> pd.DataFrame:
    """Areas with more late calls than planned, worst first; those above their band too."""
    own = cells[(cells["scope"] == "area") & (cells["block"] == WEEK)]
    above = own["late"] - own["late_planned"]
    return own[(above > 0) & (own["reason"] != REASONS["none"])].head(_MOST_AREAS)


def headline(cells: pd.DataFrame) -> str:
    """Say the week in one line."""
    row = _whole(cells)
    more = row["late"] - row["late_planned"]
    inside = row["late_lo"] <= row["late"] <= row["late_hi"]
    words = "as the plan promised" if inside else "more" if more > 0 else "fewer"
    late = f"{row['late']:.0f} of {row['calls']:.0f} calls were late"
    if inside:
        return f"{late}, {words} ({row['late_lo']:.0f} to {row['late_hi']:.0f})"
    return (
        f"{late}, {words} than the plan promised ({row['late_planned']:.0f}, "
        f"{row['late_lo']:.0f} to {row['late_hi']:.0f})"
    )


def _demand_words(cells: pd.DataFrame) -> str:
    row, outside = _whole(cells), outside_bands(cells)
    low, high = row["calls_lo"], row["calls_hi"]
    where = "above" if row["calls"] > high else "below" if row["calls"] < low else "within"
    return (
        f"{row['calls']:.0f} calls came, {row['expected']:.0f} were expected "
        f"({low:.0f} to {high:.0f}): {where} the 95 % band. Of {outside['cells']:.0f} thirds of "
        f"the day by area {outside['above']:.0f} were above their band and "
        f"{outside['below']:.0f} below; {outside['by_chance']:.0f} outside would be by chance."
    )


def _duty_words(cells: pd.DataFrame, facts: ReviewFacts) -> str:
    if facts.duty_h is None:
        return (
            f"{facts.planned_h:,.0f} unit-hours were planned; what was on duty is not known "
            "(name it with --roster)."
        )
    missing = _whole(cells)["hours_short"]
    return (
        f"{facts.planned_h:,.0f} unit-hours were planned, {facts.duty_h:,.0f} on duty; "
        f"{missing:,.0f} planned unit-hours were not staffed at their post."
    )


def _drift_words(facts: ReviewFacts) -> str:
    drift = facts.drift
    if drift is None:
        return f"Only {facts.recorded} responses are recorded: the simulation cannot be checked."
    verdict = (
        "beyond 5 % or 10 %: calibrate again" if facts.drifted else "the calibration still holds"
    )
    return (
        f"Modelled responses are {_signed(drift['mean_error'])} (mean) and "
        f"{_signed(drift['p90_error'])} (90th percentile) off the recorded: {verdict}."
    )


def _signed(share: float) -> str:
    return f"{round(100 * share, 1) + 0.0:+.1f} %".replace("-", _MINUS)


def _number(value: float, *, sign: str = "") -> str:
    if not np.isfinite(value):
        return "–"
    return f"{round(value, 1) + 0.0:{sign}.1f}".replace("-", _MINUS)


def _cause(row: pd.Series, key: str, facts: ReviewFacts) -> str:
    unknown = key == "by_units" and facts.duty_h is None
    return "unknown" if unknown else _number(row[key], sign="+")


def review_lines(cells: pd.DataFrame, facts: ReviewFacts) -> list[str]:
    """Say what was off in words, one fact a line."""
    row = _whole(cells)
    lines = [f"Week from {facts.week}: {headline(cells)}.", _demand_words(cells)]
    causes = "; ".join(f"{_cause(row, key, facts)} {word}" for key, word in _CAUSES.items())
    above = _number(row["late"] - row["late_planned"], sign="+")
    lines += [f"Late calls against the plan {above}: {causes}.", _duty_words(cells, facts)]
    lines.append(_drift_words(facts))
    for area in _areas(cells).head(3).to_dict("records"):
        name = facts.area_names.get(str(area["area_id"]), str(area["area_id"]))
        lines.append(
            f"{name}: {area['late']:.0f} late, {_number(area['late_planned'])} planned; "
            f"{area['reason']}."
        )
    return ["Synthetic data: an invented city.", *lines] if facts.synthetic else lines


def render_review(cells: pd.DataFrame, facts: ReviewFacts) -> str:
    """Write the page: one file, no script, nothing fetched, the same bytes every time.

    Parameters
    ----------
    cells
        Contract ``review.csv`` without names.
    facts
        What the page says about the week.
    """
    row = _whole(cells)
    city = cells[cells["scope"] == "city"]
    outside = cells[
        (cells["scope"] == "area")
        & (cells["block"] != WEEK)
        & ((cells["calls"] > cells["calls_hi"]) | (cells["calls"] < cells["calls_lo"]))
    ]
    far = (outside["calls"] - outside["expected"]).abs()
    far = far.sort_values(ascending=False, kind="stable").index[:_MOST_BLOCKS]
    return render_still(
        "review.html",
        ("patterns", "simulation", "review"),
        facts=facts,
        headline=headline(cells),
        above=_number(row["late"] - row["late_planned"], sign="+"),
        points=(_demand_words(cells), _duty_words(cells, facts), _drift_words(facts)),
        drifted=facts.drifted,
        causes=[{"label": word, "value": _cause(row, key, facts)} for key, word in _CAUSES.items()],
        areas=[_cell(r, facts) for r in _areas(cells).to_dict("records")],
        city=[_cell(r, facts) for r in city.to_dict("records")],
        outside=[_cell(r, facts) for r in outside.loc[far].to_dict("records")],
        more=max(len(outside) - _MOST_BLOCKS, 0),
        rule=_RULE,
    )


def _cell(row: Mapping[str, Any], facts: ReviewFacts) -> dict[str, str]:
    slower = "–"
    if np.isfinite(row["slower_s"]):
        slower = f"{row['slower_s'] + 0.0:+.0f} s"
        if np.isfinite(row["slower_lo_s"]):
            slower += f" ({row['slower_lo_s'] + 0.0:+.0f} to {row['slower_hi_s'] + 0.0:+.0f})"
    return {
        "name": facts.area_names.get(str(row["area_id"]), str(row["area_id"])),
        "block": str(row["block"]),
        "reason": str(row["reason"]),
        "calls": f"{row['calls']:.0f}",
        "expected": f"{_number(row['expected'])} ({row['calls_lo']:.0f} to {row['calls_hi']:.0f})",
        "late": f"{row['late']:.0f}",
        "planned": (
            f"{_number(row['late_planned'])} ({row['late_lo']:.0f} to {row['late_hi']:.0f})"
        ),
        "short": "–" if not np.isfinite(row["hours_short"]) else f"{row['hours_short']:.0f} h",
        "response": clock(row["response_s"]),
        "slower": slower.replace("-", _MINUS),
    }
