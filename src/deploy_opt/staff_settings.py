"""People behind the units: crew make-up, leave, overtime, vacancies, and follow-up work."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from deploy_opt.input_settings import Id, Section, Share
from deploy_opt.staffing import PAID_HOURS

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Hours = Annotated[float, Field(ge=0, le=8760)]


class RoleStaffing(Section):
    """Who is on a unit and how many people a post needs; relief, overtime, vacancies apart."""

    make_up: dict[Id, Annotated[int, Field(ge=1, le=12)]] = {}
    """Qualification -> people on a unit, such as ``{paramedic: 1, emt: 1}``; together the crew
    size of the unit. Default: paramedic and EMT on als, EMTs on bls, officers, clinicians."""
    relief_factor: float | None = Field(None, ge=1, le=10)
    """Paid people per person on duty; instead of `leave`. Default: 1.2, as in Seattle's brief."""
    leave: str | dict[Id, Hours] | None = None
    """Paid hours away from the role: kind (vacation, sick, training, parental, injury, holiday,
    ...) -> hours a person and year, or a table kind, hours [, role]. Makes the relief factor:
    paid hours over those that are left."""
    people: float | None = Field(None, ge=1)
    """Full-time people behind the rows of the table; default: its hours are of one person."""
    years: float = Field(1.0, gt=0)
    """Years behind the rows of the table."""
    paid_hours: float = Field(PAID_HOURS, gt=0, le=8760)
    """Paid hours of one full-time post, h a year."""
    vacancy_share: float = Field(0.0, ge=0, lt=1)
    """Share of the funded posts that nobody fills."""
    overtime_share: float = Field(0.0, ge=0, lt=1)
    """Share of the hours on duty that is worked as paid overtime."""

    @property
    def says_relief(self) -> bool:
        """Whether the section says how many people stand behind one on duty."""
        return self.relief_factor is not None or self.leave is not None

    @model_validator(mode="after")
    def _one_relief(self) -> RoleStaffing:
        wrong = []
        if self.relief_factor is not None and self.leave is not None:
            wrong.append("one of relief_factor and leave, which both make the relief factor")
        if isinstance(self.leave, dict) and sum(self.leave.values()) >= self.paid_hours:
            wrong.append(f"leave below the {self.paid_hours:g} paid hours of a year")
        table = {"people", "years"} & self.model_fields_set
        if table and not isinstance(self.leave, str):
            wrong.append(f"a table in leave, as {' and '.join(sorted(table))} tell of its rows")
        if wrong:
            raise ValueError("; ".join(wrong))
        return self


class FollowUp(Section):
    """Work of co-responder teams after their calls, which may wait: visits, referrals, notes."""

    share: Share | None = None
    """Share of the calls that need a follow-up."""
    minutes: float = Field(60.0, gt=0, le=1440)
    """Minutes of a team for each of them, travel included."""
    hours_per_week: float | None = Field(None, gt=0)
    """Team-hours a week; instead of `share`."""
    days: tuple[Weekday, ...] = Field(WEEKDAYS[:5], min_length=1)
    """Days on which it may be done."""
    from_h: int = Field(9, ge=0, le=23)
    """First hour of the day at which it may be done."""
    to_h: int = Field(17, ge=1, le=24)
    """Hour of the day after the last."""
    within_days: int = Field(7, ge=1, le=7)
    """How many of these days after that of the call it may wait; all of them: any will do."""

    @model_validator(mode="after")
    def _says_how_much(self) -> FollowUp:
        wrong = []
        if (self.share is None) == (self.hours_per_week is None):
            wrong.append("one of share (of the calls) and hours_per_week")
        if self.to_h <= self.from_h:
            wrong.append("a to_h after from_h")
        if wrong:
            raise ValueError("; ".join(wrong))
        return self
