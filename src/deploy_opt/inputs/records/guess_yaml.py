"""Write a proposed mapping as commented YAML, with a question for all that cannot be known."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import yaml

from deploy_opt.inputs.records.column_profiles import name_words
from deploy_opt.inputs.records.guess_durations import Duration, choose_durations
from deploy_opt.inputs.records.guess_fields import (
    choose_texts,
    number_of_units,
    started_by_an_officer,
)
from deploy_opt.inputs.records.guess_points import choose_point, is_coordinate
from deploy_opt.inputs.records.guess_service import choose_service
from deploy_opt.inputs.records.guess_times import ChosenTimes, choose_times

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from deploy_opt.inputs.records.column_profiles import Profile
    from deploy_opt.inputs.records.reference_systems import Box

QUESTION = "# ASK "
_FEWEST_MIDNIGHTS = 0.005
_REPEATED = 0.1
_ONE_A_DAY = 0.9
_ALIKE = 0.02
_VOID = re.compile(
    r"cancel|\bcan\b|\bcxl|duplicat|\bdup\b|\btest\b|void|annul|storniert", re.IGNORECASE
)
_OUTCOME = re.compile(r"dispo|status|outcome|result|clear code|final|reason|stop code|type")
_ROW = re.compile(r"^(?:row|index|unnamed.*|object ?id|fid|oid|id|record ?id)$")
_UTC = re.compile(r"\b(?:utc|gmt|zulu)\b")


def mapping_yaml(
    path: Path,
    profiles: Sequence[Profile],
    written: Mapping[str, object],
    near: Callable[[], Box] | None = None,
    *,
    alike: float = 0.0,
) -> str:
    """Write a mapping for columns, with the reason of every line as a comment.

    Lines that begin with ``# ASK`` are questions: what the file does not tell, and what to write.

    Parameters
    ----------
    path
        The file, for its name.
    profiles
        Its columns.
    written
        How the file is written: `encoding`, `delimiter`, `skip_rows`, `decimal` where unusual.
    near
        Gives west, south, east, north of the city in degrees.
    alike
        Share of the rows that repeat another in every column.
    """
    filled = [p for p in profiles if p.kind != "empty"]
    times = choose_times(path, filled)
    times, durations = _with_durations(times, filled)
    taken = {h for p in times.columns.values() for h in (p.header, p.time_of_day)}
    rest = [p for p in filled if p.header not in taken and p.kind not in {"time", "date", "clock"}]
    rest = [p for p in rest if all(p is not d.profile for d in durations.values())]
    point = choose_point(rest, near)
    codes = [p for p in rest if p.kind in {"text", "number", "flag"} and not is_coordinate(p)]
    texts = choose_texts(codes)
    service = choose_service(path, filled, texts.get("call_type"))
    questions = dict(times.questions)
    lines = [_line(key, value, "how the file is written") for key, value in written.items()]
    zone, ask_zone = _zone(times)
    lines += zone
    lines.append(_line("service", service.spec, service.why))
    lines += _id_lines(texts, filled, alike)
    for field in ("call_type", "initial_priority", "priority"):
        if field in texts:
            lines.append(_line(field, _text_spec(texts[field]), _such_as(texts[field])))
    lines += _time_lines(times)
    lines += _duration_lines(durations, questions)
    if point.spec:
        lines.append(_line("point", point.spec, point.why))
    elif not point.question:
        lines.append("# point: no pair of coordinate columns found")
    if "area_id" in texts:
        lines.append(_line("area_id", _text_spec(texts["area_id"]), _such_as(texts["area_id"])))
    lines += _more_lines(rest)
    questions |= {"zone": ask_zone, "service": service.question, "point": point.question}
    questions["encoding"] = _about_encoding(filled, written)
    questions["incident_id"] = _about_counts(times, texts) or _about_alike(texts, alike)
    questions["drop"] = _about_void(filled)
    asked = [f"{QUESTION}{key}: {_one_line(text)}" for key, text in questions.items() if text]
    head = [
        f"# Proposed from the headers and values of {path.name}. Check every line:",
        f"# deploy-opt import {path.name} --mapping THIS_FILE --dry-run",
        *([f"# {len(asked)} questions that the file does not answer:"] if asked else []),
    ]
    text = "\n".join([*head, *asked, *lines])
    used = set(_texts_of(yaml.safe_load("\n".join(lines))))
    unused = [p.header for p in profiles if p.header not in used]
    if unused:
        text += f"\n# not used: {_one_line(', '.join(unused))}"
    return text + "\n"


def _with_durations(
    times: ChosenTimes, profiles: Sequence[Profile]
) -> tuple[ChosenTimes, dict[str, Duration]]:
    """Add durations; a time that serves the call and the dispatch is the call where they tell."""
    columns = dict(times.columns)
    dispatched = columns.get("dispatched_at")
    twice = dispatched is not None and dispatched is columns["received_at"]
    if twice:
        del columns["dispatched_at"]
    found = choose_durations(profiles, columns.keys())
    if not twice or "dispatched_at" in found:
        open_ = {k: q for k, q in times.questions.items() if not twice or k != "received_at"}
        stands_for = "" if twice else times.stands_for
        return replace(times, columns=columns, stands_for=stands_for, questions=open_), found
    return times, choose_durations(profiles, times.columns.keys())


def _texts_of(tree: object) -> list[str]:
    if isinstance(tree, dict):
        return [text for value in tree.values() for text in _texts_of(value)]
    if isinstance(tree, list):
        return [text for value in tree for text in _texts_of(value)]
    return [str(tree)]


def _line(key: str, value: object, why: str) -> str:
    flow = yaml.safe_dump(
        [value], default_flow_style=True, width=100_000, allow_unicode=True, sort_keys=False
    )
    shown = f"{key}: {flow.strip()[1:-1]}"
    return f"{shown}  # {_one_line(why)}" if why else shown


def _one_line(text: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", text)


def _such_as(profile: Profile) -> str:
    shown = ", ".join(repr(text[:40]) for text in profile.examples)
    return f"such as {shown}; {profile.present:.0%} filled"


def _text_spec(profile: Profile) -> object:
    if re.search(r"\bzip", profile.words):
        return {"columns": profile.header, "clean": "zip"}
    if profile.kind == "number" and any(t.endswith(".0") for t in profile.examples):
        return {"columns": profile.header, "clean": "whole"}
    return profile.header


def _zone(times: ChosenTimes) -> tuple[list[str], str]:
    """Lines of the zone, and a question where times carry no offset."""
    looks = [p.look for p in times.columns.values() if p.look is not None]
    if all(look.offset == 1 for look in looks):
        return [], _about_offsets(times)
    if any(_UTC.search(p.words) for p in times.columns.values()):
        return [_line("zone", "UTC", "a header says so")], ""
    question = (
        "times carry no offset from UTC: in which zone were they written? "
        "Write zone: America/New_York (an IANA name), or give --zone"
    )
    return [], question


def _about_offsets(times: ChosenTimes) -> str:
    received = times.columns["received_at"]
    odd = received.look is not None and received.look.formats[0] == "iso"
    odd = odd and bool(re.search(r"\+00$|\+0000$", (received.examples or ("",))[0]))
    if not odd:
        return ""
    return (
        f"{received.header!r} ends with +00 ({received.examples[0]!r}): some databases write local "
        "times so. If they are, write formats without it: received_at.formats: "
        '"%Y/%m/%d %H:%M:%S+00", and zone: America/New_York'
    )


def is_row_number(header: str) -> bool:
    """Say whether a column only numbers the rows, by its name."""
    return bool(_ROW.search(name_words(header)))


def _id_lines(texts: dict[str, Profile], profiles: Sequence[Profile], alike: float) -> list[str]:
    number, unit = texts.get("incident_id"), texts.get("unit_id")
    if number is None and alike > _ALIKE:
        return [
            f"# incident_id: none found; all rows are kept, {alike:.0%} are alike in every column"
        ]
    if number is None:
        return [
            "# incident_id: none found; rows that are alike in every column are one call",
            _line("same_when", [p.header for p in profiles if not is_row_number(p.header)], ""),
        ]
    lines = [_line("incident_id", _text_spec(number), _such_as(number))]
    repeated = 1 - number.distinct_share
    if repeated > _REPEATED and unit is not None:
        why = f"{repeated:.0%} of the rows repeat a number, with units in {unit.header!r}"
        lines += [_line("rows", "unit", why), _line("unit_id", unit.header, _such_as(unit))]
    elif repeated > _REPEATED:
        lines.append(f"# {repeated:.0%} of the rows repeat a number: the first of each is kept")
    return lines


def _time_lines(times: ChosenTimes) -> list[str]:
    lines = []
    received = times.columns["received_at"]
    for name, profile in times.columns.items():
        why = _such_as(profile)
        spec: dict[str, object] = {}
        if name in times.on_call_day:
            spec["time_of_day"] = profile.header
            why += "; a time of day: the date is that of the call"
        else:
            spec["columns"] = profile.header
            if profile.time_of_day:
                spec["time_of_day"] = profile.time_of_day
        formats = profile.look.formats if profile.look is not None else ("iso",)
        if formats != ("iso",):
            spec["formats"] = formats[0] if len(formats) == 1 else list(formats)
        if name == "received_at" and profile.kind == "date":
            why += "; DATES ONLY: no column of the time of day found"
        if name != "received_at":
            share = _midnight_share(profile.times, received.times)
            if share > _FEWEST_MIDNIGHTS:
                spec["midnight_is_missing"] = True
                why += f"; {share:.0%} are 00:00 before the call"
            if profile.present < 1:
                spec["optional"] = True
        alone = spec.keys() == {"columns"}
        lines.append(_line(name, profile.header if alone else spec, why))
    if times.stands_for:
        lines.append(_line("received_stands_for", times.stands_for, ""))
    return lines


def _midnight_share(at: NDArray[np.datetime64], received: NDArray[np.datetime64]) -> float:
    known = ~np.isnat(at) & ~np.isnat(received)
    if not known.any():
        return 0.0
    start_of_day = at == at.astype("datetime64[D]")
    return float((known & start_of_day & (at < received)).sum() / known.sum())


def _duration_lines(durations: dict[str, Duration], questions: dict[str, str]) -> list[str]:
    lines = []
    for name, found in durations.items():
        profile = found.profile
        since = {"columns": profile.header, "field": found.since, "unit": found.unit}
        known = profile.numbers[np.isfinite(profile.numbers)]
        why = f"the middle value is {float(np.median(known)):g}"
        why += f": {found.unit}? CHECK THE UNIT"
        lines.append(_line(name, {"since": since}, why))
        if not found.sure:
            questions[name] = (
                f"is {profile.header!r} (middle value {float(np.median(known)):g}) in "
                f"{found.unit}, and counted from {found.since}? "
                f"Write {name}.since.unit: s, min, h, h:m:s or m:s"
            )
    return lines


def _more_lines(rest: Sequence[Profile]) -> list[str]:
    lines = []
    units = number_of_units(rest)
    if units is not None:
        lines.append(
            _line("num_units", {"columns": units.header, "optional": True}, _such_as(units))
        )
    own = started_by_an_officer(rest)
    if own is not None:
        profile, text = own
        spec: object = {"columns": profile.header, "contains": [text]} if text else profile.header
        lines.append(_line("self_initiated", spec, _such_as(profile)))
    return lines


def _about_encoding(profiles: Sequence[Profile], written: Mapping[str, object]) -> str:
    if written.get("encoding") != "cp1252":
        return ""
    texts = (text for p in profiles for text in (p.header, *p.common) if not text.isascii())
    return (
        f"the file is not UTF-8 and is read as cp1252 (Western Europe): is {next(texts, '')!r} "
        "right? If not, write encoding: cp1250, cp1251, cp932 or what it is"
    )


def _about_counts(times: ChosenTimes, texts: dict[str, Profile]) -> str:
    received = times.columns["received_at"]
    each = received.kind == "date" and received.distinct_share > _ONE_A_DAY
    if not each or {"incident_id", "call_type"} & texts.keys():
        return ""
    return (
        f"every row has a date of its own in {received.header!r}: is this a table of counts? "
        "Counts are read by inputs.counts in the scenario, not by a mapping"
    )


def _about_alike(texts: dict[str, Profile], alike: float) -> str:
    if "incident_id" in texts or alike <= _ALIKE:
        return ""
    return (
        f"no column numbers the calls, and {alike:.0%} of the rows are alike in every column: one "
        "call or several? They are kept; if one, write same_when: [COLUMN, COLUMN, ...]"
    )


def _about_void(profiles: Sequence[Profile]) -> str:
    """Ask about rows that a column calls cancelled, doubled or a test."""
    for profile in profiles:
        if profile.kind != "text" or not _OUTCOME.search(profile.words):
            continue
        void = {text: n for text, n in profile.common.items() if _VOID.search(text)}
        share = sum(void.values()) / max(1, profile.num_filled)
        if void and share < 0.5:
            shown = ", ".join(f'"{text}"' for text in list(void)[:4])
            return (
                f"{share:.0%} of {profile.header!r} say {shown}: are these calls? They are kept. "
                f"To leave them out write drop: [{{columns: {profile.header}, values: [{shown}], "
                "reason: cancelled}]"
            )
    return ""
