"""Rate call types by the risk their calls showed, and follow what happens after a launch."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd
import yaml

from deploy_opt.errors import FaultList, InputError
from deploy_opt.inputs.linkage import link_records
from deploy_opt.inputs.risk_files import read_calls_table, read_params
from deploy_opt.report.files import write_csv, write_files, write_json
from deploy_opt.report.tiers_page import render_tiers, tier_lines, tier_tables
from deploy_opt.risk.agreement import cross_tab
from deploy_opt.risk.call_counts import count_types
from deploy_opt.risk.call_types import suggest_merges
from deploy_opt.risk.recode import review_list
from deploy_opt.risk.severity import call_severity
from deploy_opt.risk.tier_studies import reference_years, sensitivity_runs, tier_stability
from deploy_opt.risk.tier_versions import publish
from deploy_opt.risk.tiers import evaluate
from deploy_opt.risk.tracking import track
from deploy_opt.risk_settings import risk_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from deploy_opt.risk.tiers import RiskMatrix

_LEDGER = "tier_versions.csv"


@dataclass(frozen=True, slots=True)
class TierFiles:
    """Files that the tiers are made from.

    Attributes
    ----------
    calls
        One row a call, see `count_types`.
    aid
        Fire and aid runs that are linked to the calls; None: the calls carry their severity.
    params
        YAML of constants; None: the Seattle reading.
    overrides
        Tiers set by hand: call_type, tier, reason [, text, author, date].
    rival
        Another classification of the types: call_type, tier.
    since
        Calls since the launch of the tiers, to compare with the matrix.
    links
        Links made beforehand: call_id and severity, as a third party gives them back, or call_id
        and aid_id beside `aid`; None: runs are linked here by place and time.
    """

    calls: Path
    aid: Path | None = None
    params: Path | None = None
    overrides: Path | None = None
    rival: Path | None = None
    since: Path | None = None
    links: Path | None = None


def run_tiers(
    files: TierFiles,
    out_dir: Path,
    *,
    sets: Sequence[str] = (),
    launch: str | None = None,
    valid_from: str | None = None,
    zone: str | None = None,
) -> tuple[dict[str, Any], list[str]]:
    """Make the risk matrix, its page and tables; with `TierFiles.since`, follow a launch.

    Parameters
    ----------
    files
        What to read.
    out_dir
        Folder for ``tiers.html`` and the tables.
    sets
        ``key=value`` texts that replace constants.
    launch
        First day that counts as after the launch; default: the first call of `TierFiles.since`.
    zone
        IANA zone of the records; default: their own offsets, read as UTC.
    valid_from
        Day from which the tiers are in force: adds a version to ``tier_versions.csv``.

    Returns
    -------
    tuple
        The main numbers as plain values, and the same in words.

    Raises
    ------
    InputError
        For files, constants and overrides that cannot be used.
    """
    settings = risk_settings(_params(files.params, sets))
    calls, words = _rated_calls(files, zone)
    overrides = None if files.overrides is None else read_calls_table(files.overrides)
    counts = count_types(calls)
    matrix = evaluate(counts, settings, overrides=overrides)
    runs = sensitivity_runs(counts, settings, overrides=overrides)
    waiting = review_list(matrix.types)
    tables = {
        **tier_tables(matrix),
        "sensitivity.csv": runs.reset_index(),
        "review.csv": waiting.reset_index().drop(columns="tiers_touched"),
        "merges.csv": suggest_merges(counts, settings),
        "stability.csv": tier_stability(counts, settings).reset_index(),
        "reference_years.csv": reference_years(counts, settings, overrides=overrides).reset_index(),
    }
    lines = [*words, *tier_lines(matrix)]
    if files.rival is not None:
        crossed = cross_tab(matrix, read_calls_table(files.rival))
        tables["rival.csv"] = crossed.table.reset_index()
        lines.append(f"the other classification agrees with kappa {crossed.kappa:.2f}")
    if files.since is not None:
        tracked = track(read_calls_table(files.since, zone=zone), counts, matrix, launch=launch)
        tables["tracked_types.csv"] = tracked.types.reset_index()
        tables["tracked_responders.csv"] = tracked.responders.reset_index()
        named = ", ".join(tracked.to_retier[:5]) or "none"
        more = len(tracked.to_retier) - 5
        named += f" and {more} more" if more > 0 else ""
        lines.append(f"types to look at again since the launch: {named}")
    if valid_from is not None:
        tables[_LEDGER] = _published(out_dir / _LEDGER, matrix, valid_from)
    page = render_tiers(
        matrix, runs=runs, waiting=waiting, name=files.calls.name, provenance=_provenance(matrix)
    )
    document = {"digest": matrix.digest, "params": settings.model_dump(mode="json")}
    writers: dict[str, Callable[[Path], None]] = {
        name: partial(write_csv, frame) for name, frame in tables.items()
    }
    writers["tiers.html"] = lambda path: _write_text(page, path)
    writers["params.json"] = lambda path: write_json(document, path)
    written = write_files(out_dir, writers)
    summary = {
        "digest": matrix.digest,
        "types": len(matrix.types),
        "tiers": matrix.tiers.reset_index().to_dict("records"),
        "fte": matrix.fte.to_dict("records"),
        "recode": matrix.recode.reset_index().to_dict("records"),
        "notes": list(matrix.notes),
        "files": sorted(written),
    }
    return summary, [*lines, *matrix.notes, str(out_dir / "tiers.html")]


def _params(file: Path | None, sets: Sequence[str]) -> dict[str, Any]:
    params = {} if file is None else read_params(file)
    for text in sets:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise InputError.of("--set", repr(text), "key=value", "such as cell_map=icao")
        try:
            params[key.strip()] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise InputError.of(f"--set {key}", repr(value), "a YAML value") from None
    return params


def _rated_calls(files: TierFiles, zone: str | None) -> tuple[pd.DataFrame, list[str]]:
    calls = read_calls_table(files.calls, zone=zone)
    if files.aid is None and files.links is None:
        return calls, []
    given = None if files.links is None else read_calls_table(files.links)
    if given is not None and "severity" in given.columns:
        rated, num = _rated_by(calls, given, str(files.links)), given["call_id"].nunique()
        share = num / max(len(calls), 1)
        return rated, [f"{num:,} calls ({share:.2%}) rated by the links given"]
    if files.aid is None:
        found, do = "no column 'severity'", "name the runs with --aid"
        raise InputError.of(str(files.links), found, "call_id and severity", do)
    aid = read_calls_table(files.aid, zone=zone)
    links = link_records(calls, aid) if given is None else given
    share = links["call_id"].nunique() / max(len(calls), 1)
    how = "by place and time" if given is None else "as the links given say"
    words = (
        f"{len(links):,} of {len(aid):,} aid runs linked to {links['call_id'].nunique():,} calls "
        f"({share:.2%}) {how}"
    )
    return call_severity(calls, aid, links), [words]


def _rated_by(calls: pd.DataFrame, given: pd.DataFrame, where: str) -> pd.DataFrame:
    """Give each call the severity that a table says, 1 where it names none."""
    key = "call_id" if "call_id" in calls.columns else "incident_id"
    faults = FaultList()
    for name, frame, column in (("calls", calls, key), (where, given, "call_id")):
        if column not in frame.columns:
            faults.add(name, f"no column {column!r}", "the number of the call")
    faults.raise_if_any()
    ids = given["call_id"].astype(str)
    lost = ids[~ids.isin(calls[key].astype(str))]
    if len(lost):
        found = f"call_id {lost.iloc[0]!r} and {len(lost) - 1} more"
        faults.add(where, found, "calls of the table of calls")
    if ids.duplicated().any():
        faults.add(where, f"call_id {ids[ids.duplicated()].iloc[0]!r} twice", "each call once")
    faults.raise_if_any()
    columns = [c for c in ("severity", "severity_als_visit") if c in given.columns]
    by_call = given.set_index(ids)[columns].reindex(calls[key].astype(str)).fillna(1)
    return calls.assign(**{name: by_call[name].to_numpy() for name in columns})


def _published(file: Path, matrix: RiskMatrix, valid_from: str) -> pd.DataFrame:
    try:
        day = pd.Timestamp(valid_from)
    except ValueError:
        raise InputError.of("--valid-from", repr(valid_from), "an ISO date") from None
    ledger = read_calls_table(file) if file.is_file() else None
    return publish(ledger, matrix, day)


def _provenance(matrix: RiskMatrix) -> str:
    version = importlib.metadata.version("deploy-opt")
    return f"deploy_opt {version}; constants {matrix.digest[:10]} in params.json."


def _write_text(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")
