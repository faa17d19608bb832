"""Shifts as the canonical table: a row for each stretch of a crew at one post."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList
from deploy_opt.plan.rosters.changes import row_id
from deploy_opt.plan.rosters.crew_flow import flow_crews, flow_posts
from deploy_opt.plan.rosters.local_times import real_hours
from deploy_opt.plan.rosters.make_up import crew_words
from deploy_opt.plan.rosters.roll_out import roll_out
from deploy_opt.units import HOURS_PER_DAY, HOURS_PER_WEEK, MINUTES_PER_HOUR

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from deploy_opt.plan.rosters.crew_flow import CrewFlow
    from deploy_opt.plan.rosters.roll_out import Days

SHIFT_COLUMNS = (
    "shift_id", "post_id", "area", "role", "unit", "start_local", "end_local", "tz", "headcount",
    "break_min", "status", "plan_id", "note", "crew", "leg",
)  # fmt: skip
LOCAL_FORMAT = "%Y-%m-%dT%H:%M"


@dataclass(frozen=True, slots=True)
class ShiftWords:
    """What a table of shifts says beside times and posts.

    Attributes
    ----------
    unit_type
        Type of the units.
    make_up
        People on a unit by qualification, such as ``{"paramedic": 1, "emt": 1}``.
    plan_id
        Id of the plan.
    break_min
        Meal break of a shift, min.
    area_of_post
        Post -> district or area; a post without one gives its name.
    label
        First part of the shifts' ids; empty = the unit type.
    """

    unit_type: str
    make_up: Mapping[str, int] = field(default_factory=lambda: {"crew": 2})
    plan_id: str = ""
    break_min: int = 0
    area_of_post: Mapping[str, str] = field(default_factory=dict)
    label: str = ""

    @property
    def crew_size(self) -> int:
        """People on a unit."""
        return sum(self.make_up.values())

    @property
    def role(self) -> str:
        """The qualifications of a crew: ``emt + paramedic``, ``2 emt + paramedic``, ``als``."""
        return crew_words(self.make_up)


def shifts_of_plan(  # noqa: PLR0913 - the road's facts, one each
    units: NDArray[np.int64],
    crews: pd.DataFrame,
    posts: pd.DataFrame,
    words: ShiftWords,
    *,
    start: dt.date,
    time_zone: str,
    weeks: int = 1,
    days: Days | None = None,
    move_cost: NDArray[np.float64] | None = None,
) -> pd.DataFrame:
    """Write the shifts of a plan (contract ``shifts.csv``).

    Every crew gets its posts by the least-cost flow from hour to hour; a row is a stretch at one
    post, and rows of one crew share `crew`. Summed by post and hour of the week they are the
    plan's units on duty. Where units may change every hour (all shifts last one hour), rows are
    stretches of a unit at a post instead.

    Parameters
    ----------
    units
        Units on duty, shape (hours, posts).
    crews
        start_hour (hour of the week), length_h, crews [, days in a row].
    posts
        post_id, name, in the order of the posts axis.
    words
        Unit type, people, plan id, breaks, areas.
    start
        First local day; a Monday for a week.
    time_zone
        IANA zone.
    weeks
        Weeks to roll out; more than one for a plan of a week alone.
    days
        Holidays, events and extra crews of a rolled-out period.
    move_cost
        Cost of a move between posts, shape (posts, posts); None = 1 each.

    Returns
    -------
    pandas.DataFrame
        Columns of `SHIFT_COLUMNS`, by start, then crew, then stretch.

    Raises
    ------
    InputError
        Crews that do not add up to the units on duty, wrong weeks or start.
    """
    cyclic = len(units) == HOURS_PER_WEEK
    first_hour = start.weekday() * HOURS_PER_DAY
    if len(crews) and bool((crews["length_h"] == 1).all()):
        flow = flow_posts(units, first_hour=first_hour, cyclic=cyclic)
    else:
        flow = flow_crews(units, crews, first_hour=first_hour, cyclic=cyclic, move_cost=move_cost)
    return shift_frame(flow, posts, words, start=start, time_zone=time_zone, weeks=weeks, days=days)


def shift_frame(
    flow: CrewFlow,
    posts: pd.DataFrame,
    words: ShiftWords,
    *,
    start: dt.date,
    time_zone: str,
    weeks: int = 1,
    days: Days | None = None,
) -> pd.DataFrame:
    """Date the shifts of crews with posts; arguments as `shifts_of_plan`."""
    _check_words(words)
    dated = roll_out(flow, start, time_zone, weeks=weeks, days=days)
    post_id = posts["post_id"].astype(str).to_numpy()[dated["post"].to_numpy(dtype=int)]
    names = dict(zip(posts["post_id"].astype(str), posts["name"].astype(str), strict=True))
    crew = _crew_ids(dated, words.label or words.unit_type)
    frame = pd.DataFrame(
        {
            "shift_id": [row_id(c, leg) for c, leg in zip(crew, dated["leg"], strict=True)],
            "post_id": post_id,
            "area": [words.area_of_post.get(post, names[post]) for post in post_id],
            "role": words.role,
            "unit": words.unit_type,
            "start_local": dated["start_local"].dt.strftime(LOCAL_FORMAT),
            "end_local": dated["end_local"].dt.strftime(LOCAL_FORMAT),
            "tz": time_zone,
            "headcount": words.crew_size,
            "break_min": np.where(dated["leg"] == 1, words.break_min, 0),
            "status": "open",
            "plan_id": words.plan_id,
            "note": dated["note"],
            "crew": crew,
            "leg": dated["leg"],
        }
    )
    order = ["start_local", "crew", "leg"]
    return frame.sort_values(order, kind="stable", ignore_index=True)[list(SHIFT_COLUMNS)]


def _crew_ids(dated: pd.DataFrame, label: str) -> list[str]:
    """Name whole shifts by their label, start and a number among those of the same start."""
    whole = dated[["begins", "crew", "day", "leg"]].copy()
    # extra crews have no number of their own: each of their rows is a shift
    whole["own"] = np.where(whole["crew"] < 0, np.arange(len(whole)), -1)
    key = ["begins", "crew", "own", "day"]
    once = whole[key].drop_duplicates().sort_values(key, kind="stable")
    once["number"] = once.groupby("begins").cumcount() + 1
    merged = whole.merge(once, on=key, how="left", validate="many_to_one")
    stamp = merged["begins"].dt.strftime("%Y%m%dT%H%M")
    return [f"{label}-{at}-{number}" for at, number in zip(stamp, merged["number"], strict=True)]


def _check_words(words: ShiftWords) -> None:
    faults = FaultList()
    if words.crew_size < 1 or any(number < 0 for number in words.make_up.values()):
        faults.add("make_up", str(dict(words.make_up)), "at least one person on a unit")
    if words.break_min < 0:
        faults.add("break_min", str(words.break_min), "minutes >= 0")
    faults.raise_if_any()


def whole_shifts(shifts: pd.DataFrame, posts: pd.DataFrame | None = None) -> pd.DataFrame:
    """Join the stretches of each shift to one row, for systems that hold people's shifts.

    Parameters
    ----------
    shifts
        Canonical shifts.
    posts
        post_id, name; None: posts by their ids.

    Returns
    -------
    pandas.DataFrame
        Columns of `shifts` with start and end of the whole shift as times (`start`, `end`), the
        first post (`place`) with its name (`post_name`), the last one (`end_place`), the number of
        `moves`, hours that pass (`length_h`, clock changes included), those without the break
        (`duty_h`), and the moves in the note; by start, then crew. Crews that keep a district have
        its name as their place.
    """
    names = {}
    if posts is not None:
        names = dict(zip(posts["post_id"].astype(str), posts["name"].astype(str), strict=True))
    ordered = shifts.sort_values(["crew", "leg"], kind="stable").reset_index(drop=True)
    first = ordered.drop_duplicates("crew").reset_index(drop=True)
    grouped = ordered.groupby("crew", sort=True)
    last = grouped["end_local"].last().reindex(first["crew"]).to_numpy()
    later = ordered[ordered["leg"] > 1]
    moves: dict[str, list[str]] = {}
    for crew, at, post in zip(later["crew"], later["start_local"], later["post_id"], strict=True):
        moves.setdefault(crew, []).append(f"{at[-5:]} to {names.get(str(post), str(post))}")
    first["moves"] = [len(moves.get(crew, ())) for crew in first["crew"]]
    first["start"] = pd.to_datetime(first["start_local"])
    first["end"] = pd.to_datetime(last)
    first["end_local"] = last
    first["break_min"] = grouped["break_min"].sum().reindex(first["crew"]).to_numpy()
    ends = grouped["post_id"].last().reindex(first["crew"]).astype(str).reset_index(drop=True)
    first["place"] = first["post_id"].astype(str).where(first["post_id"] != "", first["area"])
    first["end_place"] = ends.where(ends != "", first["area"])
    first["length_h"] = _hours_that_pass(first)
    first["duty_h"] = first["length_h"] - first["break_min"] / MINUTES_PER_HOUR
    first["post_name"] = [names.get(str(place), str(place)) for place in first["place"]]
    notes = grouped["note"].agg(lambda of: "; ".join(dict.fromkeys(t for t in of if t)))
    first["note"] = [
        "; ".join([part for part in (notes[crew], *_moves_words(moves.get(crew))) if part])
        for crew in first["crew"]
    ]
    return first.sort_values(["start", "crew"], kind="stable", ignore_index=True)


def _hours_that_pass(whole: pd.DataFrame) -> NDArray[np.float64]:
    passed = np.zeros(len(whole))
    for zone in sorted(set(whole["tz"])):
        of_zone = (whole["tz"] == zone).to_numpy()
        passed[of_zone] = real_hours(whole["start"][of_zone], whole["end"][of_zone], zone)
    return passed


def _moves_words(moves: list[str] | None) -> list[str]:
    return [f"moves: {', '.join(moves)}"] if moves else []
