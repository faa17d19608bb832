"""Police, co-responders and the budget that services share."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from deploy_opt.input_settings import PositiveFloat, Section, Service, Share
from deploy_opt.rule_settings import Shifts
from deploy_opt.staffing import PAID_HOURS, SEATTLE_RELIEF, Formula, FteTerms


class Patrol(Section):
    """Patrol units. Each crew keeps its district for the shift."""

    unit_type: str = "patrol"
    """Type of the units, as in the roster."""
    districts: str | None = None
    """Table area_id, district; default: districts.today."""
    unit_hours_per_week: float | None = Field(None, gt=0)
    """Unit-hours that the plan may use; default: today's roster of this type, else what the
    need of every district and hour asks for."""
    busy_cap: float = Field(0.60, gt=0, le=0.95)
    """Cap on the mean busy fraction of a district's units in an hour."""
    min_units: int = Field(1, ge=0)
    """Fewest units of a district at any hour."""
    max_units: int | None = Field(None, ge=1)
    """Most units of a district at any hour."""
    help_share: Share = 0.25
    """Share of the neighbours' free units that counts as help across the border."""
    urgent: tuple[Annotated[int, Field(ge=1, le=9)], ...] = (1,)
    """Priorities that the response target is about."""
    urgent_response_s: float = Field(420.0, gt=0, le=7200)
    """Mean response to urgent calls that each district should keep, waiting and drive, s."""
    officer_min_per_h: float = Field(0.0, ge=0, le=60)
    """Minutes of each unit-hour for what officers start themselves."""
    shifts: Shifts = Shifts(lengths_h=(8, 10))
    """Shift starts and lengths."""
    crew_size: int = Field(1, ge=1, le=4)
    """Officers on a unit."""
    cost_per_unit_hour: float = Field(1.0, gt=0)
    """Money that one unit-hour costs, in the currency of the budget."""


class CoResponders(Section):
    """Co-responder teams, which need a patrol beside them, and their full-time staff."""

    unit_type: str = "coresponder"
    """Type of the units."""
    tiers: tuple[Annotated[int, Field(ge=1, le=4)], ...] = (2, 3)
    """Tiers that a team answers."""
    unit_hours_per_week: float | None = Field(None, gt=0)
    """Unit-hours that the plan may use; default: what the floors ask for."""
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
        return 1.0 - self.meal_break_min / (60.0 * min(self.shifts.lengths_h))

    @model_validator(mode="after")
    def _time_away(self) -> CoResponders:
        if self.unavailable_hours >= self.paid_hours:
            msg = "unavailable_hours below paid_hours"
            raise ValueError(msg)
        return self


class Budget(Section):
    """Money of the week and what a call of each service is worth."""

    shared: bool = False
    """Whether services may trade hours under one budget."""
    money_per_week: float | None = Field(None, gt=0)
    """The shared budget; default: the sum of what the services may use by themselves."""
    weights: dict[Service, PositiveFloat] = {}
    """Worth of a call that is reached in time, by service; 1 where it is not named. Policy."""
