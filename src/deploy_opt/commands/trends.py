"""Watch areas and types of call for rises, once or as new records come into a folder."""

from __future__ import annotations

import importlib.metadata
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from deploy_opt import stages
from deploy_opt.demand.trends.alarms import Method, detect
from deploy_opt.demand.trends.busy_areas import busy_areas
from deploy_opt.demand.trends.day_counts import Watched, day_counts, watch_rows
from deploy_opt.demand.trends.signal_files import read_signals, read_topics
from deploy_opt.demand.trends.watch import Watch, load_watch, save_watch
from deploy_opt.errors import InputError
from deploy_opt.inputs.incidents import read_incidents
from deploy_opt.inputs.records.mapping import load_mapping, load_preset
from deploy_opt.pipeline import Road
from deploy_opt.report.files import write_csv, write_files, write_json
from deploy_opt.report.trends_page import TrendFacts, alarm_words, current, render_trends
from deploy_opt.store import file_hash

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from deploy_opt.demand.trends.cells import Initiated
    from deploy_opt.inputs.areas import Areas
    from deploy_opt.settings import Scenario

_WORDS = {
    "cusum": "CUSUM of days against the weeks before",
    "ears_c1": "EARS C1",
    "ears_c2": "EARS C2",
    "ears_c3": "EARS C3",
    "farrington": "Farrington's weeks against earlier years",
    "scan": "a space-time scan of the last days",
}
_ENDINGS = (".csv", ".csv.gz", ".parquet", ".pq")
_STATE_FOLDER = "watch"


@dataclass(frozen=True, slots=True)
class TrendQuestion:
    """What is watched and how.

    Attributes
    ----------
    method
        Detector, see `detect`.
    by
        Cells: area, type, or area and type.
    initiated
        Whose calls count: community (default), officer or all.
    days
        Last days that are looked at.
    until
        Last day that is looked at; None: the last with a record.
    """

    method: Method = "cusum"
    by: Watched = "area"
    initiated: Initiated = "community"
    days: int = 60
    until: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Signals:
    """Outside signals, watched beside the calls.

    Attributes
    ----------
    file
        Posts, requests or reports, see `read_signals`; read anew at every step.
    topics
        Topic -> its words.
    """

    file: Path
    topics: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Following:
    """A folder that is watched for new records.

    Attributes
    ----------
    folder
        Files in the layout of the first ``inputs.incidents``.
    polls
        How often it is looked at; None: until the program is stopped.
    every_s
        Seconds between two looks.
    say
        Gets a line after every look that found something.
    """

    folder: Path
    polls: int | None = None
    every_s: float = 60.0
    say: Callable[[str], None] | None = None


def signals_of(scenario: Scenario, file: Path | None, topics: Path | None) -> Signals | None:
    """Put a file and topics of the command line before those of the scenario.

    Raises
    ------
    InputError
        For topics without posts, and posts without topics.
    """
    named = scenario.inputs.signals
    if file is None and topics is None:
        return None
    if file is None and named is None:
        raise InputError.of("--topics", "no posts", "--signals FILE, or inputs.signals")
    if topics is None and named is None:
        do = "--topics FILE, or inputs.signals.topics"
        raise InputError.of("--signals", "no topics", "words to look for", do)
    words = read_topics(topics) if topics is not None else named.topics  # type: ignore[union-attr]  # checked
    where = file if file is not None else scenario.path(named.file)  # type: ignore[union-attr]  # checked
    return Signals(where, words)


def run_trends(
    scenario: Scenario,
    out_dir: Path,
    *,
    question: TrendQuestion | None = None,
    follow: Following | None = None,
    signals: Signals | None = None,
    fresh: bool = False,
    talk: bool = False,
) -> tuple[dict[str, Any], list[str]]:
    """Detect rises in the scenario's records and write alarms and page.

    Parameters
    ----------
    scenario
        From `load_scenario`.
    out_dir
        Folder for ``alarms.csv``, ``busy_areas.csv``, ``trends.html`` and ``trends.json``.
    question
        What is watched; default: areas, by CUSUM.
    follow
        A folder with new records: each new file is taken in once, and everything written anew. The
        state is kept in ``watch`` inside `out_dir`, so that a restart goes on where it was.
    signals
        Posts and requests as counts by area, hour and topic, ``signals.csv``; None: those of
        ``inputs.signals``, if any.
    fresh, talk
        As `deploy_opt.pipeline.run`.

    Raises
    ------
    InputError
        For faults of the inputs; for records of a layout that cannot be read.
    """
    asked = question or TrendQuestion()
    road = Road(scenario, out_dir, fresh=fresh, talk=talk)
    areas, calls, _ = road.to_located()
    if calls.incidents.empty:
        raise InputError.of("inputs.incidents", "none", "records of calls, one a row")
    dark = _dark_days(scenario, calls, areas)
    named = scenario.inputs.signals
    if signals is None and named is not None:
        signals = Signals(scenario.path(named.file), named.topics)
    base = Watch(watch_rows(calls.incidents))
    if follow is None:
        return _write(scenario, out_dir, areas, base, asked, dark, road.run_id, signals)
    if not follow.folder.is_dir():
        raise InputError.of("--follow", str(follow.folder), "a folder")
    state = out_dir / _STATE_FOLDER
    watch = load_watch(state) or base
    looks, answer = 0, _write(scenario, out_dir, areas, watch, asked, dark, road.run_id, signals)
    while follow.polls is None or looks < follow.polls:
        if looks:
            time.sleep(follow.every_s)
        looks += 1
        before = watch.step
        for file in _new_files(follow.folder):
            digest = file_hash(file)
            if not watch.knows(digest):
                watch = watch.take(file.name, digest, _read(scenario, file, areas))
                save_watch(watch, state)
        if watch.step == before:
            continue
        answer = _write(scenario, out_dir, areas, watch, asked, dark, road.run_id, signals)
        if follow.say is not None:
            follow.say(f"{watch.step} files taken in; {answer[1][0]}")
    return answer


def _new_files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.is_file() and p.name.endswith(_ENDINGS))


def _dark_days(scenario: Scenario, calls: stages.Calls, areas: Areas) -> list[Any]:
    """Days with an hour in which the records were out, over the services."""
    counts = stages.count_demand(scenario, calls, areas)[0]
    out = counts.loc[~counts["observed"], ["service", "hour"]].drop_duplicates()
    return sorted(set(out["hour"].dt.date))


def _read(scenario: Scenario, file: Path, areas: Areas) -> pd.DataFrame:
    section = scenario.inputs.incidents[0]
    mapping = (
        load_preset(section.preset)
        if section.preset is not None
        else load_mapping(scenario.path(section.mapping or ""))
    )
    found = read_incidents([file], mapping, zone=scenario.time_zone, service=section.service)
    located = stages.locate(
        stages.Calls(found.frame, found.traps, found.scorecard, ()), areas
    ).incidents
    return watch_rows(located)


def _write(
    scenario: Scenario,
    out_dir: Path,
    areas: Areas,
    watch: Watch,
    asked: TrendQuestion,
    dark: list[Any],
    run_id: str,
    signals: Signals | None,
) -> tuple[dict[str, Any], list[str]]:
    until = watch.rows["day"].max() if asked.until is None else pd.Timestamp(asked.until)
    rows = watch.rows[watch.rows["day"] <= until]
    counts = day_counts(rows, asked.by, unobserved=[day for day in dark if day <= until.date()])
    start = until - pd.Timedelta(days=asked.days - 1)
    look = partial(
        detect,
        method=asked.method,
        start=None if asked.method == "scan" else str(start.date()),
        absent_rows="zero",
        places=_places(areas) if asked.method == "scan" else None,
        every=True,
        seed=scenario.seed,
    )
    found = look(counts, initiated=asked.initiated)
    mentions: pd.DataFrame | None = None
    said_of_signals: tuple[str, ...] = ()
    if signals is not None:
        mentions, said_of_signals = read_signals(
            signals.file, signals.topics, areas, zone=scenario.time_zone
        )
        mentions = mentions[mentions["hour"] < until + pd.Timedelta(days=1)]
        risen, words = _of_signals(look, mentions)
        found = pd.concat([found, risen], ignore_index=True) if len(risen) else found
        said_of_signals = (*said_of_signals, *words)
    busy = _busy(rows)
    facts = TrendFacts(
        name=scenario.name,
        synthetic=scenario.synthetic,
        method=_WORDS[asked.method],
        until=until,
        days=asked.days,
        tested=len(found[["service", "call_type", "area_id"]].drop_duplicates()),
        initiated={
            "community": "calls of the community alone",
            "officer": "what officers began themselves",
            "all": "all calls",
        }[asked.initiated],
        provenance=f"Run {run_id[:6]}, deploy_opt {importlib.metadata.version('deploy-opt')}.",
        notes=(*_notes(dark, busy), *said_of_signals),
    )
    alarms = current(found)
    page = render_trends(found, counts, areas, facts, busy=busy)
    names = dict(zip(areas.frame["area_id"], areas.frame["name"], strict=True))
    lines = [alarm_words(row, names) for row in alarms.to_dict("records")]
    said = "1 rise" if len(lines) == 1 else f"{len(lines)} rises"
    head = f"{said} in the week to {until:%Y-%m-%d}, {facts.tested} cells tested"
    document = {
        "until": f"{until:%Y-%m-%d}",
        "tested": facts.tested,
        "files_taken_in": watch.step,
        "alarms": lines,
    }
    writers: dict[str, Callable[[Path], None]] = {
        "alarms.csv": partial(write_csv, found[found["alarm"]]),
        "trends.json": partial(write_json, document),
        "trends.html": partial(_write_text, page),
    }
    if mentions is not None:
        writers["signals.csv"] = partial(write_csv, _mention_table(mentions))
    if busy is not None:
        writers["busy_areas.csv"] = partial(write_csv, busy)
    files = write_files(out_dir, writers)
    summary = {**document, "files": sorted(files)}
    return summary, [head, *lines, *said_of_signals, str(out_dir / "trends.html")]


def _places(areas: Areas) -> pd.DataFrame:
    point = areas.frame.geometry.representative_point()
    return pd.DataFrame({"area_id": areas.frame["area_id"], "lon": point.x, "lat": point.y})


def _of_signals(
    look: Callable[..., pd.DataFrame], mentions: pd.DataFrame
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Detect rises of topics; a topic too rare or too new to be tested is a note, no fault."""
    if mentions.empty:
        return pd.DataFrame(), ("Signals: no mention up to the last day looked at.",)
    days = mentions.assign(hour=mentions["hour"].dt.normalize())
    keys = ["service", "call_type", "area_id", "hour", "observed"]
    counts = days.groupby(keys, sort=True)["num_calls"].sum().reset_index()
    try:
        return look(counts, initiated="all"), ()
    except InputError as error:
        return pd.DataFrame(), (f"Signals are counted but not tested: {error.faults[0].found}.",)


def _mention_table(mentions: pd.DataFrame) -> pd.DataFrame:
    table = mentions.rename(columns={"call_type": "topic", "num_calls": "mentions"})
    return table[["topic", "area_id", "hour", "mentions"]].reset_index(drop=True)


def _busy(rows: pd.DataFrame) -> pd.DataFrame | None:
    community = rows[~rows["self_initiated"]]
    try:
        return busy_areas(day_counts(community, "area"))
    except InputError:
        return None


def _notes(dark: list[Any], busy: pd.DataFrame | None) -> tuple[str, ...]:
    notes = ["Ratios have 95 % intervals; q allows for the number of cells tested on a day."]
    if dark:
        notes.append(f"{len(dark)} days with an outage of the records are left out.")
    if busy is None:
        notes.append("No table of busy areas: the records hold no two years of the same season.")
    return tuple(notes)


def _write_text(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")
