"""Write a proposed mapping as commented YAML."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import yaml

from deploy_opt.inputs.records.guess_fields import choose_texts, choose_times

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from deploy_opt.inputs.records.column_profiles import Profile
    from deploy_opt.inputs.records.mapping import IncidentMapping

_FEWEST_MIDNIGHTS = 0.005
_DEGREE = re.compile(r"\b(?:lon|lng|long|longitude|lat|latitude|x|y)\b")
_SERVICE_WORDS = {
    "ems": r"ems\b|ambul|medic|cardiac|breath|chest pain|sick|unconsc|seizure|stroke|overdose|fall",
    "fire": r"\bfire\b|smoke|gas leak|rescue|hazmat|extric",
    "police": r"burgl|theft|robber|disturb|suspic|assault|traffic stop|trespass|domestic|warrant",
    "coresponse": r"crisis|behaviou?ral|welfare|client|mental",
}
_DURATION = re.compile(r"respon[sd].*(?:sec|min|time|qy)|(?:sec|min).*respon[sd]")


def mapping_yaml(path: Path, profiles: Sequence[Profile], mapping: IncidentMapping) -> str:
    """Write a mapping for columns, with the reason of every line as a comment.

    Parameters
    ----------
    path
        The file, for its name.
    profiles
        Its columns.
    mapping
        Says encoding and delimiter.
    """
    times = choose_times(path, profiles)
    taken = {p.header for p in times.values()}
    rest = [p for p in profiles if p.header not in taken and p.kind != "empty"]
    codes = [p for p in rest if p.kind in {"text", "number", "flag"}]
    texts = choose_texts([p for p in codes if not _is_degree(p)])
    own = _self_initiated(rest)
    lines = [
        f"# Proposed from the headers and values of {path.name}. Check every line:",
        f"# deploy-opt import {path.name} --mapping THIS_FILE --dry-run",
    ]
    if mapping.encoding != "utf-8":
        lines.append(f"encoding: {mapping.encoding}  # the file is not UTF-8")
    if mapping.delimiter != ",":
        lines.append(_line("delimiter", mapping.delimiter, "what parts the cells"))
    lines.append("# zone: America/New_York  # needed where times carry no offset; or give --zone")
    service, why = _service(path, profiles, texts.get("call_type"))
    lines.append(_line("service", service, why))
    lines += _id_lines(texts)
    for field in ("call_type", "initial_priority", "priority"):
        if field in texts:
            lines.append(_line(field, _text_spec(texts[field]), _such_as(texts[field])))
    lines += _time_lines(times, rest)
    lines += _point_lines(rest)
    if "area_id" in texts:
        lines.append(_line("area_id", _text_spec(texts["area_id"]), _such_as(texts["area_id"])))
    if own is not None:
        lines.append(_line("self_initiated", own.header, _such_as(own)))
    text = "\n".join(lines)
    unused = [p.header for p in profiles if p.header not in text]
    if unused:
        text += f"\n# not used: {_one_line(', '.join(unused))}"
    return text + "\n"


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


def _service(path: Path, profiles: Sequence[Profile], call_type: Profile | None) -> tuple[str, str]:
    texts = [path.stem.lower(), *(profile.words for profile in profiles)]
    if call_type is not None:
        texts += [text.lower() for text in call_type.examples]
    scores = {
        service: sum(len(re.findall(pattern, text)) for text in texts)
        for service, pattern in _SERVICE_WORDS.items()
    }
    best = max(scores, key=lambda service: scores[service])
    if scores[best]:
        return best, "guessed from the names and call types"
    return "ems", "a stand-in: nothing in the file tells; ems, police, fire or coresponse"


def _text_spec(profile: Profile) -> object:
    if re.search(r"\bzip|postal", profile.words):
        return {"columns": profile.header, "clean": "zip"}
    if profile.kind == "number" and any(t.endswith(".0") for t in profile.examples):
        return {"columns": profile.header, "clean": "whole"}
    return profile.header


def _id_lines(texts: dict[str, Profile]) -> list[str]:
    number, unit = texts.get("incident_id"), texts.get("unit_id")
    if number is None:
        return ["# incident_id: none found; rows are numbered, duplicates are not seen"]
    lines = [_line("incident_id", _text_spec(number), _such_as(number))]
    filled = max(1, round(number.present * len(number.times)))
    repeated = 1 - number.num_distinct / filled
    if repeated > 0.1 and unit is not None:
        why = f"{repeated:.0%} of the rows repeat a number, with units in {unit.header!r}"
        lines += [_line("rows", "unit", why), _line("unit_id", unit.header, _such_as(unit))]
    elif repeated > 0.1:
        lines.append(f"# {repeated:.0%} of the rows repeat a number: the first of each is kept")
    return lines


def _time_lines(times: dict[str, Profile], rest: Sequence[Profile]) -> list[str]:
    lines = []
    received = times["received_at"]
    for name, profile in times.items():
        spec: dict[str, object] = {"columns": profile.header}
        why = _such_as(profile)
        text_format = profile.format
        if profile.kind == "date" and name == "received_at":
            clock = next((p for p in rest if p.kind == "clock"), None)
            if clock is None:
                why += "; DATES ONLY: no column of the time of day found"
            else:
                spec["time_of_day"] = clock.header
                date_format = "%Y-%m-%d" if text_format == "iso" else text_format
                text_format = f"{date_format} {clock.format}"
        if text_format != "iso":
            spec["formats"] = text_format
        if profile.either_way:
            why += "; DAY AND MONTH MAY BE SWAPPED"
        if name != "received_at":
            share = _midnight_share(profile.times, received.times)
            if share > _FEWEST_MIDNIGHTS:
                spec["midnight_is_missing"] = True
                why += f"; {share:.0%} are 00:00 before the call"
            if profile.present < 1:
                spec["optional"] = True
        lines.append(_line(name, spec if len(spec) > 1 else profile.header, why))
    if "arrived_at" not in times:
        lines += _duration_lines(rest)
    return lines


def _midnight_share(at: NDArray[np.datetime64], received: NDArray[np.datetime64]) -> float:
    known = ~np.isnat(at) & ~np.isnat(received)
    if not known.any():
        return 0.0
    start_of_day = at == at.astype("datetime64[D]")
    return float((known & start_of_day & (at < received)).sum() / known.sum())


def _duration_lines(rest: Sequence[Profile]) -> list[str]:
    for profile in rest:
        if profile.kind != "number" or not _DURATION.search(profile.words):
            continue
        middle = float(np.nanmedian(profile.numbers))
        unit = "min" if re.search(r"\bmin", profile.words) else ""
        unit = unit or ("s" if re.search(r"\bsec|\bs\b", profile.words) or middle > 60 else "min")
        spec = {"since": {"columns": profile.header, "field": "received_at", "unit": unit}}
        why = f"the middle value is {middle:g}: {unit}? CHECK THE UNIT"
        return [_line("arrived_at", spec, why)]
    return []


def _is_degree(profile: Profile) -> bool:
    return bool(
        re.search(r"\b(?:lon|lng|long|longitude|lat|latitude|x|y|map [xy])\b", profile.words)
    )


def _point_lines(rest: Sequence[Profile]) -> list[str]:
    numbers = [p for p in rest if p.kind == "number"]
    lon = _first(numbers, r"\b(?:lon|lng|long|longitude)\b") or _first(numbers, r"\bx\b|easting")
    lat = _first(numbers, r"\b(?:lat|latitude)\b") or _first(numbers, r"\by\b|northing")
    if lon is None or lat is None:
        return ["# point: no pair of coordinate columns found"]
    x, y = np.nanmedian(lon.numbers), np.nanmedian(lat.numbers)
    spec = {"lon": lon.header, "lat": lat.header}
    if abs(x) <= 180 and abs(y) <= 90:
        return [_line("point", spec, f"the middle is {x:.3f}, {y:.3f}")]
    line = _line("point", {**spec, "crs": "EPSG:CODE"}, "")
    return [
        f"# point: {lon.header}, {lat.header} are no degrees (the middle is {x:.0f}, {y:.0f}).",
        "# Name their reference system (EPSG code of the state plane) and take the mark off:",
        f"# {line}",
    ]


def _first(profiles: Sequence[Profile], pattern: str) -> Profile | None:
    return next((p for p in profiles if re.search(pattern, p.words)), None)


def _self_initiated(rest: Sequence[Profile]) -> Profile | None:
    return _first([p for p in rest if p.kind == "flag"], r"initiat|on ?view|proactive")
