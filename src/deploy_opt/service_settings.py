"""Districts, patrols, co-responders, responders by tier, and the budget that services share."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from deploy_opt.audit_settings import OtherSign
from deploy_opt.input_settings import Id, PositiveFloat, Section, Service, Share
from deploy_opt.responder_settings import ResponderMix
from deploy_opt.rule_settings import Shifts
from deploy_opt.staff_settings import FollowUp
from deploy_opt.staffing import PAID_HOURS, SEATTLE_RELIEF, Formula, FteTerms

HourOfDay = Annotated[int, Field(ge=0, le=24)]


class Districts(Section):
    """Patrol districts: connected areas of like workload with little travel."""

    num_districts: int | None = Field(None, ge=2)
    """Number of districts; default: as many as today."""
    today: str | None = None
    """Today's districts: table area_id, district, or polygons (GeoJSON, GeoPackage)."""
    today_column: str | None = None
    """Column of the districts' names in `today`; default: district, beat, sector or name."""
    band: float = Field(0.05, gt=0, le=1)
    """Workload of a district may differ from the mean by this share, above or below."""
    max_spread: float | None = Field(None, gt=0, le=1)
    """Largest minus smallest workload, as a share of the mean, at most; instead of `band`."""
    max_moved: int | None = Field(None, ge=0)
    """Most areas that change district; default: any number."""
    moved_steps: tuple[Annotated[int, Field(ge=1)], ...] = ()
    """Numbers of changes that the curve of least disruption shows; default: five up to a third
    of the areas."""
    locked: dict[Id, Id] = {}
    """Area -> name of the district that it must have."""
    compactness: float = Field(1.0, ge=0, le=100)
    """Weight of short borders: 1 = all of today's borders are worth 5 % of today's travel;
    0 = travel alone."""
    links: tuple[tuple[Id, Id], ...] = ()
    """Pairs of areas that patrols can cross between though they share no border: bridges."""
    self_initiated: bool = False
    """Count what officers start themselves as workload."""
    shifts: dict[str, tuple[HourOfDay, HourOfDay]] = {
        "day": (7, 15), "evening": (15, 23), "night": (23, 7),
    }  # fmt: skip
    """Name -> first clock hour and the hour after the last; together they hold the day once."""
    by_shift: bool = False
    """Draw districts of their own for each shift; default: one plan, its loads told by shift."""
    prove: bool = True
    """Work out a bound on the travel of any districts within the rules."""

    @field_validator("shifts")
    @classmethod
    def _a_whole_day(cls, value: dict[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
        hours = [
            (begin + k) % 24
            for begin, end in value.values()
            for k in range((end - begin - 1) % 24 + 1)
        ]
        if sorted(hours) != list(range(24)):
            msg = (
                "shifts that hold each hour of the day once, such as {day: [7, 19], night: [19, 7]}"
            )
            raise ValueError(msg)
        if any(not re.fullmatch(r"[\w-]+", name) for name in value):
            msg = "names of letters, digits, - and _, as files are named by them"
            raise ValueError(msg)
        return value

    @model_validator(mode="after")
    def _districts_agree(self) -> Districts:
        wrong = []
        if self.num_districts is None and self.today is None:
            wrong.append("num_districts, or today's districts")
        if self.max_moved is not None and self.today is None:
            wrong.append("today's districts, as max_moved counts changes of them")
        if self.max_spread is not None and "band" in self.model_fields_set:
            wrong.append("one of band and max_spread")
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    @property
    def half_band(self) -> float:
        """Share of the mean by which a district may differ: `band`, or half of `max_spread`."""
        return self.band if self.max_spread is None else self.max_spread / 2


class PoliceWeight(Section):
    """How far police counts decide where patrols go, checked against signs police did not record.

    The weight is at_most times the mean rank correlation of the areas' public calls to police with
    the signs, no less than 0; the signs have the rest.
    """

    signs: tuple[OtherSign, ...] = Field(min_length=1)
    """Aid runs, 311 requests, rates of a survey by area."""
    at_most: Share = 1.0
    """Weight where the signs rank the areas as police counts do."""


class Patrol(Section):
    """Patrol units. Each crew keeps its district for the shift."""

    unit_type: str = "patrol"
    """Type of the units."""
    districts: str | None = None
    """Table area_id, district; default: districts.today."""
    unit_hours_per_week: float | None = Field(None, gt=0)
    """Unit-hours that the plan may use in its horizon; default: as many as today's patrols, or
    where those are not known the fewest with which whole crews keep the need of every district
    and hour."""
    today: str | None = None
    """Today's patrols: a table hour, district, units, or a shifts.csv whose area is the district;
    default: rows of `unit_type` in baseline.roster, if it has any."""
    busy_cap: float = Field(0.60, gt=0, le=0.95)
    """Cap on the mean busy fraction of a district's units in an hour."""
    min_units: int = Field(1, ge=0)
    """Fewest units of a district at any hour."""
    max_units: int | None = Field(None, ge=1)
    """Most units of a district at any hour."""
    help_share: Share = 0.5
    """Share of the calls without a free unit of their own district that a neighbour's free unit
    is sent to; counts in the value, never in the roster."""
    urgent_response_s: float = Field(420.0, gt=0, le=7200)
    """Response target of the most urgent priority, from queue to arrival, s."""
    urgent_share: Share | None = 0.9
    """Least share of those calls within the target; null: their mean response keeps it."""
    officer_min_per_h: float | None = Field(None, ge=0, lt=60)
    """Minutes of each unit-hour for what officers start themselves; default: as recorded."""
    priority_weights: tuple[PositiveFloat, ...] = Field((1.0, 0.4, 0.2), min_length=1)
    """Worth of a call by priority, most urgent first; the last holds for all further ones."""
    police_weight: PoliceWeight | None = None
    """Cap on the weight of police counts; default: the forecast of police calls alone."""
    shifts: Shifts = Shifts(lengths_h=(8, 10))
    """Shift starts and lengths."""
    crew_size: int = Field(1, ge=1, le=4)
    """Officers on a unit."""
    meal_break_min: float = Field(0.0, ge=0, le=120)
    """Meal break of a shift, min: stands in the schedule and lowers its hours on duty."""
    cost_per_unit_hour: float = Field(1.0, gt=0)
    """Money that one unit-hour costs, in the currency of the budget."""


class CoResponders(Section):
    """Co-responder teams, which need a patrol beside them, and their full-time staff."""

    unit_type: str = "coresponder"
    """Type of the units."""
    tiers: tuple[Annotated[int, Field(ge=1, le=4)], ...] = (2, 3)
    """Tiers that a team answers."""
    unit_hours_per_week: float | None = Field(None, gt=0)
    """Unit-hours that the plan may use in its horizon; default: what the floors ask for."""
    busy_cap: float = Field(0.50, gt=0, le=0.95)
    """Cap on the mean busy fraction of the teams in an hour."""
    min_teams: int = Field(1, ge=0)
    """Teams that are always on duty."""
    max_teams: int | None = Field(None, ge=1)
    """Most teams at any hour."""
    prompt_share: float | None = Field(None, gt=0, lt=1)
    """Least share of the calls that a team starts within prompt_wait_min; none: not asked."""
    prompt_wait_min: float = Field(15.0, ge=0, le=240)
    """Longest wait that counts as prompt, min."""
    patrol_min: float = Field(0.0, ge=0, le=480)
    """Minutes that a call commits a patrol beside the team."""
    shifts: Shifts = Shifts(lengths_h=(8, 10))
    """Shift starts and lengths."""
    people: int = Field(1, ge=1, le=6)
    """Clinicians of a team; the officer beside them is the patrol's."""
    meal_break_min: float = Field(0.0, ge=0, le=120)
    """Break of each shift in which the team takes no call."""
    follow_up: FollowUp | None = None
    """Work after the calls that may wait: placed where teams on duty have room under `busy_cap`;
    where room is missing, more teams are asked for."""
    formula: Formula = "relief_factor"
    """How hours become full-time staff."""
    relief_factor: float = Field(SEATTLE_RELIEF, ge=1, le=10)
    """Paid people per person on duty."""
    paid_hours: float = Field(PAID_HOURS, gt=0, le=8760)
    """Paid hours of one full-time post, h a year."""
    unavailable_hours: float = Field(0.0, ge=0)
    """Leave, training and other paid hours away, h a year; for the net_hours formula."""
    cost_per_unit_hour: float = Field(1.0, gt=0)
    """Money that one unit-hour costs, in the currency of the budget."""

    @property
    def terms(self) -> FteTerms:
        """How hours become staff."""
        return FteTerms(self.formula, self.relief_factor, self.paid_hours, self.unavailable_hours)

    @property
    def available(self) -> float:
        """Share of the shortest shift without its break."""
        return 1.0 - self.meal_break_min / (60.0 * self.shifts.shortest_h)

    @model_validator(mode="after")
    def _time_away(self) -> CoResponders:
        if self.unavailable_hours >= self.paid_hours:
            msg = "unavailable_hours below paid_hours"
            raise ValueError(msg)
        return self


class Risk(Section):
    """Tiers of call types and who answers them."""

    tiers: str | None = None
    """Table call_type, tier (or tier_final, as ``deploy-opt tiers`` writes call_types.csv)."""
    mix: ResponderMix = ResponderMix()
    """Who answers each tier."""


class Budget(Section):
    """Money of the week and what a call of each service is worth."""

    shared: bool = False
    """Whether services may trade hours under one budget."""
    money_per_week: float | None = Field(None, gt=0)
    """The shared budget; default: the sum of what the services may use by themselves."""
    weights: dict[Service, PositiveFloat] = {}
    """Worth of a call that is reached in time, by service; 1 where it is not named. Policy."""
