"""Read community reports, 311 requests and posts, and keep counts alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import yaml

from deploy_opt.demand.trends.signals import about_persons, count_signals
from deploy_opt.errors import FaultList, InputError, nearest
from deploy_opt.inputs.areas import codes, locate_points
from deploy_opt.inputs.text_tables import read_text_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from deploy_opt.inputs.areas import Areas

_MOST_ROWS = 20_000_000
_NEEDED = ("at", "text")
_PLACES = ("area_id", "lon", "lat")


def read_signals(
    path: Path, topics: Mapping[str, Sequence[str]], areas: Areas, *, zone: str
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Count the posts of a file by area, hour and topic.

    Columns about persons are refused by their names before a row is used; texts are read once
    and not kept.

    Parameters
    ----------
    path
        CSV or Parquet: at, text, and area_id or lon and lat; other columns are not read.
    topics
        Topic -> its words, see `count_signals`.
    areas
        The areas; posts outside them are left out.
    zone
        IANA zone of the city. Times with an offset are turned to it, others are read in it.

    Returns
    -------
    counts : pandas.DataFrame
        As `count_signals`.
    notes : tuple of str
        Posts left out, in words.

    Raises
    ------
    InputError
        For columns about persons or missing ones, times that cannot be read, and a file in which no
        post names a topic inside the areas.
    """
    seen: list[str] = []
    wanted = {*_NEEDED, *_PLACES}

    def keep(name: str) -> bool:
        seen.append(name)
        return name in wanted

    posts = read_text_table(path, max_rows=_MOST_ROWS, wanted=keep)
    faults = FaultList()
    for name in about_persons(dict.fromkeys(seen)):
        do = "leave it out: signals are counted by area, hour and topic, never by person"
        faults.add(str(path), f"the column {name!r}", "no column about persons", do)
    for name in _NEEDED:
        if name not in posts.columns:
            faults.add(str(path), f"no column {name!r}", name, nearest(name, seen))
    if "area_id" not in posts.columns and not {"lon", "lat"} <= set(posts.columns):
        faults.add(str(path), "no place", "area_id, or lon and lat")
    faults.raise_if_any()
    number = len(posts)
    placed = pd.DataFrame(
        {"area_id": _areas(posts, areas), "at": _times(posts["at"], path, zone)}
    ).assign(text=posts["text"].to_numpy())
    there = placed["area_id"].notna() & placed["at"].notna()
    counts = count_signals(placed[there], topics)
    if counts.empty:
        found = f"no post of {number:,} names a topic inside the areas"
        raise InputError.of(str(path), found, "posts with words of inputs.signals.topics")
    mentions, num_topics = int(counts["num_calls"].sum()), counts["call_type"].nunique()
    said = f"{mentions:,} mentions of {num_topics} topics in {int(there.sum()):,} posts"
    notes = [f"{said}, counted by area and hour; no text is kept."]
    left = number - int(there.sum())
    if left:
        notes.append(f"{left:,} of {number:,} posts have no time or lie in no area.")
    return counts, tuple(notes)


def read_topics(path: Path) -> dict[str, tuple[str, ...]]:
    """Read keyword groups from YAML: topic -> list of words.

    Raises
    ------
    InputError
        For a file that is missing or holds something else.
    """
    if not path.is_file():
        near = nearest(path.name, [p.name for p in path.parent.glob("*.y*ml")])
        raise InputError.of(str(path), "no such file", "a YAML file of topics", near)
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError.of(str(path), str(error).splitlines()[0], "YAML") from error
    right = isinstance(tree, dict) and all(isinstance(words, list) for words in tree.values())
    if not right:
        expected = "topics with lists of words, such as power: [power cut, outage*]"
        raise InputError.of(str(path), type(tree).__name__, expected)
    return {str(topic): tuple(str(word) for word in words) for topic, words in tree.items()}


def _areas(posts: pd.DataFrame, areas: Areas) -> np.ndarray:
    """Area of each post: its code, else its point."""
    found = np.full(len(posts), None, dtype=object)
    if "area_id" in posts.columns:
        named = posts["area_id"].str.strip().map(codes(areas))
        found = named.where(named.notna(), None).to_numpy(dtype=object)
    if {"lon", "lat"} <= set(posts.columns):
        lon, lat = (
            pd.to_numeric(posts[name], errors="coerce").to_numpy(np.float64)
            for name in ("lon", "lat")
        )
        pointed = np.isfinite(lon) & np.isfinite(lat) & pd.isna(found)
        found[pointed] = locate_points(areas, lon[pointed], lat[pointed])
    return found


def _times(text: pd.Series, path: Path, zone: str) -> pd.Series:
    """Give naive local times; missing where the cell is empty."""
    cells = text.str.strip().replace("", pd.NA)
    try:
        zoned = cells.dropna().str.contains(r"(?:Z|[+-]\d{2}:?\d{2})$").any()
        times = pd.to_datetime(cells, utc=bool(zoned), format="ISO8601")
    except ValueError as error:
        expected = "ISO times, such as 2026-03-02T14:05"
        raise InputError.of(f"{path}: at", str(error).splitlines()[0], expected) from error
    return times.dt.tz_convert(zone).dt.tz_localize(None) if zoned else times
