"""Outside signals as counts: reports and posts by area, hour and topic, never by person."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pandas as pd

from deploy_opt.errors import FaultList
from deploy_opt.privacy.schemas import personal_columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SERVICE = "signals"
_ABOUT_PERSONS = re.compile(
    r"(^|_)(user|author|handle|screen|email|phone|account|profile|device|ip|person|dob|race"
    r"|poster|sender|reporter|caller|requester|customer|contact|follower)"
    r"|(^|_)(id|uid|uuid|guid)s?$"
)
_PLAIN = frozenset({"area_id", "at", "text", "lon", "lat"})


def about_persons(columns: Iterable[object]) -> list[str]:
    """Name the columns that could tell who wrote a post; also its own number, which leads there.

    Examples
    --------
    >>> about_persons(["area_id", "at", "text", "screenName", "post_id", "Topic"])
    ['screenName', 'post_id']
    """
    names = [str(name) for name in columns]
    known = personal_columns(names)
    return [
        name
        for name in names
        if name not in _PLAIN and (name in known or _ABOUT_PERSONS.search(_snake(name)))
    ]


def count_signals(posts: pd.DataFrame, topics: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Count posts by area, hour and topic; texts are looked at once and not kept.

    Parameters
    ----------
    posts
        area_id, at (naive local time) and text; other columns are refused where they could be
        about persons.
    topics
        Topic -> its keywords: whole words, case ignored, ``*`` at the end for any ending. A post
        counts once in every topic that it names.

    Returns
    -------
    pandas.DataFrame
        As counts for `detect`: service (``signals``), call_type (the topic), area_id, hour,
        num_calls, observed.

    Raises
    ------
    InputError
        For missing columns, columns about persons, and topics without words.

    Examples
    --------
    >>> posts = pd.DataFrame({"area_id": ["A1", "A1"], "text": ["Power cut again", "outages!"],
    ...                       "at": pd.to_datetime(["2026-03-02 10:05", "2026-03-02 10:40"])})
    >>> count_signals(posts, {"power": ["power cut", "outage*"]})[["hour", "num_calls"]].values
    array([[Timestamp('2026-03-02 10:00:00'), 2]], dtype=object)
    """
    faults = FaultList()
    for name in ("area_id", "at", "text"):
        if name not in posts.columns:
            faults.add("posts", f"no column {name!r}", "area_id, at, text")
    for name in about_persons(posts.columns):
        faults.add("posts", f"the column {name!r}", "no column about persons", "leave it out")
    for topic, words in topics.items():
        if not words or not all(str(word).strip(" *") for word in words):
            faults.add(f"topics: {topic}", "no word", "at least one keyword")
    if not topics:
        faults.add("topics", "none", "at least one topic with its keywords")
    faults.raise_if_any()
    text = posts["text"].astype("string").fillna("").str.lower()
    parts = []
    for topic, words in topics.items():
        named = text.str.contains(_pattern(words), regex=True).to_numpy(dtype=bool)
        hour = pd.to_datetime(posts.loc[named, "at"]).dt.floor("h")
        rows = pd.DataFrame({"area_id": posts.loc[named, "area_id"].astype(str), "hour": hour})
        count = rows.groupby(["area_id", "hour"]).size().rename("num_calls").reset_index()
        parts.append(count.assign(service=SERVICE, call_type=topic, observed=True))
    columns = ["service", "call_type", "area_id", "hour", "num_calls", "observed"]
    return pd.concat(parts, ignore_index=True)[columns]


def _snake(name: str) -> str:
    return re.sub(r"[\W_]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)).lower()


def _pattern(words: Sequence[str]) -> str:
    parts = []
    for word in words:
        stem = word.strip().lower()
        ending = r"\w*" if stem.endswith("*") else ""
        spaced = re.sub(r"\\? +", r"\\s+", re.escape(stem.rstrip("*").strip()))
        parts.append(rf"(?<!\w){spaced}{ending}(?!\w)")
    return "|".join(parts)
