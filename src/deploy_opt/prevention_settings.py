"""Settings of a prevention programme."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from deploy_opt.input_settings import Id, Section, Service, Share


def _one_or_many(value: object) -> object:
    return [value] if isinstance(value, str) else value


class NeedSource(Section):
    """One sign of need by area: calls of the records, residents of a group, or a table."""

    name: str = Field(min_length=1, max_length=60)
    """Name in reports, such as ``overdose runs``."""
    source: Literal["police", "ems", "fire", "community", "survey", "census", "311"]
    """Who collected it; police records never stand alone."""
    weight: float = Field(1.0, ge=0)
    """Weight in the blend."""
    service: Service | None = None
    """Count the calls of this service."""
    call_types: Annotated[tuple[Id, ...], BeforeValidator(_one_or_many)] = ()
    """Call types that count; empty: all."""
    group: str | None = None
    """Count the residents of this group: a column of inputs.population with its share."""
    file: str | None = None
    """Table with area_id and `column`."""
    column: str | None = None
    """Column of `file` with counts."""

    @model_validator(mode="after")
    def _one_kind(self) -> NeedSource:
        given = (self.service is not None, self.group is not None, self.file is not None)
        if sum(given) != 1:
            msg = "one of service (calls), group (residents) and file (a table)"
            raise ValueError(msg)
        if (self.file is None) != (self.column is None):
            msg = "both file and column"
            raise ValueError(msg)
        if self.service is None and self.call_types:
            msg = "call_types only beside service"
            raise ValueError(msg)
        if self.service == "police" and self.source != "police":
            msg = "source: police, since police recorded these calls"
            raise ValueError(msg)
        return self


class Prevention(Section):
    """A programme whose slots are given to areas: need, floors for groups, limits."""

    programme: str = "outreach slots"
    """What a slot is, in the plural, such as ``outreach workers``."""
    slots: int = Field(gt=0)
    """Slots to give out, all of them."""
    need: Annotated[tuple[NeedSource, ...], Field(min_length=1)]
    """Signs of need; at least one that is no police record."""
    last_days: int = Field(365, gt=0)
    """Days of the records that calls are counted over, ending with the last record."""
    groups: tuple[str, ...] | None = None
    """Groups with floors: columns share_... of inputs.population; default: all of them."""
    group_column: str | None = None
    """Instead: a column of inputs.population that names each area's group, such as a tercile."""
    floor: float | dict[str, float] = 0.8
    """Each group gets at least this times its share of the residents; one number, or by group."""
    today: str | dict[Id, int] | None = None
    """Slots today: a table area_id, slots, or numbers by area."""
    most_per_area: int = Field(3, gt=0)
    """Most slots in an area."""
    least_if_chosen: int = Field(1, gt=0)
    """Fewest slots in an area that gets any."""
    most_moved: int | None = Field(None, ge=0)
    """Most slots that leave the area where they are today."""
    locked: dict[Id, int] = Field(default_factory=dict)
    """Fewest slots by area."""
    forbidden: tuple[Id, ...] = ()
    """Areas that get none."""
    reach: float = Field(0.4, gt=0, lt=1)
    """Share of an area's need that its first slot reaches, and each further one of what is left."""
    most_police_share: Share = 0.5
    """Largest share of the weight that police records may carry."""

    @model_validator(mode="after")
    def _one_grouping(self) -> Prevention:
        if self.groups is not None and self.group_column is not None:
            msg = "either groups or group_column"
            raise ValueError(msg)
        return self
