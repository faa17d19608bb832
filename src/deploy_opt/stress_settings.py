"""Settings of the stress test: bad spells that plan and today are played through."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from deploy_opt.input_settings import HourOfWeek, Id, Section, Share


class StressVariant(Section):
    """A bad spell: when it lasts and what it does; what it does not name stays as it is."""

    from_hour: HourOfWeek
    """Hour of the plan at which the spell begins, 0 = the first."""
    hours: int = Field(ge=1, le=168)
    """How long it lasts, h."""
    surge: float = Field(1.0, ge=1, le=50)
    """What the number of calls is multiplied by meanwhile; 5 = a storm like Sandy."""
    surge_areas: tuple[Id, ...] = ()
    """Areas of the surge; default: all."""
    road_classes: tuple[Id, ...] = ()
    """Road classes that are closed or slow meanwhile."""
    arcs: tuple[tuple[Id, Id], ...] = ()
    """Arcs that are closed or slow, such as a bridge: pairs of road nodes, both directions."""
    slowed: float | None = Field(None, gt=1, le=100)
    """What drive times on these roads are multiplied by; default: they are closed."""
    lost_posts: tuple[Id, ...] = ()
    """Posts that are lost; their units are off duty meanwhile."""
    lost_hospitals: tuple[Id, ...] = ()
    """Hospitals that divert meanwhile."""
    crews: Share = 1.0
    """Share of the units that is there meanwhile."""
    lent_units: int = Field(0, ge=0)
    """Units lent to neighbours meanwhile."""
    borrowed_units: dict[Id, Annotated[int, Field(ge=1)]] = {}
    """Units of neighbours that wait meanwhile, by post."""

    @model_validator(mode="after")
    def _does_something(self) -> StressVariant:
        roads = bool(self.road_classes or self.arcs)
        if self.slowed is not None and not roads:
            msg = "road_classes or arcs beside slowed"
            raise ValueError(msg)
        if self.surge_areas and self.surge == 1.0:
            msg = "a surge above 1 beside surge_areas"
            raise ValueError(msg)
        lost = bool(self.lost_posts or self.lost_hospitals or self.lent_units)
        if not (roads or lost or self.borrowed_units or self.surge > 1 or self.crews < 1):
            names = "surge, road_classes, arcs, lost_posts, lost_hospitals, crews, lent_units"
            msg = f"at least one of {names}, borrowed_units"
            raise ValueError(msg)
        return self


class StressTest(Section):
    """Bad spells that plan and today are played through, and how often."""

    replications: int = Field(10, ge=2, le=10000)
    """Sample paths that every spell is played on; at least 2, for an interval."""
    variants: dict[Annotated[Id, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")], StressVariant] = {}
    """Spells by name; default: a storm, fast roads closed, the busiest post and hospital lost,
    half the crews, units lent, and the storm with units borrowed."""


class Diversion(Section):
    """Hours in which a hospital sends ambulances to another one."""

    hospital: Id
    """The hospital."""
    hours: Annotated[tuple[HourOfWeek, ...], Field(min_length=1)]
    """Hours of the plan, 0 = the first."""
