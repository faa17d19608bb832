"""Co-responder teams: the floors of their staffing, the calls they share with patrols, their FTE.

A co-responder call needs a team and a patrol beside it. What the staffing must keep is known before
any plan: enough teams for the work, for the posts that are always filled, and for calls to be
started promptly. All three are floors of the crew master, so that the FTE reported are those of the
plan.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList
from deploy_opt.plan.fte import fte_row
from deploy_opt.plan.joint.question import CallClass
from deploy_opt.plan.rules import units_for_cap
from deploy_opt.staffing import SEATTLE_TERMS, FteTerms, positions_for_wait
from deploy_opt.units import MINUTES_PER_HOUR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from deploy_opt.plan.follow_up import FollowUpCrews
    from deploy_opt.plan.joint.question import Layer

Binding = Literal["workload", "minimum_posts", "queueing", "coverage"]


@dataclass(frozen=True, slots=True, eq=False)
class TeamFloors:
    """Fewest teams on duty by what asks for them.

    Attributes
    ----------
    load
        Teams busy on average, erlangs, shape (hours,).
    workload
        Teams whose mean busy fraction keeps the cap, shape (hours,).
    minimum_posts
        Teams that are always there, shape (hours,).
    queueing
        Teams that start enough calls promptly, shape (hours,); zeros where that is not asked.
    follow_up_h
        Team-hours of follow-up work, done at any of its hours.
    """

    load: NDArray[np.float64]
    workload: NDArray[np.int64]
    minimum_posts: NDArray[np.int64]
    queueing: NDArray[np.int64]
    follow_up_h: float = 0.0

    @property
    def needed(self) -> NDArray[np.int64]:
        """Fewest teams that keep all floors, shape (hours,)."""
        return np.asarray(np.maximum.reduce([self.workload, self.minimum_posts, self.queueing]))

    @property
    def named(self) -> tuple[tuple[str, NDArray[np.int64]], ...]:
        """List the floors for `UnitType.floors`."""
        floors = (
            ("teams for the workload", self.workload),
            ("teams that are always there", self.minimum_posts),
            ("teams for a prompt start", self.queueing),
        )
        return tuple((words, units) for words, units in floors if units.any())


def team_floors(
    calls_per_h: NDArray[np.float64],
    busy_h: float,
    *,
    busy_cap: float = 0.5,
    min_teams: int = 0,
    prompt_share: float | None = None,
    prompt_wait_min: float = 15.0,
    available: float = 1.0,
) -> TeamFloors:
    """Work out the fewest teams of every hour.

    Parameters
    ----------
    calls_per_h
        Eligible calls of each hour, shape (hours,).
    busy_h
        Hours that a call commits a team.
    busy_cap
        Highest mean busy fraction.
    min_teams
        Teams that are always on duty.
    prompt_share, prompt_wait_min
        Least share of the calls that a team must start within so many minutes (Erlang C of each
        hour by itself, see `positions_for_wait`); None: not asked.
    available
        Share of a shift without meal breaks: more teams are then on duty.

    Raises
    ------
    InputError
        For shares outside 0..1, in words.

    Examples
    --------
    >>> floors = team_floors(np.array([0.2, 1.0]), 1.5, min_teams=1, prompt_share=0.8)
    >>> floors.workload.tolist(), floors.minimum_posts.tolist(), floors.queueing.tolist()
    ([1, 3], [1, 1], [2, 3])
    """
    faults = FaultList()
    for name, share in (("busy_cap", busy_cap), ("available", available)):
        if not 0 < share <= 1:
            faults.add(name, f"{share:g}", "a share above 0, at most 1")
    if prompt_share is not None and not 0 <= prompt_share < 1:
        faults.add("prompt_share", f"{prompt_share:g}", "a share of at least 0, below 1")
    if min_teams < 0:
        faults.add("min_teams", str(min_teams), "a number of at least 0")
    faults.raise_if_any()
    load = np.asarray(calls_per_h, dtype=np.float64) * busy_h
    prompt = np.zeros(len(load), dtype=np.int64)
    if prompt_share is not None:
        wait_h = prompt_wait_min / MINUTES_PER_HOUR
        needed = {
            value: positions_for_wait(value, service_h=busy_h, wait_h=wait_h, share=prompt_share)
            for value in np.unique(load).tolist()
        }
        prompt = np.array([needed[value] for value in load.tolist()], dtype=np.int64)

    def on_duty(at_work: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.ceil(at_work / available - 1e-9).astype(np.int64)

    return TeamFloors(
        load=load,
        workload=on_duty(units_for_cap(load, busy_cap) if busy_cap < 1 else np.ceil(load)),
        minimum_posts=np.full(len(load), min_teams, dtype=np.int64),
        queueing=on_duty(prompt),
    )


def with_follow_up(floors: TeamFloors, crews: FollowUpCrews) -> TeamFloors:
    """Raise the workload's floor to teams that have room for the work that follows calls."""
    workload = np.maximum(floors.workload, crews.teams)
    hours = float(crews.placed_h.sum()) + crews.missed_h
    return replace(floors, workload=workload, follow_up_h=hours)


def paired_class(
    name: str,
    rates: NDArray[np.float64],
    partner_there: NDArray[np.float64],
    *,
    busy_h: float,
    team_type: str,
    layers: Sequence[Layer],
    weight: float = 1.0,
) -> CallClass:
    """Make the class of calls that need a patrol of another pool beside the team.

    A call counts when a team reaches it in time and a patrol is there: the product of both
    chances, the patrols' taken from their own plan. It commits the team either way.

    Parameters
    ----------
    name
        Name in reports.
    rates
        Expected calls per hour, shape (areas, hours).
    partner_there
        Chance that a patrol reaches a call of the area within its limit, shape (areas, hours).
    busy_h
        Hours that a call commits a team.
    team_type
        Unit type of the teams.
    layers, weight
        As `CallClass`.
    """
    return CallClass(
        name,
        rates * partner_there,
        busy_h,
        (team_type,),
        tuple(layers),
        weight,
        committing=rates,
    )


def team_fte(
    floors: TeamFloors,
    on_duty: NDArray[np.int64],
    *,
    people: int = 2,
    terms: FteTerms = SEATTLE_TERMS,
    role: str = "coresponder",
    tier: str = "2, 3",
) -> pd.DataFrame:
    """Turn floors and the plan's teams into full-time staff.

    Parameters
    ----------
    floors
        Of `team_floors`.
    on_duty
        Teams on duty in the plan, shape (hours,).
    people
        People of this role in a team.
    terms
        How hours become staff; paid hours count, breaks included.
    role, tier
        Labels of the row.

    Returns
    -------
    pandas.DataFrame
        One row with the columns of ``fte.csv``: workload_fte (hours of work alone, follow-up
        included), minimum_posts_fte, queueing_fte, and fte, those of the plan; binding names the
        largest floor, or coverage where the plan has more than any floor asks for.
    """
    row = fte_row(
        "coresponse",
        role,
        tier,
        work_h=float(floors.load.sum()) + floors.follow_up_h,
        floors_h={
            "workload": float(floors.workload.sum()),
            "minimum_posts": float(floors.minimum_posts.sum()),
            "queueing": float(floors.queueing.sum()),
        },
        needed_h=float(floors.needed.sum()),
        planned_h=float(on_duty.sum()),
        hours=len(floors.load),
        people=people,
        terms=terms,
    )
    return pd.DataFrame([row])
