"""Lay out what a prevention programme is asked: need columns, residents and slots by area."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList, InputError, nearest
from deploy_opt.inputs.population import read_population
from deploy_opt.inputs.text_tables import FIRST_LINE, read_text_table
from deploy_opt.plan.prevention import NeedColumn, PreventionQuestion

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from deploy_opt.prevention_settings import NeedSource, Prevention
    from deploy_opt.settings import Scenario
    from deploy_opt.stages.kept import Calls

_MOST_ROWS = 200_000
_MOST_NAMED = 3


def prevention_question(
    scenario: Scenario, asked: Prevention, calls: Calls, area_ids: tuple[str, ...]
) -> tuple[PreventionQuestion, tuple[str, ...]]:
    """Read the scenario's signs of need, groups and slots.

    Parameters
    ----------
    scenario
        The scenario; `inputs.population` is needed.
    asked
        Its prevention section.
    calls
        Incidents with their areas.
    area_ids
        Areas, in the order of every areas axis.

    Returns
    -------
    tuple
        The question, and where each column comes from, in words.

    Raises
    ------
    InputError
        With every fault of the section and its tables.
    """
    if scenario.inputs.population is None:
        raise InputError.of(
            "inputs.population", "nothing", "a table of residents by area",
            "floors are shares of the residents",
        )  # fmt: skip
    people_file = scenario.path(scenario.inputs.population)
    faults = FaultList()
    if asked.group_column is not None:
        residents = _column(people_file, "population", area_ids, "inputs.population", faults)
        members = _labelled(people_file, asked.group_column, residents, area_ids, faults)
    else:
        people = read_population(people_file, groups=asked.groups).of_areas(area_ids)
        residents = people.residents
        members = dict(zip(people.names, people.shares * residents, strict=True))
    window, words = _window(calls, asked.last_days)
    columns, notes = [], [words] if any(need.service for need in asked.need) else []
    for rank, need in enumerate(asked.need):
        where = f"prevention.need[{rank}]"
        given = (window, area_ids, residents)
        values, said = _need_values(scenario, need, given, where, faults)
        columns.append(NeedColumn(need.name, need.source, values, need.weight))
        notes.append(f"{need.name}: {said}")
    today = _today(scenario, asked, area_ids, faults)
    locked = _by_area(asked.locked, area_ids, "prevention.locked", faults)
    closed = _by_area(dict.fromkeys(asked.forbidden, 1), area_ids, "prevention.forbidden", faults)
    faults.raise_if_any()
    floor = asked.floor
    question = PreventionQuestion(
        area_ids=area_ids,
        columns=tuple(columns),
        slots=asked.slots,
        residents=residents,
        groups=members,
        floor=floor if isinstance(floor, int | float) else dict(floor),
        today=today,
        most_per_area=asked.most_per_area,
        least_if_chosen=asked.least_if_chosen,
        most_moved=asked.most_moved,
        locked=locked,
        forbidden=closed > 0,
        reach=asked.reach,
        most_police_share=asked.most_police_share,
    )
    return question, tuple(notes)


def _window(calls: Calls, last_days: int) -> tuple[pd.DataFrame, str]:
    """Keep the last days of the records, without what officers began themselves."""
    frame = calls.incidents
    if frame.empty:
        return frame, "the records hold no calls"
    last = frame["received_at"].max()
    kept = frame[frame["received_at"] > last - pd.Timedelta(days=last_days)]
    own = kept.get("self_initiated")
    if own is not None:
        kept = kept[~own.astype("boolean").fillna(value=False).to_numpy(dtype=bool)]
    return kept, (
        f"calls of the {last_days} days up to {last:%Y-%m-%d}, without what officers began "
        "themselves"
    )


def _need_values(
    scenario: Scenario,
    need: NeedSource,
    given: tuple[pd.DataFrame, tuple[str, ...], NDArray[np.float64]],
    where: str,
    faults: FaultList,
) -> tuple[NDArray[np.float64], str]:
    frame, area_ids, residents = given
    if need.service is not None:
        own = frame[frame["service"] == need.service] if len(frame) else frame
        types = set(own["call_type"].dropna()) if len(own) else set()
        for name in need.call_types:
            if name not in types:
                near = nearest(name, [str(kind) for kind in types])
                faults.add(
                    f"{where}.call_types", repr(name), f"a call type of {need.service}", near
                )
        if need.call_types:
            own = own[own["call_type"].isin(need.call_types)] if len(own) else own
        elif own.empty:
            faults.add(f"{where}.service", need.service, "a service with calls in the records")
        counts = own["area_id"].value_counts() if len(own) else pd.Series(dtype=float)
        kinds = ", ".join(need.call_types) or "all calls"
        return (
            counts.reindex(list(area_ids)).fillna(0.0).to_numpy(np.float64),
            f"{len(own):,} {need.service} calls ({kinds})",
        )
    if need.group is not None:
        file = scenario.path(scenario.inputs.population or "")
        people = read_population(file, groups=(need.group,)).of_areas(area_ids)
        count = float(people.group_residents[0])
        return people.shares[0] * residents, f"{count:,.0f} residents ({need.group})"
    file = scenario.path(need.file or "")
    values = _column(file, need.column or "", area_ids, where, faults)
    return values, f"{need.column} of {file.name}"


def _column(
    file: Path, column: str, area_ids: tuple[str, ...], where: str, faults: FaultList
) -> NDArray[np.float64]:
    """Read numbers by area; areas that the table does not hold have none."""
    table = read_text_table(file, max_rows=_MOST_ROWS)
    for name in ("area_id", column):
        if name not in table.columns:
            faults.add(f"{where}: {file}", "no such column", f"a column {name!r}",
                       nearest(name, table.columns))  # fmt: skip
            return np.zeros(len(area_ids))
    numbers = pd.to_numeric(table[column], errors="coerce")
    for line in np.flatnonzero(numbers.isna() | (numbers < 0))[:_MOST_NAMED].tolist():
        found = f"{column} {table[column].iloc[line]!r}"
        faults.add(f"{file}, line {line + FIRST_LINE}", found, "a number of at least 0")
    ids = table["area_id"].str.strip()
    for line in np.flatnonzero(ids.duplicated())[:_MOST_NAMED].tolist():
        faults.add(f"{file}, line {line + FIRST_LINE}", ids.iloc[line], "each area once")
    known = pd.Series(numbers.to_numpy(), index=ids)
    known = known[~known.index.duplicated()]
    found = known.reindex(list(area_ids)).fillna(0.0)
    return np.asarray(found, dtype=np.float64)


def _labelled(
    file: Path,
    column: str,
    residents: NDArray[np.float64],
    area_ids: tuple[str, ...],
    faults: FaultList,
) -> Mapping[str, NDArray[np.float64]]:
    """Read groups that whole areas belong to."""
    table = read_text_table(file, max_rows=_MOST_ROWS)
    if column not in table.columns:
        faults.add(
            "prevention.group_column", repr(column), f"a column of {file.name}",
            nearest(column, table.columns),
        )  # fmt: skip
        return {}
    labels = pd.Series(table[column].str.strip().to_numpy(), index=table["area_id"].str.strip())
    of_area = labels.reindex(list(area_ids)).fillna("").to_numpy()
    names = [name for name in dict.fromkeys(labels) if name]
    words = column.replace("_", " ")
    return {f"{name} {words}": residents * (of_area == name) for name in sorted(names)}


def _today(
    scenario: Scenario, asked: Prevention, area_ids: tuple[str, ...], faults: FaultList
) -> NDArray[np.int64]:
    if isinstance(asked.today, str):
        file = scenario.path(asked.today)
        slots = _column(file, "slots", area_ids, "prevention.today", faults)
        if (slots != np.round(slots)).any():
            faults.add(str(file), "a fraction of a slot", "whole slots")
        return slots.astype(np.int64)
    return _by_area(asked.today or {}, area_ids, "prevention.today", faults)


def _by_area(
    given: Mapping[Any, int], area_ids: tuple[str, ...], where: str, faults: FaultList
) -> NDArray[np.int64]:
    for area_id in given:
        if area_id not in area_ids:
            faults.add(where, repr(area_id), "an area", nearest(str(area_id), area_ids))
    return np.array([given.get(area_id, 0) for area_id in area_ids], dtype=np.int64)
