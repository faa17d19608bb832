"""The page of the calibration: whether the simulated baseline meets the recorded responses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from deploy_opt.report.still_pages import render_still
from deploy_opt.simulation.calibrate import MEAN_WITHIN, P90_WITHIN

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from deploy_opt.simulation.calibrate import Calibration, Since
    from deploy_opt.simulation.priorities import TriageReport

CHART_WIDTH, CHART_HEIGHT = 1060, 240
_MOST_AREAS, _FEWEST_CALLS = 10, 20
_MINUS = "\u2212"
_SENSITIVITY = ["scope", "scope_id", "statistic", "value_known", "value_final", "difference"]
_PRIORITY_COLUMNS = [
    *("measure", "initial", "final", "scope", "scope_id", "statistic"),
    *("value", "value_final", "difference"),
]


@dataclass(frozen=True, slots=True)
class Triage:
    """First against final priorities, and what knowing the final ones at once would change.

    Attributes
    ----------
    report
        None where the records have no first priority.
    sensitivity
        As `deploy_opt.simulation.priorities.triage_sensitivity` gives it.
    """

    report: TriageReport | None = None
    sensitivity: pd.DataFrame = field(default_factory=pd.DataFrame)

    def tidy(self) -> pd.DataFrame:
        """Lay everything out as one table (contract ``priorities.csv``)."""
        if self.report is None:
            return pd.DataFrame(columns=_PRIORITY_COLUMNS)
        report = self.report
        cells = report.matrix.stack().rename("value").reset_index()
        cells.columns = pd.Index(["initial", "final", "value"])
        shares = pd.DataFrame(
            {
                "measure": ["over_triage", "under_triage", "never_dispatched"],
                "value": [report.over_share, report.under_share, report.undispatched_share],
            }
        ).dropna(subset=["value"])
        known = self.sensitivity.rename(columns={"value_known": "value"})
        parts = [
            cells.assign(measure="calls"),
            shares,
            known.assign(measure="simulated"),
        ]
        rows = [part.reindex(columns=_PRIORITY_COLUMNS).astype(object) for part in parts]
        whole = pd.concat(rows, ignore_index=True)
        numbers = ["value", "value_final", "difference"]
        return whole.assign(**{name: whole[name].astype(float) for name in numbers})


@dataclass(frozen=True, slots=True)
class CalibrationFacts:
    """What the page says about the calibration.

    Attributes
    ----------
    name
        Agency or case.
    synthetic
        Whether the data are invented.
    training, check
        First local day and number of weeks of each window.
    turnout_s, turnout_cv
        Fitted mean turnout, s, and the coefficient of variation about it.
    area_names
        Names of the areas by id.
    notes
        What a reader must know.
    provenance
        Program and run, in words.
    service
        Whose responses were compared.
    drive_factor
        The scenario's, which the simulated drives held already.
    turnout_in_standard
        Whether the standard counts turnout; it does not where it limits the drive alone.
    since
        From when responses count, call or dispatch.
    whole
        Since the dispatch: recorded and simulated responses of the check since the call, as
        `deploy_opt.simulation.calibrate.compare` gives them.
    suffix
        What the names of the files have behind ``calibration`` and ``priorities``.
    """

    name: str
    synthetic: bool
    training: tuple[dt.date, int]
    check: tuple[dt.date, int]
    turnout_s: float
    turnout_cv: float
    area_names: Mapping[str, str]
    notes: tuple[str, ...]
    provenance: str
    service: str
    drive_factor: float
    turnout_in_standard: bool
    since: Since = "call"
    whole: Mapping[str, float] | None = None
    suffix: str = ""

    @property
    def counted(self) -> str:
        """What is compared, in words."""
        if self.since == "dispatch":
            return "times from dispatch to arrival"
        return "responses"

    def settings(self, found: Calibration) -> dict[str, float]:
        """Keys of the scenario that use the calibration, in the plan and in the simulation."""
        turnout = f"standards.{self.service}" if self.turnout_in_standard else "simulation"
        return {
            f"inputs.drive_factor.{self.service}": round(self.drive_factor * found.travel_scale, 4),
            f"{turnout}.turnout_s": round(self.turnout_s, 1),
            **(
                {"simulation.turnout_cv": round(self.turnout_cv, 3)}
                if self.service != "police"
                else {}
            ),
        }


def calibration_summary(
    found: Calibration, table: pd.DataFrame, triage: Triage, facts: CalibrationFacts
) -> dict[str, Any]:
    """Gather the fitted numbers and the verdict as plain values."""
    counted = table[(table["scope"] == "all") & (table["statistic"] == "mean")].set_index("window")
    report = triage.report
    return {
        "name": facts.name,
        "synthetic": facts.synthetic,
        "believed": found.believed,
        "within": {"mean": MEAN_WITHIN, "p90": P90_WITHIN},
        "keys": facts.settings(found),
        "travel_scale": found.travel_scale,
        "turnout_scale": found.turnout_scale,
        "since": facts.since,
        "whole_response": None if facts.whole is None else dict(facts.whole),
        "training": {**_window(facts.training), **found.training, "n": int(counted["n"].iloc[0])},
        "check": {**_window(facts.check), **found.check, "n": int(counted["n"].iloc[-1])},
        "priorities": None
        if report is None
        else {
            "over_triage": report.over_share,
            "under_triage": report.under_share,
            "never_dispatched": None
            if np.isnan(report.undispatched_share)
            else report.undispatched_share,
        },
        "notes": list(facts.notes),
    }


def _window(window: tuple[dt.date, int]) -> dict[str, Any]:
    return {"start": window[0].isoformat(), "weeks": window[1]}


def headline(found: Calibration, counted: str = "responses") -> str:
    """Say the verdict in one line."""
    check = found.check
    verdict = "meets" if found.believed else "misses"
    return (
        f"The simulated baseline {verdict} the recorded {counted}: mean "
        f"{_error(check['mean_error'])}, 90th percentile {_error(check['p90_error'])}"
    )


def _error(share: float) -> str:
    return f"{round(100 * share, 1) + 0.0:+.1f} %".replace("-", _MINUS)


def calibration_lines(found: Calibration, triage: Triage, facts: CalibrationFacts) -> list[str]:
    """Say what was fitted and whether it holds, one fact a line."""
    keys = facts.settings(found)
    lines = [
        (
            f"Fitted on {facts.training[1]} weeks from {facts.training[0]}: drives x "
            f"{found.travel_scale:.3f}, turnout {facts.turnout_s:.1f} s on average, coefficient "
            f"of variation {facts.turnout_cv:.3g}."
        ),
        (
            f"Checked on {facts.check[1]} weeks from {facts.check[0]}: mean "
            f"{clock(found.check['simulated_mean_s'])} simulated, "
            f"{clock(found.check['recorded_mean_s'])} recorded; 90th percentile "
            f"{clock(found.check['simulated_p90_s'])} and {clock(found.check['recorded_p90_s'])}."
        ),
        *_verdicts(found, facts),
        "To use it: " + " ".join(f"--set {key}={value:g}" for key, value in keys.items()),
    ]
    if triage.report is not None:
        lines.append(_triage_words(triage.report))
    return ["Synthetic data: an invented city.", *lines] if facts.synthetic else lines


def _verdicts(found: Calibration, facts: CalibrationFacts) -> list[str]:
    """Say whether the baseline meets the records; of calls that wait for a unit, the wait too."""
    if facts.whole is None:
        return [found.words]
    words = found.words.replace("the response recorded", f"the {facts.counted} recorded")
    whole = facts.whole
    errors = whole["mean_error"], whole["p90_error"]
    near = abs(errors[0]) <= MEAN_WITHIN and abs(errors[1]) <= P90_WITHIN
    wait = (
        "the wait for a unit is met too"
        if near
        else "the wait for a unit is not met: look at the roster of those weeks, and at calls that "
        "are held by choice"
    )
    both = (
        f"From the call to the arrival: mean {clock(whole['simulated_mean_s'])} simulated, "
        f"{clock(whole['recorded_mean_s'])} recorded ({_error(errors[0])}), 90th percentile "
        f"{clock(whole['simulated_p90_s'])} and {clock(whole['recorded_p90_s'])} "
        f"({_error(errors[1])}): {wait}."
    )
    return [words, both]


def _yaml_line(key: str, value: float) -> str:
    """Write a dotted key as a line of the scenario.

    Examples
    --------
    >>> _yaml_line("inputs.drive_factor.ems", 1.3)
    'inputs: {drive_factor: {ems: 1.3}}'
    """
    first, *parts = key.split(".")
    return f"{first}: " + "".join(f"{{{part}: " for part in parts) + f"{value:g}" + "}" * len(parts)


def _triage_words(report: TriageReport) -> str:
    never = report.undispatched_share
    sent = "" if np.isnan(never) else f", {never:.1%} never got a unit"
    return (
        f"Of the calls {report.over_share:.1%} were first held more urgent than they were, "
        f"{report.under_share:.1%} less{sent}."
    )


def clock(seconds: float) -> str:
    """Write seconds as minutes and seconds.

    Examples
    --------
    >>> clock(425.4)
    '7:05'
    """
    whole = round(seconds) if np.isfinite(seconds) else None
    return "–" if whole is None else f"{whole // 60}:{whole % 60:02d}"


def render_calibration(
    found: Calibration,
    table: pd.DataFrame,
    curves: tuple[NDArray[np.float64], NDArray[np.float64]],
    triage: Triage,
    facts: CalibrationFacts,
) -> str:
    """Write the page: one file, no script, nothing fetched, the same bytes every time.

    Parameters
    ----------
    found
        The calibration.
    table
        Contract ``calibration.csv``.
    curves
        Recorded and simulated responses of the check window, s, each in rising order.
    triage
        First and final priorities.
    facts
        What the page says about the calibration.
    """
    check = table[table["window"] == "check"]
    parts = check[check["scope"] == "day_part"]
    areas = check[(check["scope"] == "area") & (check["n"] >= _FEWEST_CALLS)]
    worst = areas["error"].abs().sort_values(ascending=False, kind="stable").index[:_MOST_AREAS]
    return render_still(
        "calibration.html",
        ("patterns", "simulation"),
        facts=facts,
        headline=headline(found, facts.counted),
        believed=found.believed,
        verdict=_verdicts(found, facts),
        within=(f"{MEAN_WITHIN:.0%}", f"{P90_WITHIN:.0%}"),
        keys=[_yaml_line(*item) for item in facts.settings(found).items()],
        rows=_figures(found),
        chart=_chart(*curves),
        size=(CHART_WIDTH, CHART_HEIGHT),
        quantiles=[_row(row, str(row["statistic"])) for row in _quantiles(check)],
        parts=[_row(row, str(row["scope_id"])) for row in parts.to_dict("records")],
        areas=[
            _row(row, facts.area_names.get(str(row["scope_id"]), str(row["scope_id"])))
            for row in areas.loc[worst].to_dict("records")
        ],
        fewest=_FEWEST_CALLS,
        triage=_triage_tables(triage),
        suffix=facts.suffix,
    )


def _figures(found: Calibration) -> list[dict[str, str]]:
    windows = (("check weeks", found.check), ("weeks of the fit", found.training))
    return [
        {
            "label": f"{word}, {name}",
            "recorded": clock(numbers[f"recorded_{key}_s"]),
            "simulated": clock(numbers[f"simulated_{key}_s"]),
            "error": _error(numbers[f"{key}_error"]),
        }
        for name, numbers in windows
        for word, key in (("mean", "mean"), ("90th percentile", "p90"))
    ]


def _quantiles(check: pd.DataFrame) -> list[dict[str, Any]]:
    own = check[(check["scope"] == "all") & (check["statistic"] != "mean")]
    rows: list[dict[str, Any]] = own.to_dict("records")
    return rows


def _row(row: Mapping[str, Any], label: str) -> dict[str, str]:
    return {
        "label": label,
        "n": f"{row['n']:,}",
        "recorded": clock(row["recorded_s"]),
        "simulated": clock(row["simulated_s"]),
        "error": _error(row["error"]),
    }


def _chart(recorded: NDArray[np.float64], simulated: NDArray[np.float64]) -> dict[str, Any]:
    """Draw the share of calls reached within a time, recorded and simulated."""
    longest = float(np.quantile(np.concatenate([recorded, simulated]), 0.99))
    step = 60.0 if longest <= 900 else 300.0 if longest <= 3600 else 1800.0
    right = step * np.ceil(longest / step)
    shares = np.linspace(0.005, 0.995, 199)

    def path(values: NDArray[np.float64]) -> str:
        x = np.minimum(np.quantile(values, shares), right) / right * CHART_WIDTH
        y = CHART_HEIGHT - shares * (CHART_HEIGHT - 6) - 2
        return "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x, y, strict=True))

    ticks = np.arange(0, right, step)
    if ticks.size > 12:
        ticks = ticks[:: int(np.ceil(ticks.size / 12))]
    return {
        "recorded": path(recorded),
        "simulated": path(simulated),
        "ticks": [(f"{100 * at / right:.2f}", clock(at)) for at in ticks],
        "right": clock(right),
    }


def _triage_tables(triage: Triage) -> dict[str, Any] | None:
    if triage.report is None:
        return None
    matrix = triage.report.matrix
    wanted = {"mean_response_s": "mean response", "late_share": "late"}
    rows = []
    own = triage.sensitivity.reindex(columns=_SENSITIVITY)
    for row in own[own["statistic"].isin(list(wanted))].to_dict("records"):
        share = row["statistic"] == "late_share"
        scale, unit, digits = (100.0, " %", 1) if share else (1.0, " s", 0)
        name = "all calls" if row["scope"] == "all" else f"priority {row['scope_id']}, as it was"
        known, final, change = (
            f"{round(scale * row[key], digits) + 0.0:{sign}.{digits}f}".replace("-", _MINUS)
            for key, sign in (("value_known", ""), ("value_final", ""), ("difference", "+"))
        )
        rows.append(
            {
                "label": f"{name}: {wanted[row['statistic']]}",
                "known": known + unit,
                "final": final + unit,
                "difference": change + (" points" if share else unit),
            }
        )
    return {
        "words": _triage_words(triage.report),
        "finals": [str(name) for name in matrix.columns],
        "matrix": [
            (str(name), [f"{int(value):,}" for value in counts])
            for name, counts in zip(matrix.index, matrix.to_numpy(), strict=True)
        ],
        "rows": rows,
    }
