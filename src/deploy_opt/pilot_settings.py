"""Settings of a pilot, written down before it runs: what decides, where, for how long."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import Field, model_validator

from deploy_opt.input_settings import Id, PositiveFloat, Section

Outcome = Literal[
    "mean_response_s",
    "p90_response_s",
    "late_share",
    "worst_area_p90_s",
    "late_first_priority",
    "busy_share",
]
LivePlan = Literal["switchback", "interrupted", "stepped_wedge"]


class LivePilot(Section):
    """How a pilot with real units runs and what it watches."""

    design: LivePlan | None = None
    """switchback (days take turns), interrupted (one day on which the plan starts, with a control
    district) or stepped_wedge (districts start one after another); default: the command says."""
    start: dt.date | None = None
    """First local day of the schedule; default: the scenario's horizon.start."""
    delta: PositiveFloat | None = None
    """Difference of the primary outcome that must not be missed; default: 5 % of today's value."""
    sd: PositiveFloat | None = None
    """Standard deviation of the primary outcome's mean of a day about its weekday; default: of the
    records."""
    washout_h: float = Field(1.0, ge=0, le=24)
    """Hours left out after each change of plan; at least two mean service times."""
    level: float = Field(0.05, gt=0, lt=0.5)
    """Two-sided level of the test."""
    power: float = Field(0.8, gt=0.5, lt=1)
    """Chance to show a difference of `delta`."""
    harm_ratio: float = Field(1.5, gt=1, le=10)
    """Rise of late calls of the first priority that the harm bound is built to find soonest."""
    harm_false_alarm_days: float = Field(365.0, ge=365, le=36500)
    """Mean days between false alarms of the harm bound; a year at least."""


class Pilot(Section):
    """A trial of the plan before anyone moves: what is compared and what decides."""

    start: dt.date | None = None
    """First local day replayed; nothing after it is learnt from. A Monday, where the plan is a
    week; default: the Monday that leaves `weeks` whole weeks of records."""
    weeks: int = Field(12, ge=2, le=520)
    """Weeks replayed."""
    primary: Outcome = "mean_response_s"
    """The outcome in which the plan must be better."""
    guard: Outcome = "worst_area_p90_s"
    """The outcome in which the plan must not be worse by more than `margin`."""
    margin: float = Field(30.0, ge=0)
    """In the unit of `guard`."""
    fewest_calls: int = Field(10, ge=1)
    """An area counts for worst_area_p90_s in weeks with at least this many calls."""
    mean_block_weeks: float = Field(2.0, ge=1, le=8)
    """Mean length of a block of the bootstrap."""
    districts: str | None = None
    """Groups of areas that are told apart: table area_id, district, or polygons; default:
    districts.today, else the city as a whole."""
    tried_in: tuple[Id, ...] = ()
    """Districts in which the plan stands: their posts share the unit-hours that they have today;
    all other posts keep today's units, hour by hour, and their districts are neighbours. Default:
    the plan stands in the whole city."""
    neighbour_weight: float = Field(1.0, ge=0, le=1)
    """What a call of another district is worth in the plan of the districts of `tried_in`, as a
    share of a call of their own. 1: it makes the most of the calls of the whole city, as the plan
    of the city does; 0: of its own calls, whatever becomes of the neighbours."""
    live: LivePilot = LivePilot()
    """How a pilot with real units runs."""

    @model_validator(mode="after")
    def _two_outcomes(self) -> Pilot:
        if self.primary == self.guard:
            msg = "two outcomes, one primary and another as guard"
            raise ValueError(msg)
        return self
