"""A pilot in some districts: which posts are theirs, and the record that only these changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.errors import InputError
from deploy_opt.inputs.areas import locate_points

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from deploy_opt.inputs.areas import Areas

NO_DISTRICT = "no district"


@dataclass(frozen=True, slots=True, eq=False)
class TrialArea:
    """The districts of a pilot and their posts.

    Attributes
    ----------
    names
        Districts in which the plan stands.
    district_of
        District of each post, by the area it stands in; ``no district`` where it stands in none.
        Shape (posts,), object.
    inside
        Whether a post is one of the pilot's, shape (posts,).
    """

    names: tuple[str, ...]
    district_of: NDArray[np.object_]
    inside: NDArray[np.bool_]

    @property
    def words(self) -> str:
        """The districts in words."""
        return ", ".join(self.names)


@dataclass(frozen=True, slots=True)
class TrialPost:
    """A post of the pilot's districts: unit-hours in the plan's horizon and most units at once."""

    post_id: str
    name: str
    district: str
    unit_hours_today: int
    unit_hours_plan: int
    most_today: int
    most_plan: int


@dataclass(frozen=True, slots=True)
class DistrictHours:
    """Unit-hours of a district's posts in the plan's horizon, today and under the plan."""

    district: str
    in_pilot: bool
    num_posts: int
    unit_hours_today: int
    unit_hours_plan: int


@dataclass(frozen=True, slots=True)
class TrialRecord:
    """What changes in a pilot and what does not, in the plan's horizon.

    Attributes
    ----------
    districts
        Districts in which the plan stands.
    posts
        Their posts.
    hours
        Unit-hours by district, those of the pilot first.
    unit_hours_inside, unit_hours_outside
        Unit-hours at the posts of the pilot's districts and at all others; the same in both plans.
    num_posts_outside
        Posts with units outside, which stand as today hour by hour.
    covers_city
        Whether every post lies in the districts, so that the plan is the whole city's.
    horizon_hours
        Hours of the plan.
    hours_changed
        Hours in which other numbers of units are on duty inside than today.
    """

    districts: tuple[str, ...]
    posts: tuple[TrialPost, ...]
    hours: tuple[DistrictHours, ...]
    unit_hours_inside: int
    unit_hours_outside: int
    num_posts_outside: int
    covers_city: bool
    horizon_hours: int
    hours_changed: int


def trial_area(
    names: Sequence[str],
    posts: pd.DataFrame,
    areas: Areas,
    of_area: Mapping[str, str],
    today: NDArray[np.int64],
) -> TrialArea:
    """Find the posts of a pilot's districts.

    Parameters
    ----------
    names
        Districts in which the plan stands.
    posts
        lon, lat; row order is the posts axis.
    areas
        The areas.
    of_area
        District of each area that has one.
    today
        Units today, shape (hours, posts).

    Returns
    -------
    TrialArea

    Raises
    ------
    InputError
        Where the districts have no post, or no unit today; names those that have.
    """
    lon, lat = (posts[name].to_numpy(dtype=np.float64) for name in ("lon", "lat"))
    places = locate_points(areas, lon, lat)
    district_of = np.array([of_area.get(str(area), NO_DISTRICT) for area in places], dtype=object)
    found = TrialArea(tuple(names), district_of, np.isin(district_of.astype(str), list(names)))
    if today[:, found.inside].any():
        return found
    inside = int(found.inside.sum())
    lacks = f"no unit today at its {inside} posts" if inside > 1 else "no unit today at its post"
    lacks = lacks if inside else "no post"
    by_name = {
        str(name): int(today[:, district_of == name].sum())
        for name in sorted(set(district_of.tolist()) - {NO_DISTRICT})
    }
    have = [f"{name} ({hours:,} unit-hours)" for name, hours in by_name.items() if hours]
    expected = f"a district with units today: {', '.join(have) or 'none has any'}"
    do = "name one of them, or try the plan in the whole city (--whole-city)"
    raise InputError.of("pilot.tried_in", f"{found.words}: {lacks}", expected, do)


def record_trial(
    area: TrialArea,
    posts: pd.DataFrame,
    plan: NDArray[np.int64],
    today: NDArray[np.int64],
) -> TrialRecord:
    """Write down what a pilot changes, and see that nothing else changed.

    Parameters
    ----------
    area
        The districts and their posts.
    posts
        post_id, name; row order is the posts axis.
    plan, today
        Units, shape (hours, posts).

    Returns
    -------
    TrialRecord

    Raises
    ------
    InputError
        Where units outside differ in any hour, or unit-hours inside.
    """
    outside = ~area.inside
    moved = np.argwhere(plan[:, outside] != today[:, outside])
    if moved.size:
        found = f"other units outside {area.words} in {len(np.unique(moved[:, 0]))} hours"
        raise InputError.of("pilot: plan", found, "today's units there, hour by hour")
    ours, theirs = int(plan[:, area.inside].sum()), int(today[:, area.inside].sum())
    if ours != theirs:
        found = f"{ours:,} unit-hours in {area.words} against {theirs:,} today"
        do = (
            "let the shifts make up the district's hours (shifts.lengths_h, shifts.starts_h, "
            "capacities of its posts), or try a plan of your own with --plan"
        )
        raise InputError.of("pilot: unit-hours", found, "the same unit-hours inside", do)
    in_pilot = [name for name in area.names if (area.district_of == name).any()]
    others = sorted({str(name) for name in area.district_of[outside]})
    hours = []
    for name in (*in_pilot, *others):
        own = area.district_of == name
        sums = (int(today[:, own].sum()), int(plan[:, own].sum()))
        hours.append(DistrictHours(name, name in in_pilot, int(own.sum()), *sums))
    changed = plan[:, area.inside].sum(axis=1) != today[:, area.inside].sum(axis=1)
    return TrialRecord(
        districts=area.names,
        posts=tuple(
            _post(area, posts, plan, today, row) for row in np.flatnonzero(area.inside).tolist()
        ),
        hours=tuple(hours),
        unit_hours_inside=theirs,
        unit_hours_outside=int(today[:, outside].sum()),
        num_posts_outside=int(today[:, outside].any(axis=0).sum()),
        covers_city=bool(area.inside.all()),
        horizon_hours=len(today),
        hours_changed=int(changed.sum()),
    )


def _post(
    area: TrialArea,
    posts: pd.DataFrame,
    plan: NDArray[np.int64],
    today: NDArray[np.int64],
    row: int,
) -> TrialPost:
    return TrialPost(
        str(posts["post_id"].iloc[row]),
        str(posts["name"].iloc[row]),
        str(area.district_of[row]),
        int(today[:, row].sum()),
        int(plan[:, row].sum()),
        int(today[:, row].max()),
        int(plan[:, row].max()),
    )
