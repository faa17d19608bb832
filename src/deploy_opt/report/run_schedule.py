"""What a run says of its shifts: crews of every service, posts, zone, holidays."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from deploy_opt.errors import InputError
from deploy_opt.report.crew_groups import (
    CrewGroup,
    canonical_shifts,
    district_and_team_groups,
    service_words,
)
from deploy_opt.rule_settings import Fleet
from deploy_opt.service_settings import CoResponders, Patrol
from deploy_opt.units import HOURS_PER_DAY

if TYPE_CHECKING:
    from pathlib import Path

    from deploy_opt.plan.rosters.roll_out import Days
    from deploy_opt.report.results import ReportInputs

_TEXTS = ("service", "unit_type", "district", "post_id")


@dataclass(frozen=True, slots=True, eq=False)
class RunSchedule:
    """What a run says about its shifts.

    Attributes
    ----------
    groups
        Crews: the ambulances', those of each patrol district, the teams'.
    start
        First local day of the plan.
    time_zone
        IANA zone.
    name
        Name of the scenario.
    country, subdivision
        Whose public holidays the scenario keeps; empty and None = none.
    """

    groups: tuple[CrewGroup, ...]
    start: dt.date
    time_zone: str
    name: str
    country: str = ""
    subdivision: str | None = None

    @property
    def posts(self) -> pd.DataFrame:
        """Posts of all groups: post_id, name."""
        both = pd.concat([group.posts for group in self.groups])
        known = both[both["post_id"] != ""]
        return known.drop_duplicates("post_id", ignore_index=True)[["post_id", "name"]]

    def shifts(self, start: dt.date, weeks: int, days: Days | None = None) -> pd.DataFrame:
        """Roll the shifts of all services out from a day on (contract ``shifts.csv``)."""
        return canonical_shifts(
            self.groups, start=start, time_zone=self.time_zone, weeks=weeks, days=days
        )


def schedule_of(inputs: ReportInputs) -> RunSchedule:
    """Gather the shifts of a run that is being written."""
    scenario, comparison, city = inputs.scenario, inputs.comparison, inputs.city
    words = service_words(
        scenario.fleet,
        scenario.patrol or Patrol(),
        scenario.coresponders or CoResponders(),
        {unit_type: role.make_up for unit_type, role in scenario.staffing.items()},
        inputs.run_id,
    )
    posts = comparison.posts
    groups = [CrewGroup("ems", comparison.plan.units, comparison.crews, posts, words["ems"])]
    if city is not None:
        names = dict(zip(posts["post_id"].astype(str), posts["name"].astype(str), strict=True))
        groups += district_and_team_groups(
            city.units, city.crews, names, words,
            hours=scenario.horizon.hours, first_hour=scenario.horizon.first_hour,
        )  # fmt: skip
    return RunSchedule(tuple(groups), scenario.horizon.start, scenario.time_zone, scenario.name)


def read_schedule(folder: Path) -> RunSchedule:
    """Read the plan and its crews from the folder of a run.

    Raises
    ------
    InputError
        A folder that is no finished run.
    """
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
        scenario: dict[str, Any] = manifest["scenario"]
        posts = pd.DataFrame(
            {"post_id": plan["posts"], "name": plan.get("post_names", plan["posts"])}, dtype=str
        )
        names = dict(zip(posts["post_id"], posts["name"], strict=True))
        words = service_words(
            Fleet.model_validate(scenario["fleet"]),
            Patrol.model_validate(scenario.get("patrol") or {}),
            CoResponders.model_validate(scenario.get("coresponders") or {}),
            {
                unit_type: role.get("make_up") or {}
                for unit_type, role in (scenario.get("staffing") or {}).items()
            },
            str(manifest["run_id"]),
        )
        crews = pd.DataFrame(plan["crews"] or {"start_hour": [], "length_h": [], "crews": []})
        units = np.asarray(plan["units_by_hour_and_post"], dtype=np.int64)
        start = dt.date.fromisoformat(scenario["horizon"]["start"])
        groups = [CrewGroup("ems", units, crews, posts, words["ems"])]
        if (folder / "service_posts.csv").is_file():
            placed, staffed = (
                pd.read_csv(
                    folder / f"service_{name}.csv", dtype=dict.fromkeys(_TEXTS, str),
                    keep_default_na=False,
                )
                for name in ("posts", "crews")
            )  # fmt: skip
            groups += district_and_team_groups(
                placed, staffed, names, words,
                hours=len(units), first_hour=start.weekday() * HOURS_PER_DAY,
            )  # fmt: skip
        holidays = (scenario.get("inputs") or {}).get("holidays") or {}
        return RunSchedule(
            tuple(groups),
            start,
            str(scenario["time_zone"]),
            str(scenario["name"]),
            str(holidays.get("country", "")),
            holidays.get("subdivision"),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        found = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        raise InputError.of(str(folder), found, "the folder of a finished run") from None
