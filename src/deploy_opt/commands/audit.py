"""Write the public transparency page of a finished run, its table, data cards and a log line."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from deploy_opt.audit_settings import OtherSign
from deploy_opt.demand.exposure import spread_hours
from deploy_opt.errors import InputError
from deploy_opt.inputs.district_files import read_districts
from deploy_opt.inputs.population import read_population
from deploy_opt.pipeline import Road
from deploy_opt.privacy.audit_log import AuditEntry, append, verify
from deploy_opt.report.audit_measures import (
    COLUMNS,
    AreaValue,
    Origins,
    SignCheck,
    exposure_measures,
    group_measures,
    origins,
    per_thousand,
    sign_check,
)
from deploy_opt.report.audit_page import AuditFacts, data_cards, render_audit
from deploy_opt.report.files import write_csv, write_files
from deploy_opt.stages.other_signs import sign_amounts
from deploy_opt.store import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from deploy_opt.audit_settings import Audit
    from deploy_opt.inputs.areas import Areas
    from deploy_opt.inputs.population import Population
    from deploy_opt.settings import Scenario

LOG = "audit_log.jsonl"
PAGE = "audit.html"


@dataclass(frozen=True, slots=True)
class _Run:
    """What is read of a finished run."""

    folder: Path
    manifest: dict[str, Any]

    def table(self, name: str) -> pd.DataFrame | None:
        path = self.folder / name
        if not path.exists():
            return None
        return pd.read_parquet(path) if name.endswith(".parquet") else pd.read_csv(path)


def run_audit(
    scenario: Scenario,
    out_dir: Path,
    *,
    asked: Audit | None = None,
    who: str = "not stated",
    at: dt.datetime | None = None,
    talk: bool = False,
) -> tuple[dict[str, Any], list[str]]:
    """Measure a finished run and write what the public should know of it.

    Parameters
    ----------
    scenario
        From `load_scenario`; its section `audit` is used where `asked` is None.
    out_dir
        Folder of the finished run; gets ``audit.html``, ``audit.csv``, ``data_cards.md`` and a
        line in ``audit_log.jsonl``.
    asked
        Legal bases, comments and signs; None: those of the scenario.
    who
        Person or office, for the log.
    at
        Time of the log line; None: now.
    talk
        As `deploy_opt.pipeline.run`.

    Returns
    -------
    tuple
        Summary for machines, with the hash of the log's last line; lines in words.

    Raises
    ------
    InputError
        If the folder holds no finished run, the log was changed, or an input is at fault.
    """
    run = _finished(out_dir)
    log = out_dir / LOG
    if log.exists():
        verify(log)
    asked = asked or scenario.audit
    road = Road(scenario, out_dir, fresh=False, talk=talk)
    areas, calls, _ = road.to_located()
    ids = areas.frame["area_id"].astype(str).tolist()
    file = scenario.inputs.population
    people = None if file is None else read_population(scenario.path(file)).of_areas(ids)
    signs = _signs(scenario, asked, calls.incidents, ids)
    notes: list[str] = []
    hours = _patrol_hours(scenario, run, areas, notes)
    groups = _groups(run, people, hours, scenario.seed, notes)
    exposed = _exposed(signs, asked, people, hours, scenario.seed, notes)
    police = _police(calls.incidents)
    origin = None if police.empty else origins(police, smallest_shown=asked.smallest_shown)
    public = police[~police["self_initiated"].fillna(value=False).astype(bool)]
    demand = public["area_id"].value_counts().reindex(ids).fillna(0.0)
    check = sign_check(demand, signs, people) if len(public) else SignCheck()
    facts = AuditFacts(
        name=scenario.name,
        description=scenario.description,
        synthetic=scenario.synthetic,
        services=tuple(scenario.services),
        asked=asked,
        inputs=tuple(sorted(run.manifest.get("inputs_sha256", {}).items())),
        records=_records(calls.incidents, asked.smallest_shown),
        names=dict(zip(ids, areas.frame["name"].astype(str), strict=True)),
        groups=groups,
        exposure=exposed,
        outcome=next(iter(signs), None),
        origins=origin,
        check=check,
        weights=run.table("weights.csv"),
        notes=tuple(notes),
        provenance=(
            f"Run {str(run.manifest.get('run_id', ''))[:6]}, deploy_opt "
            f"{importlib.metadata.version('deploy-opt')}."
        ),
    )
    writers: dict[str, Callable[[Path], None]] = {
        "audit.csv": partial(write_csv, _tidy(groups, exposed, origin, check)),
        "data_cards.md": partial(_write_text, data_cards(facts)),
        PAGE: partial(_write_text, render_audit(facts)),
    }
    written = write_files(out_dir, writers)
    moment = dt.datetime.now(dt.UTC) if at is None else at
    entry = AuditEntry(
        at=moment.isoformat(timespec="seconds"),
        who=who,
        action="audit",
        params={"run_id": run.manifest.get("run_id"), "audit": asked.model_dump(mode="json")},
        data_digest=fingerprint(run.manifest.get("inputs_sha256", {})),
        code_version=importlib.metadata.version("deploy-opt"),
        output_digest=fingerprint(written),
    )
    head = append(log, entry)
    return _answer(out_dir, facts, sorted(written), head)


def _finished(folder: Path) -> _Run:
    path = folder / "manifest.json"
    if not path.exists():
        do = "run `deploy-opt run SCENARIO` first, or name its folder with --out"
        raise InputError.of(str(folder), "no manifest.json", "the folder of a finished run", do)
    try:
        manifest = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise InputError.of(str(path), str(error), "the manifest as the run wrote it") from error
    return _Run(folder, manifest)


def _police(incidents: pd.DataFrame) -> pd.DataFrame:
    own = incidents[incidents["service"] == "police"] if len(incidents) else incidents
    return pd.DataFrame(
        {
            "area_id": own.get("area_id", pd.Series(dtype=object)),
            "call_type": own.get("call_type", pd.Series(dtype=object)),
            "self_initiated": own.get(
                "self_initiated", pd.Series(pd.NA, index=own.index, dtype="boolean")
            ),
        }
    ).astype({"self_initiated": "boolean"})


def _signs(
    scenario: Scenario, asked: Audit, incidents: pd.DataFrame, ids: list[str]
) -> dict[str, pd.Series]:
    """Amount by area of every sign; ambulance calls where none is named."""
    wanted = asked.signs
    if not wanted and len(incidents) and (incidents["service"] == "ems").any():
        wanted = (OtherSign(name="ambulance calls", service="ems"),)
    return sign_amounts(scenario, wanted, incidents, ids, where="audit.signs")


def _patrol_hours(
    scenario: Scenario, run: _Run, areas: Areas, notes: list[str]
) -> pd.Series | None:
    """Patrol-hours of the plan by area; None where the run plans no patrols by district."""
    posts, forecast = run.table("service_posts.csv"), run.table("forecast.parquet")
    file = column = None
    if scenario.patrol is not None:
        file = scenario.patrol.districts
        if file is None and scenario.districts is not None:
            file, column = scenario.districts.today, scenario.districts.today_column
    if posts is None or forecast is None or file is None:
        notes.append("The run plans no patrols by district: patrol by group is not measured.")
        return None
    drawn = read_districts(scenario.path(file), areas, name_column=column)
    ids = areas.frame["area_id"].astype(str).tolist()
    pairs = zip(ids, drawn.district_of.tolist(), strict=True)
    district_of = {area_id: drawn.names[rank] for area_id, rank in pairs if rank >= 0}
    on_duty = posts[posts["service"] == "police"]
    calls = forecast[forecast["service"] == "police"]
    starts = {hour: rank for rank, hour in enumerate(sorted(forecast["hour"].unique()))}
    calls = calls.assign(hour=calls["hour"].map(starts))[["area_id", "hour", "mean"]]
    notes.append(
        "Patrol-hours of a district are spread over its areas as police calls are expected there "
        "in each hour; where patrols drive between calls is not planned, so it is not measured."
    )
    return spread_hours(on_duty[["district", "hour", "units"]], calls, district_of)


def _groups(
    run: _Run,
    people: Population | None,
    hours: pd.Series | None,
    seed: int,
    notes: list[str],
) -> pd.DataFrame:
    if people is None:
        notes.append("The scenario has no table of residents: nothing is measured by group.")
        return pd.DataFrame(columns=COLUMNS)
    measured, table = [], run.table("areas.csv")
    for service, own in [] if table is None else table.groupby("service", sort=False):
        of_area = own.set_index(own["area_id"].astype(str))
        reached, response = of_area["cover_plan"], of_area["mean_response_plan_s"]
        measured += [
            AreaValue(f"{service}_reached", reached, "high"),
            AreaValue(f"{service}_response_s", response, "low"),
        ]
    if hours is not None:
        rate = per_thousand(hours, people)
        measured.append(AreaValue("patrol_hours_per_1000", rate, "high"))
    return group_measures(measured, people, seed=seed)


def _exposed(
    signs: dict[str, pd.Series],
    asked: Audit,
    people: Population | None,
    hours: pd.Series | None,
    seed: int,
    notes: list[str],
) -> pd.DataFrame:
    if people is None or hours is None:
        return pd.DataFrame(columns=COLUMNS)
    if not signs:
        notes.append("No source besides police records: patrol is not set against an outcome.")
        return pd.DataFrame(columns=COLUMNS)
    counted = not asked.signs or asked.signs[0].service is not None
    outcome = next(iter(signs.values()))
    return exposure_measures(
        hours, outcome, people, seed=seed, hide_below=asked.smallest_shown if counted else None
    )


def _records(incidents: pd.DataFrame, smallest: int) -> dict[str, dict[str, str]]:
    """Tell number and period of the records of each service."""
    found = {}
    for service, own in incidents.groupby("service") if len(incidents) else ():
        num, at = len(own), own["received_at"]
        found[str(service)] = {
            "records": f"{num:,}" if num >= smallest else f"fewer than {smallest}",
            "period": f"{at.min():%Y-%m-%d} to {at.max():%Y-%m-%d}",
        }
    return found


def _tidy(
    groups: pd.DataFrame, exposed: pd.DataFrame, origin: Origins | None, check: SignCheck
) -> pd.DataFrame:
    rows: list[tuple[Any, ...]] = []
    nan = float("nan")
    if origin is not None:
        tables = [("area", origin.by_area), ("call_type", origin.by_type)]
        for kind, table in tables:
            for name, row in () if table is None else table.iterrows():
                values = {key: nan if pd.isna(row[key]) else float(row[key]) for key in row.index}
                n = values["public"] + values["officers"]
                rows.append(
                    (f"self_initiated_by_{kind}", "share", name, values["share"], nan, nan, n)
                )
        rows.append(("self_initiated", "share", "all", origin.total_share, nan, nan, nan))
        rows.append(("self_initiated", "allocation_moved", "all", origin.moved, nan, nan, nan))
    for name, found in check.agreements.items():
        num = len(found.areas)
        rows.append(("rank_agreement", "spearman", name, found.rho, found.lo, found.hi, num))
    if check.agreements:
        rows.append(("rank_agreement", "most_police_weight", "all", check.weight, nan, nan, nan))
        rows.append(("rank_agreement", "allocation_moved", "all", check.moved, nan, nan, nan))
    parts = [part for part in (groups, exposed, pd.DataFrame(rows, columns=COLUMNS)) if len(part)]
    whole = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)
    return whole.astype({"n": "Int64"})


def _answer(
    folder: Path, facts: AuditFacts, files: list[str], head: str
) -> tuple[dict[str, Any], list[str]]:
    lines = []
    if facts.origins is not None:
        lines.append(
            f"officers began {facts.origins.total_share:.1%} of the police records; with them "
            f"{facts.origins.moved:.1%} of patrol would lie elsewhere"
        )
    for name, found in facts.check.agreements.items():
        lines.append(
            f"ranks of areas by police calls and {name}: {found.rho:.2f} "
            f"({found.lo:.2f} to {found.hi:.2f})"
        )
    ratio = facts.exposure[facts.exposure["metric"] == "exposure_to_outcome"]
    lines += [
        f"patrol over {facts.outcome}, {row['group']}: {row['value']:.2f} "
        f"({row['lo']:.2f} to {row['hi']:.2f})"
        for row in ratio.to_dict("records")
        if np.isfinite(row["value"])
    ]
    if not facts.asked.data:
        lines.append("no legal basis is stated: name the data sources in the section audit")
    lines += [f"log: note the hash {head}", str(folder / PAGE)]
    summary = {
        "files": [*files, LOG],
        "log_hash": head,
        "police_weight_at_most": facts.check.weight,
        "sources_stated": len(facts.asked.data),
        "notes": list(facts.notes),
    }
    return summary, lines


def _write_text(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")
