"""Settings of the public transparency page: what is said about data, weights and comments."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from pydantic import Field, model_validator

from deploy_opt.input_settings import Id, Section, Service

Words = Annotated[str, Field(min_length=1, max_length=2000)]


class DataSource(Section):
    """A source of data and on what ground it is used."""

    name: str = Field(min_length=1, max_length=80)
    """Such as ``ambulance records``."""
    purpose: Words
    """What it is used for."""
    legal_basis: Words
    """Law, ordinance or agreement that allows it."""
    review: Words
    """Reference of the privacy or ethics review, such as a file number."""
    retention_days: int = Field(ge=1, le=36525)
    """Days after which the records are deleted."""
    service: Service | None = None
    """Service whose records these are; adds their number and period to the data card."""


class Comment(Section):
    """What somebody of the community said on the weights and rules, and the answer."""

    comment: Words
    """The comment, without names."""
    answer: Words
    """What became of it."""
    date: dt.date | None = None
    """Day of the comment."""


class OtherSign(Section):
    """A sign of need by area that police did not record."""

    name: str = Field(min_length=1, max_length=60)
    """Such as ``aid runs`` or ``victim survey``."""
    service: Service | None = None
    """Count the calls of this service."""
    call_types: tuple[Id, ...] = ()
    """Call types that count; empty: all."""
    file: str | None = None
    """Instead of a service: a table of area_id and `column`."""
    column: str | None = None
    """Column of `file` with the amount of each area."""

    @model_validator(mode="after")
    def _one_source(self) -> OtherSign:
        wrong = []
        if (self.service is None) == (self.file is None):
            wrong.append("either a service or a file")
        if (self.file is None) != (self.column is None):
            wrong.append("file and column together")
        if self.service == "police":
            wrong.append("a service other than police, as the sign checks police records")
        if wrong:
            raise ValueError("; ".join(wrong))
        return self


class Audit(Section):
    """What the public transparency page says besides the results."""

    data: tuple[DataSource, ...] = ()
    """Data sources with legal basis, review and retention."""
    comments: tuple[Comment, ...] = ()
    """Comments of the community on the weights, and the answers."""
    contact: str | None = Field(None, min_length=1, max_length=200)
    """Where to write to."""
    signs: tuple[OtherSign, ...] = ()
    """Signs that patrol is checked against; the first is the outcome of the exposure measure.
    Default: ambulance calls, where the scenario has them."""
    smallest_shown: int = Field(11, ge=2, le=1000)
    """Counts from 1 up to one less are hidden."""

    @model_validator(mode="after")
    def _named_once(self) -> Audit:
        for key in ("data", "signs"):
            names = [entry.name for entry in getattr(self, key)]
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                msg = f"each name of {key} once, not {twice[0]!r} again"
                raise ValueError(msg)
        return self
