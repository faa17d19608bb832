"""The sections of a scenario, each a frozen model with units in its key names."""

from __future__ import annotations

import datetime as dt
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, PrivateAttr, field_validator, model_validator

from deploy_opt.audit_settings import Audit
from deploy_opt.errors import nearest
from deploy_opt.input_settings import (
    Id,
    Inputs,
    PositiveFloat,
    Section,
    Service,
    Share,
)
from deploy_opt.pilot_settings import Pilot
from deploy_opt.prevention_settings import Prevention
from deploy_opt.responder_settings import ResponderMix
from deploy_opt.rule_settings import (
    NOT_YET,
    EquityRules,
    Fleet,
    PostRules,
    Robust,
    Shifts,
    Solver,
)
from deploy_opt.service_settings import Budget, CoResponders, Districts, Patrol, Risk
from deploy_opt.staff_settings import RoleStaffing
from deploy_opt.standard_settings import DriveLayer, Standard
from deploy_opt.stress_settings import Diversion, StressTest
from deploy_opt.units import HOURS_PER_WEEK

PLANNED_SERVICES = ("ems", "police", "coresponse")
VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class Horizon(Section):
    """The week or the day that is planned."""

    start: dt.date
    """First local day. A plan of more than one day starts on a Monday."""
    hours: int = Field(168, ge=24, le=168, multiple_of=24)
    """Length of the plan, h: 24 (one day) to 168 (one week)."""

    @model_validator(mode="after")
    def _starts_on_a_monday(self) -> Horizon:
        if self.hours > 24 and self.start.weekday() != 0:
            monday = self.start - dt.timedelta(days=self.start.weekday())
            msg = f"a Monday, as the plan is longer than a day; the nearest before is {monday}"
            raise ValueError(msg)
        return self

    @property
    def first_hour(self) -> int:
        """Hour of the week at which the plan starts (Monday 00:00 = 0)."""
        return self.start.weekday() * 24


class ServiceTime(Section):
    """How long a call commits a unit, where the records have no clear times."""

    busy_min: float | None = Field(None, gt=0, le=1440)
    """Mean minutes from dispatch to clear, drive included; instead of the parts below."""
    on_scene_min: float = Field(0.0, ge=0)
    """Mean minutes on scene."""
    transport_share: Share = 0.0
    """Share of calls that go to a hospital."""
    handover_min: float = Field(0.0, ge=0)
    """Mean minutes at the hospital."""
    mobilisation_min: float = Field(0.0, ge=0)
    """Mean minutes from dispatch to wheels turning (turnout)."""


class SupposedWeather(Section):
    """Weather that is supposed over the plan, for questions such as "what in a hot week?".

    Values that are not named stay as in inputs.weather. Effects are those that the history shows;
    weather that the history has not seen is an extrapolation.
    """

    name: str = Field("", max_length=60)
    """What reports call it, such as ``hot week``."""
    days: tuple[Annotated[int, Field(ge=1, le=7)], ...] = ()
    """Days of the plan it holds on, 1 = the first; default: every day."""
    base: Literal["forecast", "season"] = "forecast"
    """What is changed: the weather of inputs.weather, or the season's usual of earlier years."""
    shift_c: float = Field(0.0, ge=-40, le=40)
    """Added to every temperature, °C."""
    day_high_c: float | None = Field(None, ge=-50, le=60)
    """Highest temperature of each day, °C; the day's other hours move along."""
    day_low_c: float | None = Field(None, ge=-60, le=50)
    """Lowest temperature of each day, °C."""
    precipitation_mm: float | None = Field(None, ge=0, le=1000)
    """Rain, or water of the snow, of each day, mm."""
    snowfall_cm: float | None = Field(None, ge=0, le=300)
    """New snow of each day, cm; without precipitation_mm its water is added (7 cm = 10 mm)."""
    wind_kph: float | None = Field(None, ge=0, le=300)
    """Wind of every hour, km/h."""

    @model_validator(mode="after")
    def _high_above_low(self) -> SupposedWeather:
        high, low = self.day_high_c, self.day_low_c
        if high is not None and low is not None and high < low:
            msg = "a day_high_c that is not below day_low_c"
            raise ValueError(msg)
        return self


class Demand(Section):
    """How calls are counted and forecast."""

    history_start: dt.date | None = None
    """First local day to learn from; default: the first in the records."""
    history_end: dt.date | None = None
    """First local day not to learn from; default: the day after the last record, at most the
    start of the plan."""
    scale_to_calls_per_day: dict[Service, PositiveFloat] = {}
    """Scale the forecast to this many calls a day, for samples and what-ifs; shown on page one."""
    points_per_area: int = Field(6, ge=1, le=200)
    """Demand points inside each area."""
    num_paths: int = Field(200, ge=20, le=1000)
    """Sample paths drawn from the forecast."""
    self_initiated: bool = False
    """Count calls that officers started themselves."""
    weather: SupposedWeather | None = None
    """Weather that is supposed over the plan; default: that of inputs.weather."""


class Baseline(Section):
    """What is on duty today."""

    plan: str | None = None
    """Table hour, post_id, unit_type, units."""
    roster: str | None = None
    """A roster table or a shifts.csv."""
    units: dict[Id, Annotated[int, Field(ge=0)]] = {}
    """Units at each post, all day, every day."""

    @model_validator(mode="after")
    def _one_source(self) -> Baseline:
        if sum([self.plan is not None, self.roster is not None, bool(self.units)]) > 1:
            msg = "one of plan, roster, units"
            raise ValueError(msg)
        return self


class Simulation(Section):
    """The independent check: plan and today played on sample paths of the forecast."""

    replications: int = Field(30, ge=2, le=10000)
    """Simulations of the horizon, each on its own sample path; at least 2, for an interval."""
    half_width: float | None = Field(None, gt=0, lt=0.5)
    """Go on past `replications` until the 95 % interval of the plan's share in time is no wider
    than this on either side, such as 0.005 for half a point."""
    max_replications: int = Field(500, ge=2, le=10000)
    """Most simulations where `half_width` is asked."""
    policy: Literal["closest", "dmexclp", "compliance"] = "closest"
    """closest: the unit that arrives first goes and returns to its post; dmexclp: units are sent
    and placed where they leave and add most expected cover; compliance: as closest, and free
    units of the plan hold the posts of its move-up table (levels.csv)."""
    patrol_policy: Literal["district_first", "closest"] = "district_first"
    """district_first: a patrol of the call's district, else one of a neighbour's as
    patrol.help_share says; closest: the patrol that arrives first, of any district."""
    own_work: Literal["interrupted", "finished"] = "interrupted"
    """Whether officers leave work that they started themselves for any call, as the model of the
    plan has it, or finish it first."""
    units_per_call: dict[Literal["ems", "police"], dict[Id, Annotated[int, Field(ge=1, le=8)]]] = {}
    """Units sent to a call, by service and call class (priority as first known), such as
    ``{ems: {"1": 2}}``; classes not named: 1. Default: 1 ambulance; patrols as recorded."""
    in_run: bool = False
    """Whether ``run`` simulates too, so that page one says how far model and simulation are
    apart."""
    diversions: tuple[Diversion, ...] = ()
    """Hospitals that send ambulances elsewhere, and when."""
    travel_scale: float = Field(1.0, gt=0, le=5)
    """What the simulation multiplies drives by beyond ``inputs.drive_factor``: what if drives were
    longer than the plan takes them to be?"""
    turnout_s: float | None = Field(None, ge=0, le=1800)
    """Mean turnout of simulated units, s, where the standard limits the drive alone; default: the
    standard's."""
    turnout_cv: float = Field(0.0, ge=0, le=3)
    """Spread of the turnout about its mean, coefficient of variation (lognormal); 0 = none."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a scenario came from.

    Attributes
    ----------
    file
        The YAML file; relative input paths start at its folder.
    variant
        Name of the variant that was applied, if any.
    overrides
        ``dotted.key=value`` texts applied after the variant.
    """

    file: Path = Path("scenario.yaml")
    variant: str | None = None
    overrides: tuple[str, ...] = ()


def input_path(scenario_file: Path, text: str) -> Path:
    """Turn a path as written in a scenario into one that can be opened.

    ``${NAME}`` is taken from the environment; a relative path starts at the scenario's folder.
    """
    expanded = Path(
        VARIABLE.sub(lambda found: os.environ.get(found.group(1), found.group(0)), text)
    ).expanduser()
    return expanded if expanded.is_absolute() else scenario_file.parent / expanded


class PlanSettings(Section):
    """Everything that `plan_deployment` needs besides the forecast and the travel times."""

    service: Service
    hours: int
    first_hour: int = 0
    busy_min: float
    drive_limit_s: float
    layers: tuple[DriveLayer, ...] = ()
    """What the plan aims at: limits on the drive with their worths; none: the standard's
    `drive_limit_s` alone, which reports and floors keep to in any case."""
    fleet: Fleet
    shifts: Shifts | None
    posts: PostRules
    equity: EquityRules
    solver: Solver
    robust: Robust | None = None
    """Plan against paths of the forecast; None: against its mean."""
    load_factor: tuple[float, ...] = ()
    """What the offered load of each hour is multiplied by, as a simulation found units busier or
    less busy than the model; none: 1."""
    seed: int

    def on_the_standard(self) -> PlanSettings:
        """Give the same question with the standard's limit alone as the objective."""
        return self.model_copy(update={"layers": ()}) if self.layers else self


class Scenario(Section):
    """One question to the planner: inputs, rules and standards."""

    name: str = Field(min_length=1, max_length=80)
    """Name of the agency or the case; stands on every page."""
    description: str = ""
    """What the scenario asks."""
    seed: int = Field(2026, ge=0)
    """Seed of every random stream."""
    time_zone: str
    """IANA zone of the city, such as ``America/New_York``."""
    synthetic: bool = False
    """Label every output as made from synthetic data."""
    services: tuple[Service, ...] = ("ems",)
    """Services to plan."""
    horizon: Horizon
    inputs: Inputs
    service_times: dict[Service, ServiceTime] = {}
    """Service times where the records have no clear times."""
    demand: Demand = Demand()
    fleet: Fleet = Fleet()
    shifts: Shifts | None = Shifts()
    """Shift starts and lengths; null: units may change every hour."""
    posts: PostRules = PostRules()
    standards: dict[Service, Standard]
    """Response standard by service."""
    equity: EquityRules = EquityRules()
    solver: Solver = Solver()
    robust: Robust | None = None
    """Plan against sample paths of the forecast, so that bad weeks count; null: its mean."""
    baseline: Baseline | None = None
    """Today's plan; without one, the posts' units_today stand all day and the report says so."""
    districts: Districts | None = None
    patrol: Patrol | None = None
    coresponders: CoResponders | None = None
    budget: Budget | None = None
    staffing: dict[Id, RoleStaffing] = {}
    """People by role: unit type, or responder of Tier 4 such as ``civilian`` -> crew make-up,
    leave, overtime and vacancies."""
    simulation: Simulation | None = None
    stress: StressTest = StressTest()
    """Bad spells that plan and today are played through."""
    pilot: Pilot = Pilot()
    """The trial of the plan on held-out incidents, and how a live one runs."""
    risk: Risk | None = None
    prevention: Prevention | None = None
    """A prevention programme's slots by area."""
    audit: Audit = Audit()
    """What the public transparency page says of data, comments and other signs."""
    _origin: Origin = PrivateAttr(default_factory=Origin)

    @property
    def origin(self) -> Origin:
        """Where the scenario came from."""
        return self._origin

    def from_file(self, origin: Origin) -> Scenario:
        """Copy the scenario with its origin noted."""
        copy = self.model_copy()
        copy._origin = origin  # noqa: SLF001  (a copy of this class)
        return copy

    def with_unit_hours(self, unit_hours: float) -> Scenario:
        """Copy the scenario with another budget of ambulance unit-hours in its horizon."""
        fleet = self.fleet.model_copy(update={"unit_hours_per_week": unit_hours})
        copy = self.model_copy(update={"fleet": fleet})
        copy._origin = self._origin  # noqa: SLF001  (a copy of this class)
        return copy

    def path(self, text: str) -> Path:
        """Turn a path of the scenario into one that can be opened."""
        return input_path(self._origin.file, text)

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            msg = "an IANA time zone, such as America/New_York"
            raise ValueError(msg) from None
        return value

    @field_validator("services")
    @classmethod
    def _planned_services(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        late = [service for service in value if service not in PLANNED_SERVICES]
        if late:
            names = ", ".join(PLANNED_SERVICES)
            msg = f"some of {names}: planning {', '.join(late)} is {NOT_YET}"
            raise ValueError(msg)
        if not value:
            msg = "at least one service"
            raise ValueError(msg)
        if value[0] != "ems" or len(set(value)) < len(value):
            msg = "ems first, then police, coresponse, each once"
            raise ValueError(msg)
        return value

    @model_validator(mode="after")
    def _sections_agree(self) -> Scenario:
        wrong = [f"a standard for {s}" for s in self.services if s not in self.standards]
        if self.fleet.today is not None and self.baseline is not None:
            wrong.append("one of fleet.today and baseline, which both say what is on duty")
        if self.demand.weather is not None and not self.inputs.weather:
            wrong.append("inputs.weather, as demand.weather changes it")
        if self.equity.worst_group_cover is not None and self.inputs.population is None:
            wrong.append("inputs.population, as equity.worst_group_cover needs group shares")
        if self.robust is not None:
            wrong += self._unlike_paths(self.robust)
        wrong += self._without_services()
        wrong += self._unlike_shifts()
        wrong += self._unlike_crews()
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    def _without_services(self) -> list[str]:
        """Name what the services that share a plan need and do not find."""
        wrong = []
        today = None if self.districts is None else self.districts.today
        patrol = self.patrol or Patrol()
        if "police" in self.services and patrol.districts is None and today is None:
            wrong.append("patrol.districts or districts.today, as patrols belong to a district")
        if "coresponse" in self.services and "police" not in self.services:
            wrong.append("police among the services, as a co-responder needs a patrol beside it")
        if len(self.services) > 1 and self.inputs.roads is None:
            wrong.append("inputs.roads, as patrols drive between all areas")
        if self.budget is not None and self.budget.shared and len(self.services) == 1:
            wrong.append("services beside ems, as the budget is shared")
        return wrong

    def _unlike_shifts(self) -> list[str]:
        """Name what the roles' start times and patterns ask of the rest."""
        wrong = []
        for where, shifts in (
            ("shifts", self.shifts),
            ("patrol.shifts", None if self.patrol is None else self.patrol.shifts),
            (
                "coresponders.shifts",
                None if self.coresponders is None else self.coresponders.shifts,
            ),
        ):
            if shifts is None:
                continue
            if shifts.weekly and self.horizon.hours != HOURS_PER_WEEK:
                wrong.append(
                    f"horizon.hours: {HOURS_PER_WEEK}, as {where}.weekly repeats by the week"
                )
            if shifts.price_starts and len(self.services) == 1:
                wrong.append(f"services beside ems, as {where}.price_starts is shown on their page")
        return wrong

    def _unlike_crews(self) -> list[str]:
        """Name what `staffing` says otherwise than the sections of the units."""
        teams, patrol = self.coresponders or CoResponders(), self.patrol or Patrol()
        sizes = {
            self.fleet.unit_type: ("fleet.crew_size", self.fleet.crew_size),
            patrol.unit_type: ("patrol.crew_size", patrol.crew_size),
            teams.unit_type: ("coresponders.people", teams.people),
        }
        mix = ResponderMix() if self.risk is None else self.risk.mix
        known = [*sizes, "civilian", *mix.responders]
        wrong = []
        for role, section in self.staffing.items():
            if role not in known:
                hint = nearest(role, known)
                wrong.append(f"roles {', '.join(known)} in staffing, not {role!r}; {hint}")
            where, size = sizes.get(role, ("", 0))
            people = sum(section.make_up.values())
            if section.make_up and size and people != size:
                wrong.append(f"a make_up of {size} people in staffing.{role}, as {where} says")
        own = self.staffing.get(teams.unit_type)
        twice = {"relief_factor", "formula", "paid_hours", "unavailable_hours"}
        if own is not None and own.says_relief and twice & teams.model_fields_set:
            names = ", ".join(sorted(twice & teams.model_fields_set))
            wrong.append(f"relief once: coresponders.{names} or staffing.{teams.unit_type}")
        return wrong

    def _unlike_paths(self, robust: Robust) -> list[str]:
        wrong = []
        if self.solver.method == "extensive":
            wrong.append("solver.method tables, as robust plans against paths of the forecast")
        if self.equity.objective == "nash":
            wrong.append("equity.objective calls, as robust counts late calls")
        asked = "paths" in robust.model_fields_set
        if asked and 2 * robust.paths > self.demand.num_paths:
            wrong.append(
                f"robust.paths of at most {self.demand.num_paths // 2}, half of demand.num_paths, "
                "as the other half judges the plan"
            )
        return wrong

    def plan_settings(self, service: Service, *, busy_min: float) -> PlanSettings:
        """Gather what the deployment model needs for one service.

        Parameters
        ----------
        service
            The service to plan.
        busy_min
            Mean minutes that a call commits a unit, from records or from `service_times`.
        """
        return PlanSettings(
            service=service,
            hours=self.horizon.hours,
            first_hour=self.horizon.first_hour,
            busy_min=busy_min,
            drive_limit_s=self.standards[service].drive_s,
            layers=self.standards[service].drive_layers,
            fleet=self.fleet,
            shifts=self.shifts,
            posts=self.posts,
            equity=self.equity,
            solver=self.solver,
            robust=self.robust,
            seed=self.seed,
        )

    def resolved(self) -> dict[str, Any]:
        """Write the scenario as plain values, every default included."""
        return self.model_dump(mode="json")
