"""The rules of a plan: fleet, shifts, posts, floors, solver."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from deploy_opt.input_settings import HourOfWeek, Id, Section

NOT_YET = "designed but does not work yet"


class Fleet(Section):
    """Units on duty."""

    unit_type: str = "als"
    """Type of the units, as in the roster."""
    unit_hours_per_week: float | None = Field(None, gt=0)
    """Unit-hours that the plan may use in its horizon; default: as many as today's."""
    min_units: int = Field(1, ge=0)
    """Fewest units on duty at any hour."""
    max_units: int | None = Field(None, ge=1)
    """Most units on duty at any hour."""
    busy_cap: float = Field(0.65, gt=0, le=0.95)
    """Cap on the mean busy fraction of the units in an hour."""
    crew_size: int = Field(2, ge=1, le=12)
    """People on a unit; turns the headcount of a shifts.csv into units."""
    today: str | None = None
    """Today's roster: a table hour, post_id, unit_type, units, or a shifts.csv."""


class Shifts(Section):
    """Shift starts and lengths that crews may have."""

    starts_h: tuple[Annotated[int, Field(ge=0, le=23)], ...] = Field(
        tuple(range(0, 24, 2)), min_length=1
    )
    """Start hours of the day."""
    lengths_h: tuple[Annotated[int, Field(ge=2, le=24)], ...] = Field((8, 10, 12), min_length=1)
    """Lengths, h."""


class PostLimit(Section):
    """Fewest and most units at one post during some hours."""

    post_id: Id
    """The post."""
    from_hour: HourOfWeek = 0
    """First hour of the week."""
    to_hour: Annotated[int, Field(ge=1, le=168)] = 168
    """Hour of the week after the last; below from_hour: past the end of the week."""
    min_units: int = Field(0, ge=0)
    """Fewest units."""
    max_units: int | None = Field(None, ge=0)
    """Most units."""


class PostRules(Section):
    """Rules on posts."""

    max_open: int | None = Field(None, ge=1)
    """Most posts that may be used in the week."""
    max_moves_per_hour: int | None = Field(2, ge=0)
    """Most units that change post between two hours, beyond shift changes."""
    capacity: int | None = Field(None, ge=1)
    """Most units at a post where the posts table does not say."""
    locked: dict[Id, Annotated[int, Field(ge=1)]] = {}
    """Posts that always hold at least so many units."""
    forbidden: tuple[Id, ...] = ()
    """Posts that may not be used."""
    limits: tuple[PostLimit, ...] = ()
    """Limits by post and hour."""


class EquityRules(Section):
    """Floors that protect the worst-off areas."""

    weakest_area_cover: float | None = Field(None, ge=0, le=1)
    """Least weekly expected cover of any area."""
    min_calls_per_week: float = Field(1.0, ge=0)
    """Areas with fewer expected calls do not count as the weakest."""


class Solver(Section):
    """How the plan is solved."""

    method: Literal["tables", "extensive"] = "tables"
    """Value tables and a crew master, or the whole model through PuLP."""
    engine: Literal["highs", "cbc"] = "highs"
    """MIP engine of the master."""
    gap: float = Field(1e-3, ge=0, le=0.5)
    """Relative gap at which the master may stop."""
    node_limit: int | None = Field(2000, ge=1)
    """Branch-and-bound nodes; counts work, so that two runs give the same plan."""
    time_limit_s: float | None = Field(None, gt=0)
    """Clock limit; marks the run as not reproducible."""

    @field_validator("method")
    @classmethod
    def _tables_only(cls, value: str) -> str:
        if value == "extensive":
            msg = f"tables: extensive is {NOT_YET}"
            raise ValueError(msg)
        return value
