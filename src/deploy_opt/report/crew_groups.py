"""The crews of every service with the posts or the district that they keep."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList
from deploy_opt.plan.rosters.make_up import usual_make_up
from deploy_opt.plan.rosters.roll_out import Days
from deploy_opt.report.shift_tables import SHIFT_COLUMNS, ShiftWords, shifts_of_plan
from deploy_opt.units import HOURS_PER_WEEK

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from deploy_opt.rule_settings import Fleet
    from deploy_opt.service_settings import CoResponders, Patrol

WHOLE_CITY = "city"
"""Area of the teams, which answer calls everywhere."""


@dataclass(frozen=True, slots=True, eq=False)
class CrewGroup:
    """Crews that share posts: those of a unit type, or of one patrol district.

    Attributes
    ----------
    service
        The service.
    units
        Units on duty, shape (hours, posts).
    crews
        start_hour (of the week), length_h, crews.
    posts
        post_id, name, in the order of the posts axis. Patrols have one row, their district,
        without an id: where they wait inside it is in ``service_posts.csv``.
    words
        Unit type, people, breaks, plan id.
    district
        District that the crews keep; empty = none.
    """

    service: str
    units: NDArray[np.int64]
    crews: pd.DataFrame
    posts: pd.DataFrame
    words: ShiftWords
    district: str = ""

    @property
    def unit_type(self) -> str:
        """Type of the units."""
        return self.words.unit_type

    @property
    def key(self) -> tuple[str, str]:
        """Unit type and district; each group of a plan has its own."""
        return self.unit_type, self.district

    @property
    def name(self) -> str:
        """Unit type, and the district where there is one."""
        return f"{self.unit_type} {self.district}".strip()

    @property
    def hourly(self) -> bool:
        """Whether units come and go at any hour, so that there are no shifts."""
        return bool(len(self.crews) and (self.crews["length_h"] == 1).all())


def service_words(
    fleet: Fleet,
    patrol: Patrol,
    teams: CoResponders,
    make_up: Mapping[str, Mapping[str, int]],
    plan_id: str,
) -> dict[str, ShiftWords]:
    """Say by service who is on a unit and how long its meal break is.

    Parameters
    ----------
    fleet, patrol, teams
        Sections of the scenario.
    make_up
        Unit type -> people by qualification, where the scenario names them.
    plan_id
        Id of the plan.
    """
    usual = {
        "ems": (fleet.unit_type, usual_make_up(fleet.unit_type, fleet.crew_size)),
        "police": (patrol.unit_type, {"officer": patrol.crew_size}),
        "coresponse": (teams.unit_type, {"clinician": teams.people}),
    }
    breaks = {
        "ems": fleet.meal_break_min,
        "police": patrol.meal_break_min,
        "coresponse": teams.meal_break_min,
    }
    return {
        service: ShiftWords(
            unit_type, dict(make_up.get(unit_type) or people), plan_id, round(breaks[service])
        )
        for service, (unit_type, people) in usual.items()
    }


def district_and_team_groups(
    units: pd.DataFrame,
    crews: pd.DataFrame,
    names: Mapping[str, str],
    words: Mapping[str, ShiftWords],
    *,
    hours: int,
    first_hour: int,
) -> tuple[CrewGroup, ...]:
    """Group the crews of patrols by district and those of teams by unit type.

    Parameters
    ----------
    units
        Contract ``service_posts.csv``: service, unit_type, district, hour (of the week), post_id,
        units. Ambulances are left out: their posts are in ``posts.csv``.
    crews
        Contract ``service_crews.csv``: service, unit_type, district, start_hour, length_h
        [, days in a row], crews.
    names
        Post -> name; a post without one goes by its id.
    words
        Service -> people and breaks.
    hours, first_hour
        Length of the plan, h, and its first hour of the week.

    Returns
    -------
    tuple of CrewGroup
        By service, unit type and district.
    """
    keys = ["service", "unit_type", "district"]
    placed, staffed = (
        table[table["service"] != "ems"].assign(
            district=table["district"].fillna("").astype(str), unit_type=table["unit_type"]
        )
        for table in (units, crews)
    )
    mine = dict(iter(staffed.groupby(keys, sort=True)))
    found = []
    for (service, unit_type, district), rows in placed.groupby(keys, sort=True):
        hour = (rows["hour"].to_numpy(dtype=np.int64) - first_hour) % HOURS_PER_WEEK
        where = pd.Series("", index=rows.index) if district else rows["post_id"].astype(str)
        post, post_ids = pd.factorize(where, sort=True)
        on_duty = np.zeros((hours, len(post_ids)), dtype=np.int64)
        np.add.at(on_duty, (hour, post), rows["units"].to_numpy(dtype=np.int64))
        said = words[str(service)]
        found.append(
            CrewGroup(
                str(service),
                on_duty,
                mine.get((service, unit_type, district), staffed.iloc[:0])
                .filter(["start_hour", "length_h", "days", "crews"])
                .reset_index(drop=True),
                pd.DataFrame(
                    {
                        "post_id": post_ids,
                        "name": [names.get(p, p) if p else district for p in post_ids],
                    }
                ),
                replace(
                    said,
                    unit_type=str(unit_type),
                    area_of_post=dict.fromkeys(post_ids, district or WHOLE_CITY),
                    label=f"{unit_type}-{district}" if district else "",
                ),
                district,
            )
        )
    return tuple(found)


def canonical_shifts(
    groups: Sequence[CrewGroup],
    *,
    start: dt.date,
    time_zone: str,
    weeks: int = 1,
    days: Days | None = None,
) -> pd.DataFrame:
    """Write the shifts of every service in one table (contract ``shifts.csv``).

    Each group's crews get their posts by the least-cost flow by themselves, so a patrol crew
    stays in its district, which is the area of its shifts; a team's area is the whole city.

    Parameters
    ----------
    groups
        Crews of all services.
    start
        First local day.
    time_zone
        IANA zone.
    weeks, days
        See `shifts_of_plan`; extra crews go to the group of their unit and area.

    Returns
    -------
    pandas.DataFrame
        Columns of `shift_tables.SHIFT_COLUMNS`, by start, then crew, then stretch.

    Raises
    ------
    InputError
        Crews that do not add up to the units on duty, wrong weeks or start.
    """
    special = days or Days()
    _check_extra(groups, special)
    parts = [
        shifts_of_plan(
            group.units, group.crews, group.posts, group.words,
            start=start, time_zone=time_zone, weeks=weeks,
            days=replace(
                special, extra=tuple(e for e in special.extra if (e.unit, e.area) == group.key)
            ),
        )
        for group in groups
    ]  # fmt: skip
    parts = [part for part in parts if len(part)]
    if not parts:
        return pd.DataFrame(columns=list(SHIFT_COLUMNS))
    joined = pd.concat(parts, ignore_index=True)
    return joined.sort_values(["start_local", "crew", "leg"], kind="stable", ignore_index=True)


def _check_extra(groups: Sequence[CrewGroup], special: Days) -> None:
    faults = FaultList()
    known = {group.key: len(group.posts) for group in groups}
    for extra in special.extra:
        if not 0 <= extra.post < known.get((extra.unit, extra.area), 0):
            found = f"{extra.unit} {extra.area}".strip() + f", post {extra.post}"
            names = ", ".join(group.name for group in groups)
            faults.add(f"extra: {extra.reason}", found, f"a post of one of {names}")
    faults.raise_if_any()
