"""Choose the columns of times, in the order of an incident: whole, or in two columns."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.errors import InputError
from deploy_opt.inputs.records.guess_words import TIME_WORDS, matched, weight
from deploy_opt.inputs.records.mapping_fields import TIME_NAMES
from deploy_opt.inputs.records.time_looks import TimeLook

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from deploy_opt.inputs.records.column_profiles import Profile

_NOT_STEM = re.compile(
    r"\b(?:date|time|datum|tijd|uhrzeit|zeit|heure|day|hour|of|the|tod|dt|tm|\d+|\d*hr|and|occ)\b"
)
_SLACK_S = 60.0
_FEWEST_FOR_CLOCK = 200
_HOSPITAL_OR_END = frozenset({"at_hospital_at", "cleared_at"})
_CREATED = re.compile(r"^(?:creation|created?) ?date$")
_EDITED = re.compile(r"^(?:last )?edit(?:ed)? ?date$|^data (?:as of|loaded at)$")
_COARSE = re.compile(r"\b(?:month|quarter|year|week)\b|jahr|monat|mois|annee|maand")
_STANDS_FOR = (
    (
        r"receiv|queued|creat|request|pick ?up|phone|call|anruf|eingang|appel|melding|recib|entry",
        "",
    ),
    (r"dispatch|\bdisp\b|assign|notif|alarm|mobili|alert|uitgif", "the time of dispatch"),
    (r"occur|\bocc\b|offen[cs]e", "when it happened, not when it was reported"),
    (r"arriv|scene", "the time at the scene"),
    (r"clear|clos|complet|\bend\b", "the end of the incident"),
)


@dataclass(frozen=True, slots=True)
class ChosenTimes:
    """Columns of times.

    Attributes
    ----------
    columns
        Field to its column, in the order of an incident.
    on_call_day
        Fields whose column holds a time of day only.
    stands_for
        What `received_at` really is; empty when it is the time of the call.
    questions
        Key to what only the agency knows.
    """

    columns: dict[str, Profile]
    on_call_day: frozenset[str]
    stands_for: str
    questions: dict[str, str]


def choose_times(path: Path, profiles: Sequence[Profile]) -> ChosenTimes:
    """Choose the columns of times, in the order of an incident.

    Raises
    ------
    InputError
        When no column holds dates; says what the file has instead.
    """
    profiles = _stamped_as_dates(_without_bookkeeping(profiles))
    pairs, lone_clocks = _pairs(profiles)
    times = [p for p in profiles if p.kind == "time"] + pairs
    questions: dict[str, str] = {}
    if not times:
        dates = [p for p in profiles if p.kind == "date"]
        if not dates:
            _refuse(path, profiles)
        best = matched(dates, {"received_at": TIME_WORDS["received_at"]}, {})
        times = [best.get("received_at", dates[0])]
        questions["received_at"] = (
            f"{times[0].header!r} holds dates without a time of day: what column holds the time? "
            f"Write received_at: {{columns: {times[0].header}, time_of_day: COLUMN}}"
        )
    chosen = _in_order(_assigned(times))
    chosen = _with_received(chosen, times)
    received = chosen["received_at"]
    clocks = _in_order(_assigned(lone_clocks))
    on_call_day = {n: p for n, p in clocks.items() if n not in chosen and n != "received_at"}
    chosen = {**chosen, **on_call_day}
    departed = chosen.get("departed_at")
    to_hospital = departed is not None and re.search("hosp|transport", departed.words)
    if departed is not None and not to_hospital and not _HOSPITAL_OR_END & chosen.keys():
        chosen["cleared_at"] = chosen.pop("departed_at")  # who leaves for no hospital is clear
    stands_for = next((said for words, said in _STANDS_FOR if re.search(words, received.words)), "")
    if stands_for:
        questions["received_at"] = (
            f"the file has no column that is clearly the time of the call; {received.header!r} is "
            f"taken, {stands_for}. Is there a better one? Write received_at: COLUMN"
        )
    if received.look is not None:
        questions |= _about_dates(received)
    ordered: dict[str, Profile] = {name: chosen[name] for name in TIME_NAMES if name in chosen}
    return ChosenTimes(ordered, frozenset(on_call_day), stands_for, questions)


def _refuse(path: Path, profiles: Sequence[Profile]) -> None:
    shown = ", ".join(p.header for p in profiles[:12])
    expected = "a column of dates and times"
    coarse = [p.header for p in profiles if _COARSE.search(p.words)]
    clocks = [p.header for p in profiles if p.kind in {"clock", "hour"}]
    if clocks:
        found = f"times of day without a date ({', '.join(clocks[:4])})"
        do = "ask the publisher for the date of each call; without it no call can be counted by day"
        raise InputError.of(str(path), found, expected, do)
    if coarse:
        found = f"no column of times among {shown}: only {', '.join(coarse)}"
        do = "a month, quarter or year is too coarse: ask the publisher for the time of each call"
        raise InputError.of(str(path), found, expected, do)
    raise InputError.of(str(path), f"no column of times among {shown}", expected)


def _without_bookkeeping(profiles: Sequence[Profile]) -> list[Profile]:
    """Leave out when a map server made and changed the row, which says so by both dates."""
    times = [p for p in profiles if p.kind in {"time", "date"}]
    kept = any(_EDITED.search(p.words) for p in profiles) and not all(
        _CREATED.search(p.words) or _EDITED.search(p.words) for p in times
    )
    if not kept:
        return list(profiles)
    return [p for p in profiles if not _CREATED.search(p.words) and not _EDITED.search(p.words)]


def _stamped_as_dates(profiles: Sequence[Profile]) -> list[Profile]:
    """Take times that are the same on every day for dates where another column has the time."""
    clocks = [p for p in profiles if p.kind in {"clock", "hour"}]
    stems = {_stem(p) for p in clocks}
    whole = any(p.kind == "time" and p.look is not None and not p.look.stamped for p in profiles)
    return [
        replace(p, kind="date")
        if p.look is not None and p.look.stamped and (_stem(p) in stems or (clocks and not whole))
        else p
        for p in profiles
    ]


def _pairs(profiles: Sequence[Profile]) -> tuple[list[Profile], list[Profile]]:
    """Join dates with the times of day whose names fit; give the times of day that have none."""
    dates = [p for p in profiles if p.kind == "date" and p.present > 0]
    clocks = [p for p in profiles if p.kind == "clock"]
    whole = any(p.kind == "time" for p in profiles)
    if not clocks and not whole:
        clocks = [p for p in profiles if p.kind == "hour"]
    pairs, alone = [], []
    taken: set[str] = set()
    for clock in clocks:
        stem = _stem(clock)
        free = [d for d in dates if d.header not in taken]
        same = [d for d in free if _stem(d) == stem]
        if same:
            pairs.append(_joined(same[0], clock))
            taken.add(same[0].header)
        else:
            alone.append(clock)
    free = [d for d in dates if d.header not in taken]
    if alone and free and not pairs and not whole:
        clock = max(alone, key=lambda p: weight(p.words, TIME_WORDS["received_at"]))
        near = [d for d in free if set(_stem(d).split()) & set(_stem(clock).split())] or free
        date = max(near, key=lambda p: weight(p.words, TIME_WORDS["received_at"]))
        pairs.append(_joined(date, clock))
        alone.remove(clock)
    return pairs, alone


def _stem(profile: Profile) -> str:
    return " ".join(_NOT_STEM.sub(" ", profile.words).split())


def _joined(date: Profile, clock: Profile) -> Profile:
    day = date.times.astype("datetime64[D]").astype("datetime64[ns]")
    second = np.where(np.isfinite(clock.numbers), clock.numbers, 0)
    at = day + np.round(second * 1e9).astype("timedelta64[ns]")
    times = np.where(np.isfinite(clock.numbers), at, np.datetime64("NaT", "ns"))
    date_look, clock_look = date.look, clock.look
    if date_look is None or clock_look is None:
        return date
    days = [_date_part(text) for text in date_look.formats]
    formats = tuple(f"{day} {clock_format}" for day in days for clock_format in clock_look.formats)
    formats = tuple(dict.fromkeys(formats))
    look = TimeLook(clock_look.kind, formats, date_look.either_way, times, None, 0.0)
    return replace(
        date,
        words=f"{date.words} {clock.words}",
        kind="time",
        look=look,
        times=times,
        present=min(date.present, clock.present),
        time_of_day=clock.header,
    )


def _date_part(text_format: str) -> str:
    if text_format == "iso":
        return "%Y-%m-%d"
    return re.split(r"[ ,T]+%[HI]", text_format)[0]


def _assigned(times: Sequence[Profile]) -> dict[str, Profile]:
    return matched(times, TIME_WORDS, {})


def _in_order(chosen: dict[str, Profile]) -> dict[str, Profile]:
    """Leave out a column that mostly lies before the step that it should follow."""
    kept: dict[str, Profile] = {}
    for name in TIME_NAMES:
        if name not in chosen:
            continue
        at = chosen[name].times
        before = [kept[n].times for n in kept if kept[n].kind == "time"]
        if all(_share_after(at, earlier) >= 0.5 for earlier in before):
            kept[name] = chosen[name]
    return kept


def _share_after(at: NDArray[np.datetime64], earlier: NDArray[np.datetime64]) -> float:
    known = ~np.isnat(at) & ~np.isnat(earlier)
    if not known.any():
        return 1.0
    gap = (at[known] - earlier[known]) / np.timedelta64(1, "s")
    return float((gap >= -_SLACK_S).mean())


def _with_received(chosen: dict[str, Profile], times: Sequence[Profile]) -> dict[str, Profile]:
    """Take the earliest of the other columns as the time of the call where no words say which."""
    if "received_at" in chosen:
        return chosen
    taken = {p.header for p in chosen.values()}
    free = [
        p
        for p in times
        if p.header not in taken and weight(p.words, TIME_WORDS["received_at"]) > -3
    ]
    steps = list(chosen.values())
    early = [p for p in free if all(_share_after(s.times, p.times) > 0.5 for s in steps)]
    if early:
        return {**chosen, "received_at": min(early, key=_middle)}
    if not steps:
        return {"received_at": min(free or times, key=_middle)}
    first = next(name for name in TIME_NAMES if name in chosen)
    received = chosen[first]
    kept = chosen if first == "dispatched_at" else {n: p for n, p in chosen.items() if n != first}
    return {**kept, "received_at": received}


def _middle(profile: Profile) -> int:
    known = profile.times[~np.isnat(profile.times)].astype(np.int64)
    return int(np.median(known)) if known.size else 2**62


def _about_dates(received: Profile) -> dict[str, str]:
    look = received.look
    questions: dict[str, str] = {}
    if look is not None and look.either_way:
        example = received.examples[0] if received.examples else ""
        questions["received_at"] = (
            f"DAY AND MONTH MAY BE SWAPPED in {received.header!r} ({example!r}): read as "
            f"{look.formats[0]!r}; if wrong, swap %d and %m in every formats"
        )
    wall = received.times[~np.isnat(received.times)].astype("datetime64[h]").astype(np.int64) % 24
    if wall.size >= _FEWEST_FOR_CLOCK and wall.max() == 12 and wall.min() >= 1:
        questions["received_at"] = (
            f"no hour of {received.header!r} is above 12 and none is 0: AM and PM were lost before "
            "this file was written; ask for the source"
        )
    if look is not None and look.kind == "hour":
        questions["received_at"] = (
            f"only the hour of the call is known ({received.time_of_day!r}): every call is put at "
            "the full hour; response times cannot be measured"
        )
    return questions
