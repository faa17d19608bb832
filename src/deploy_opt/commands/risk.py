"""What the commands about risk do: officer risk, triage support, linkage."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
from typing import TYPE_CHECKING, Any

import pandas as pd

from deploy_opt.errors import InputError
from deploy_opt.report.files import write_csv, write_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from deploy_opt.inputs.linkage_names import NameStep

MODEL_OFFICER = "officer_risk.json"
MODEL_TRIAGE = "triage.json"
_TEXT_COLUMNS = ("call_id", "text", "tier", "area_group")
_MOST_SHOWN = 20


def run_officer_feasibility(study: Path) -> tuple[dict[str, Any], list[str]]:
    """Count whether the high-risk calls of each category suffice; fits nothing.

    Parameters
    ----------
    study
        Study file (YAML), see `read_study`.

    Returns
    -------
    tuple
        The counts as plain values, and the same in words.
    """
    from deploy_opt.risk.officer_risk.study import read_study
    from deploy_opt.risk.officers import feasibility

    read = read_study(study)
    counts = feasibility(read.features, read.labels, read.params)
    lines = [
        f"{row.category}, {row.level}: {row.at_least:,} of {row.calls:,} calls ({row.share:.1%}); "
        f"{row.train} to learn, {row.calibration} to calibrate, {row.test} to test: {row.verdict}"
        for row in counts.itertuples()
    ]
    return {"categories": _plain(counts), "notes": list(read.notes)}, [*lines, *read.notes]


def run_officer_fit(
    study: Path, out_dir: Path, *, key_file: Path | None = None, talk: Callable[[str], None]
) -> tuple[dict[str, Any], list[str]]:
    """Fit officer risk; write models, tables and model card.

    Parameters
    ----------
    study
        Study file (YAML).
    out_dir
        Folder to write.
    key_file
        Key to seal the models with; it must not lie in the folder.
    talk
        Called with each category that is begun.

    Returns
    -------
    tuple
        What was published and withheld, and the same in words.
    """
    from deploy_opt.report.officer_card import officer_card
    from deploy_opt.risk.officer_risk.study import read_study
    from deploy_opt.risk.officers import fit_officer_risk, save_officer_risk

    key = _key(key_file, out_dir)
    read = read_study(study)
    risk = fit_officer_risk(
        read.features,
        read.labels,
        read.params,
        group_of_area=read.group_of_area,
        progress=talk,
    )
    tables = {
        "feasibility.csv": risk.feasibility,
        "report.csv": risk.report,
        "choices.csv": risk.choices,
        "importance.csv": risk.importance,
        "dependence.csv": risk.dependence,
        "groups.csv": risk.groups,
    }
    card = officer_card(risk, title=study.stem)
    seals: list[str] = []
    files = write_files(
        out_dir,
        {
            MODEL_OFFICER: lambda path: seals.append(save_officer_risk(risk, path, key=key)),
            "model_card_officer_risk.md": lambda path: _write_text(path, card),
            **{name: _csv(table) for name, table in tables.items() if len(table.columns)},
        },
    )
    lines = [f"{name}: published, retire on {m.retire_on}" for name, m in risk.models.items()]
    lines += [f"{name}: withheld, {why}" for name, why in risk.withheld.items()]
    summary = {
        "published": sorted(risk.models),
        "withheld": risk.withheld,
        "seal": seals[0],
        "files": sorted(files),
    }
    lines += [*risk.notes, *read.notes, f"seal (note it elsewhere): {seals[0]}", str(out_dir)]
    return summary, lines


def run_officer_score(
    study: Path,
    model: Path,
    calls: Path,
    *,
    key_file: Path | None = None,
    seal: str | None = None,
) -> tuple[dict[str, Any], list[str]]:
    """Forecast dispatches with saved models.

    Parameters
    ----------
    study
        Study file (YAML): past, weather and census are read from what it names.
    model
        Saved models.
    calls
        Dispatches: incident_id, received_at, call_type, area_id and, where known,
        initial_priority and self_initiated.
    key_file
        Key that the models were sealed with.
    seal
        Their seal as noted elsewhere.

    Returns
    -------
    tuple
        The forecasts as plain values, and the same in words.
    """
    from deploy_opt.risk.officer_risk.study import read_study, study_calls
    from deploy_opt.risk.officers import load_officer_risk, score_dispatch

    key = _key(key_file, model.parent)
    risk = load_officer_risk(model, key=key, expected_seal=seal)
    read = read_study(study)
    table = _read(calls)
    if "received_at" in table.columns:
        table = table.assign(received_at=pd.to_datetime(table["received_at"], utc=True))
    asked, notes = study_calls(table, read.category_of_type, read.time_zone)
    said = score_dispatch(risk, asked, read.sources)
    lines = [_said_line(row) for row in said.itertuples()]
    return {"calls": _plain(said)}, [*lines, *notes]


def run_triage_fit(
    texts: Path,
    out_dir: Path,
    *,
    coverage: float = 0.8,
    cost_ratio: float = 5.0,
    names_file: Path | None = None,
    key_file: Path | None = None,
) -> tuple[dict[str, Any], list[str]]:
    """Fit triage support to call summaries; write model, report and model card.

    Parameters
    ----------
    texts
        CSV or Parquet in the order of time: call_id, text, tier and, where known, area_group; other
        columns are not read, and none of the texts is written.
    out_dir
        Folder to write.
    coverage, cost_ratio
        See `fit_triage`.
    names_file
        Further names to take out, one a line.
    key_file
        Key to seal the model with; it must not lie in the folder.

    Returns
    -------
    tuple
        The main measures, and the same in words.
    """
    from deploy_opt.report.officer_card import triage_card
    from deploy_opt.risk.triage import fit_triage, save_triage

    key = _key(key_file, out_dir)
    table = _texts(texts, needed=("text", "tier"))
    groups = table["area_group"].fillna("unknown").to_numpy() if "area_group" in table else None
    triage = fit_triage(
        table["text"].fillna("").astype(str).tolist(),
        table["tier"].to_numpy(),
        groups=groups,
        coverage=coverage,
        cost_ratio=cost_ratio,
        names=_names(names_file),
    )
    card = triage_card(triage, title=texts.stem)
    seals: list[str] = []
    files = write_files(
        out_dir,
        {
            MODEL_TRIAGE: lambda path: seals.append(save_triage(triage.model, path, key=key)),
            "triage_report.csv": _csv(triage.report),
            "model_card_triage.md": lambda path: _write_text(path, card),
        },
    )
    whole = triage.report.query("group == 'all' and label == -1")
    value = whole.set_index(["measure", "heard"])["value"]
    lines = [
        f"{heard:.0%} of the text heard: cost {value['cost_per_call', heard]:.2f} a call (majority "
        f"rule {value['cost_of_majority', heard]:.2f}, cheapest tier "
        f"{value['cost_of_cheapest', heard]:.2f}), {value['mean_size', heard]:.2f} tiers in the set"
        for heard in sorted(set(whole["heard"]))
    ]
    summary = {"report": _plain(triage.report), "seal": seals[0], "files": sorted(files)}
    return summary, [*lines, f"seal (note it elsewhere): {seals[0]}", str(out_dir)]


def run_triage_score(
    model: Path,
    *,
    texts: Path | None = None,
    text: str | None = None,
    heard: float | None = None,
    names_file: Path | None = None,
    key_file: Path | None = None,
    seal: str | None = None,
) -> tuple[dict[str, Any], list[str]]:
    """Advise tiers for call summaries with a saved model; nothing is stored.

    Parameters
    ----------
    model
        Saved model.
    texts
        Table with a column text, or
    text
        one summary.
    heard
        Share of the call that the texts hold; None: not known.
    names_file, key_file, seal
        As for `run_triage_fit` and `run_officer_score`.

    Returns
    -------
    tuple
        The advice as plain values, and the same in words.
    """
    from deploy_opt.risk.triage import load_triage, score_text

    if (texts is None) == (text is None):
        found = "both a table and a text" if text is not None else "no text"
        raise InputError.of("triage score", found, "--text or a table of texts")
    loaded = load_triage(model, key=_key(key_file, model.parent), expected_seal=seal)
    said = [text] if text is not None else []
    ids = ["text"]
    if texts is not None:
        table = _texts(texts, needed=("text",))
        said = table["text"].fillna("").astype(str).tolist()
        ids = table["call_id"].astype(str).tolist() if "call_id" in table else ids * len(said)
    advice = score_text(loaded, said, heard=heard, names=_names(names_file))
    advice.insert(0, "call_id", ids)
    lines = [_advice_line(row) for row in advice.itertuples()]
    return {"advice": _plain(advice)}, [*lines, "advice only: the call taker decides"]


def run_triage_decide(
    log: Path, *, call_id: str, decided: int, advised: int, may_be: str, who: str, reason: str = ""
) -> tuple[dict[str, Any], list[str]]:
    """Keep a person's decision beside the advice; the person's is the tier of the call.

    Parameters
    ----------
    log
        Log of agreement, made if it is not there.
    call_id, decided, advised, may_be, reason
        See `Decision`; may_be as ``1 or 2``.
    who
        Person or seat that decided.
    """
    from deploy_opt.risk.triage import Decision, log_decision, redact

    tiers = tuple(int(part) for part in may_be.replace(" or ", " ").split() if part.isdigit())
    decision = Decision(call_id, decided, advised, tiers, reason=redact(reason))
    version = importlib.metadata.version("deploy-opt")
    at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    head = log_decision(log, decision, at=at, who=who, text="", code_version=version)
    return {"tier": decision.tier, "hash": head}, [f"tier {decision.tier}; last hash {head}"]


def run_triage_agreement(log: Path, *, head: str | None = None) -> tuple[dict[str, Any], list[str]]:
    """Check the log of agreement and count how often persons decided as advised."""
    from deploy_opt.risk.triage import agreement

    table = agreement(log, head=head)
    lines = [
        f"{'all' if row.advised < 0 else f'advised {row.advised}'}: {row.n} decisions, "
        f"{row.agree:.0%} as advised, {row.in_set:.0%} within the set, "
        f"{row.more_protective:.0%} more and {row.less_protective:.0%} less protective"
        for row in table.itertuples()
    ]
    return {"agreement": _plain(table)}, lines


def run_link(
    calls: Path,
    aid_runs: Path,
    out_dir: Path,
    *,
    max_distance_m: float,
    time_bin_h: float,
    time_zone: str = "UTC",
    names: NameStep | None = None,
    third_party: bool = False,
) -> tuple[dict[str, Any], list[str]]:
    """Link police calls to fire and aid runs; write links, match rates and whom links miss.

    Where the runs say level, transported and unnatural_death, ``severity.csv`` rates every linked
    call; ``deploy-opt tiers --links`` takes it in.

    Parameters
    ----------
    calls, aid_runs
        Tables as ``deploy-opt import`` writes them.
    out_dir
        Folder to write.
    max_distance_m, time_bin_h, names
        See `link_records`.
    time_zone
        IANA zone of the hours in the table of bias.
    third_party
        Write the rated calls and the match rates alone: the police get no more than call_id and
        severity, and no row says which run it was.

    Returns
    -------
    tuple
        The match rates as plain values, and the same in words.
    """
    from deploy_opt.inputs.linkage import link_records
    from deploy_opt.inputs.linkage_checks import explain_misses, linkage_bias

    police, aid = _zoned(_read(calls)), _zoned(_read(aid_runs))
    links = link_records(
        police, aid, max_distance_m=max_distance_m, time_bin_h=time_bin_h, names=names
    )
    rates = explain_misses(aid, links)
    by = ("area_id", "hour") if "area_id" in aid.columns else ("hour",)
    bias = linkage_bias(aid, links, by=by, time_zone=time_zone)
    tables = {"links.csv": links, "linkage.csv": rates, "linkage_bias.csv": bias}
    severity = _severity(police, aid, links, needed=third_party)
    if severity is not None:
        tables["severity.csv"] = severity
    if third_party:
        tables = {name: tables[name] for name in ("severity.csv", "linkage.csv")}
    files = write_files(out_dir, {name: _csv(table) for name, table in tables.items()})
    differ = bias[bias["differs"]]
    lines = [f"{len(links):,} of {len(aid):,} aid runs linked to {len(police):,} calls"]
    lines += [f"{row.measure}: {row.value:.1%} of {row.n:,}" for row in rates.itertuples() if row.n]
    lines += [
        f"linked less or more often than others: {row.by} {row.group}, {row.rate:.1%} "
        f"({row.lo:.1%} to {row.hi:.1%})"
        for row in differ.head(_MOST_SHOWN).itertuples()
    ]
    summary = {
        "links": len(links),
        "rates": _plain(rates),
        "differ": _plain(differ),
        "files": sorted(files),
    }
    return summary, [*lines, str(out_dir)]


def _severity(
    police: pd.DataFrame, aid: pd.DataFrame, links: pd.DataFrame, *, needed: bool
) -> pd.DataFrame | None:
    """Rate the linked calls; None where the runs do not say how bad they were."""
    from deploy_opt.risk.severity import call_severity

    if not needed and not {"level", "transported", "unnatural_death"} <= set(aid.columns):
        return None
    key = "call_id" if "call_id" in police.columns else "incident_id"
    run_key = "aid_id" if "aid_id" in aid.columns else "incident_id"
    linked = police[police[key].isin(links["call_id"])]
    rated = call_severity(linked, aid.rename(columns={run_key: "aid_id"}), links)
    rated = rated.rename(columns={key: "call_id"})
    return rated[["call_id", "severity", "severity_als_visit"]].reset_index(drop=True)


def _said_line(row: Any) -> str:  # noqa: ANN401  (a row of itertuples)
    if row.why:
        return f"{row.incident_id} ({row.category}): no forecast, {row.why}"
    right = (
        "" if pd.isna(row.precision) else f"; a lone {row.said} was right in {row.precision:.0%}"
    )
    return f"{row.incident_id} ({row.category}): {row.said} (may be {row.may_be}){right}"


def _advice_line(row: Any) -> str:  # noqa: ANN401  (a row of itertuples)
    line = f"{row.call_id}: tier {row.may_be}"
    if row.can_tell:
        line += f" (a lone tier {row.may_be} was right in {row.precision:.0%})"
    else:
        line += ", cannot tell"
    if row.may_be != str(row.advised):
        line += f"; least cost at tier {row.advised}"
    return f"{line}; because of: {row.because}" if row.because else line


def _key(file: Path | None, apart_from: Path) -> bytes | None:
    from deploy_opt.privacy.keys import read_key

    return None if file is None else read_key(file, apart_from=[apart_from])


def _names(file: Path | None) -> tuple[str, ...]:
    if file is None:
        return ()
    try:
        return tuple(line.strip() for line in file.read_text("utf-8").splitlines() if line.strip())
    except (OSError, UnicodeDecodeError) as error:
        raise InputError.of(str(file), str(error), "a text file of names, one a line") from error


def _texts(file: Path, *, needed: tuple[str, ...]) -> pd.DataFrame:
    table = _read(file, columns=_TEXT_COLUMNS)
    for column in needed:
        if column not in table.columns:
            raise InputError.of(str(file), f"no column {column!r}", f"a column {column}")
    return table


def _read(file: Path, columns: tuple[str, ...] | None = None) -> pd.DataFrame:
    """Read a table; of `columns` alone where they are given, so that nothing else is taken in."""
    try:
        if file.suffix.lower() in {".parquet", ".pq"}:
            table = pd.read_parquet(file)
            return table if columns is None else table[[c for c in table if c in columns]]
        keep = None if columns is None else lambda name: name in columns
        ids = dict.fromkeys(("incident_id", "call_id", "aid_id", "area_id"), str)
        return pd.read_csv(file, usecols=keep, dtype=ids)
    except (OSError, ValueError) as error:
        found = str(error).splitlines()[0]
        raise InputError.of(str(file), found, "a CSV or Parquet file") from error


def _zoned(table: pd.DataFrame) -> pd.DataFrame:
    """Read times of a CSV that say their zone; others stay as they are and are refused later."""
    for column in ("received_at", "cleared_at"):
        if column in table.columns and pd.api.types.is_string_dtype(table[column]):
            said = table[column].dropna().astype(str).str.contains(r"(?:Z|[+-]\d{2}:?\d{2})$")
            if said.all():
                table = table.assign(
                    **{column: pd.to_datetime(table[column], utc=True, format="ISO8601")}
                )
    return table


def _csv(table: pd.DataFrame) -> Callable[[Path], None]:
    return lambda path: write_csv(table, path)


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _plain(table: pd.DataFrame) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = table.astype(object).where(table.notna(), None).to_dict("records")
    return rows
