"""The rules of a plan: fleet, shifts, posts, floors, solver."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from deploy_opt.input_settings import HourOfWeek, Id, Section
from deploy_opt.units import HOURS_PER_DAY

_SHORTEST_H = 2
_FEWEST_PRICED = 3
NOT_YET = "designed but does not work yet"


class FleetLimit(Section):
    """Fewest and most units on duty during some hours."""

    from_hour: HourOfWeek = 0
    """First hour of the week."""
    to_hour: Annotated[int, Field(ge=1, le=168)] = 168
    """Hour of the week after the last; not above from_hour: past the end of the week."""
    min_units: int = Field(0, ge=0)
    """Fewest units on duty in each of these hours; gives way as fleet.min_units does."""
    max_units: int | None = Field(None, ge=0)
    """Most units on duty in each of these hours."""

    @model_validator(mode="after")
    def _says_something(self) -> FleetLimit:
        if self.max_units is None and self.min_units == 0:
            msg = "min_units above 0, or max_units"
            raise ValueError(msg)
        if self.max_units is not None and self.max_units < self.min_units:
            msg = "a max_units that is not below min_units"
            raise ValueError(msg)
        return self


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
    limits: tuple[FleetLimit, ...] = ()
    """Fewest and most units on duty by hour of the week, beside min_units and max_units."""
    busy_cap: float = Field(0.65, gt=0, le=0.95)
    """Cap on the mean busy fraction of the units in an hour."""
    crew_size: int = Field(2, ge=1, le=12)
    """People on a unit; turns the headcount of a shifts.csv into units."""
    meal_break_min: float = Field(0.0, ge=0, le=120)
    """Meal break of a shift, min: stands in the schedule and lowers its hours on duty."""
    cost_per_unit_hour: float | None = Field(None, gt=0)
    """Money that one unit-hour costs; shows plans and the cost curve in money too."""
    today: str | None = None
    """Today's roster: a table hour, post_id, unit_type, units, or a shifts.csv."""


ROUND_THE_WEEK = {"pitman": 12, "24-48": 24, "48-96": 24, "kelly": 24}
"""Patterns whose crews keep one unit on duty every day between them, with the length of a shift, h;
``plan/rosters/patterns.yaml`` holds their days."""
_BLOCK = re.compile(r"([1-6])[x-](\d{1,2})")


class Shifts(Section):
    """Shift starts, and lengths or weekly patterns, that crews may have."""

    starts_h: tuple[Annotated[int, Field(ge=0, le=23)], ...] = Field(
        tuple(range(0, 24, 2)), min_length=1
    )
    """Start hours of the day."""
    lengths_h: tuple[Annotated[int, Field(ge=2, le=24)], ...] = Field((8, 10, 12), min_length=1)
    """Lengths, h, of shifts that are planned day by day; null takes lengths back that a file gives,
    for weekly patterns in a variant."""
    weekly: tuple[str, ...] = ()
    """Weekly patterns that crews work instead of shifts of any day: 5x8, 4x10, 3x12 (days in a row
    x hours), or pitman, 24-48, 48-96, kelly, whose crews keep one unit on duty every day between
    them. For plans of a week."""
    max_starts: int | None = Field(None, ge=1, le=24)
    """Most start hours that the crews of the role may use; null = all of starts_h. The role of
    patrols is all districts together."""
    max_patterns: int | None = Field(None, ge=1)
    """Most lengths, or weekly patterns, that the crews of the role may use; null = all."""
    price_starts: bool = False
    """Also plan with 2 to 8 start hours and say what each number costs (price_of_starts.csv)."""

    @model_validator(mode="before")
    @classmethod
    def _null_lengths_are_none_given(cls, given: object) -> object:
        if isinstance(given, dict) and "lengths_h" in given and given["lengths_h"] is None:
            return {key: value for key, value in given.items() if key != "lengths_h"}
        return given

    @field_validator("weekly")
    @classmethod
    def _known_patterns(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        wrong, by_block = [], dict[tuple[int, int], str]()
        for name in value:
            block = _block_of(name)
            if block is None:
                known = ", ".join(ROUND_THE_WEEK)
                wrong.append(f"5x8, 4x10, 3x12 and the like (days 1..6 x hours 2..24), or {known}")
            elif block in by_block:
                wrong.append(
                    f"one of {by_block[block]} and {name}: both put a crew on duty "
                    f"{block[0]} days a week for {block[1]} h"
                )
            else:
                by_block[block] = name
        if wrong:
            raise ValueError("; ".join(dict.fromkeys(wrong)))
        return value

    @model_validator(mode="after")
    def _shifts_agree(self) -> Shifts:
        wrong = []
        if self.weekly and "lengths_h" in self.model_fields_set:
            wrong.append(
                "one of lengths_h and weekly: a weekly pattern has its own length "
                "(lengths_h: null takes given ones back)"
            )
        if self.price_starts and len(set(self.starts_h)) < _FEWEST_PRICED:
            wrong.append(f"{_FEWEST_PRICED} starts_h or more, as price_starts compares fewer")
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    @model_serializer(mode="wrap")
    def _written_as_it_can_be_read(self, usual: SerializerFunctionWrapHandler) -> dict[str, object]:
        found: dict[str, object] = usual(self)
        return {k: v for k, v in found.items() if not (self.weekly and k == "lengths_h")}

    @property
    def blocks(self) -> tuple[tuple[int, int], ...]:
        """Days a week and hours a day of each weekly pattern; none: shifts of any day."""
        found = (_block_of(name) for name in self.weekly)
        return tuple(block for block in found if block is not None)

    @property
    def shortest_h(self) -> int:
        """Length of the shortest shift, h."""
        return min((length for _, length in self.blocks), default=min(self.lengths_h))


def _block_of(name: str) -> tuple[int, int] | None:
    """Read days a week and hours a day of a weekly pattern; None for an unknown one."""
    if name in ROUND_THE_WEEK:
        return 7, ROUND_THE_WEEK[name]
    found = _BLOCK.fullmatch(name)
    if found is None or not _SHORTEST_H <= int(found[2]) <= HOURS_PER_DAY:
        return None
    return int(found[1]), int(found[2])


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
    max_open_per_hour: int | None = Field(None, ge=1)
    """Most posts that may be used in any one hour; which ones may change from hour to hour."""
    calls_to_open: float = Field(0.0, ge=0)
    """Price of a post's use: calls that it must bring a week to be worth its opening; 0 = free.

    A plan then has most calls reached in time less the prices of the posts in use, for units on
    duty chosen by the calls; posts stay open that the units need."""
    calls_to_open_at: dict[Id, Annotated[float, Field(ge=0)]] = {}
    """Posts with another price of opening than calls_to_open."""
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
    """How evenly areas, residents and units must fare, and what a plan is chosen by."""

    objective: Literal["calls", "nash"] = "calls"
    """Most calls in time, or the Nash welfare of the areas: most sum of calls x log of cover."""
    weakest_area_cover: float | None = Field(None, ge=0, le=1)
    """Least weekly expected cover of any area."""
    min_calls_per_week: float = Field(1.0, ge=0)
    """Areas and groups with fewer expected calls do not count as the weakest."""
    worst_group_cover: float | None = Field(None, ge=0, le=1)
    """Least weekly expected cover of any population group of inputs.population."""
    groups: tuple[str, ...] | None = None
    """Groups that count: columns of inputs.population; default: every column share_..."""
    min_group_residents: float = Field(500.0, ge=0)
    """Groups with fewer residents do not count as the worst."""
    max_mean_drive_s: float | None = Field(None, gt=0, le=7200)
    """Longest mean drive of the nearest free unit, s."""
    workload_band: float | None = Field(None, gt=0, le=1)
    """Most that the weekly busy share of a post's units may differ from the mean, as a share."""

    @property
    def active(self) -> bool:
        """Whether anything but the most calls in time is asked for."""
        limits = (self.weakest_area_cover, self.worst_group_cover, self.max_mean_drive_s)
        asked = any(limit is not None for limit in (*limits, self.workload_band))
        return asked or self.objective != "calls"

    @field_validator("groups")
    @classmethod
    def _some_group(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if value is not None and len(set(value)) != len(value):
            msg = "each group once"
            raise ValueError(msg)
        if value == ():
            msg = "at least one column of inputs.population; leave it out for every share_ column"
            raise ValueError(msg)
        return value


class Robust(Section):
    """Plan against sample paths of the forecast, not its mean alone."""

    against: Literal["mean", "cvar"] = "cvar"
    """mean: most calls in time on average over the paths, on each with its own busy units; cvar:
    the fewest late calls on average over the worst paths (conditional value at risk)."""
    paths: int = Field(50, ge=2, le=500)
    """Paths to plan against, chosen from every second one of the forecast; the others judge. Few
    paths are learnt by heart."""
    worst_share: float = Field(0.2, gt=0, le=1)
    """Share of the paths that are the worst."""
    passes: int = Field(6, ge=1, le=50)
    """Most plans that the search for cvar makes."""


class Solver(Section):
    """How the plan is solved."""

    method: Literal["tables", "extensive"] = "tables"
    """Value tables and a crew master, or the whole model at once for small cases."""
    engine: str = Field("highs", min_length=1)
    """Solver: highs, cbc, or any that PuLP finds on the machine: scip, gurobi, cplex, ..."""
    gap: float = Field(1e-3, ge=0, le=0.5)
    """Relative gap at which the master may stop."""
    node_limit: int | None = Field(2000, ge=1)
    """Branch-and-bound nodes; counts work, so that two runs give the same plan."""
    time_limit_s: float | None = Field(None, gt=0)
    """Clock limit; marks the run as not reproducible."""
    last_search: Literal["hypercube", "none"] = "hypercube"
    """Last search: units move to where the hypercube model, in which each is as busy as its own
    post makes it, reaches more calls; or none."""
