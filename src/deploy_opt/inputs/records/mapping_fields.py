"""Describe one field of a mapping: the columns it is read from, and how."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from deploy_opt.input_settings import Section, Service

TimeName = Literal[
    "received_at",
    "dispatched_at",
    "enroute_at",
    "arrived_at",
    "departed_at",
    "at_hospital_at",
    "cleared_at",
]
TIME_NAMES: tuple[TimeName, ...] = (
    "received_at",
    "dispatched_at",
    "enroute_at",
    "arrived_at",
    "departed_at",
    "at_hospital_at",
    "cleared_at",
)
TEXT_NAMES = ("incident_id", "call_type", "initial_priority", "priority", "area_id")
_WORD_FORMATS = frozenset({"iso", "epoch_s", "epoch_ms", "excel"})
_DIRECTIVE = re.compile(r"%[A-Za-z]")


def _many(value: object) -> object:
    return (value,) if isinstance(value, str | int | float | dt.date) else value


def columns_only(value: object) -> object:
    """Let a name, or a list of names, stand for a field of these columns."""
    return {"columns": value} if isinstance(value, str | list | tuple) else value


def _text_of_number(value: object) -> object:
    if isinstance(value, bool):
        msg = f"text: put {'yes/no/true/false'!r} in quotes"
        raise ValueError(msg)  # noqa: TRY004  (pydantic turns ValueError into a fault)
    return str(value) if isinstance(value, int | float) else value


Word = Annotated[str, BeforeValidator(_text_of_number)]
Words = Annotated[tuple[Word, ...], BeforeValidator(_many)]
Columns = Annotated[tuple[str, ...], BeforeValidator(_many), Field(min_length=1)]


class ColumnField(Section):
    """A field that is read from one column."""

    columns: Columns
    """Name of the column; more names when it was renamed over the years, the usual one first."""
    optional: bool = False
    """Whether a file may lack the column."""


class TextField(ColumnField):
    """A text field."""

    clean: Literal["zip", "whole"] | None = None
    """``zip``: five digits out of ``10001.0`` or ``10001-1234``; ``whole``: ``3.0`` becomes 3."""
    before: str | None = None
    """Take the text before the first such mark."""
    after: str | None = None
    """Take the text after the first such mark."""
    values: dict[Word, str] = {}  # noqa: RUF012  (pydantic copies defaults)
    """Text in the file -> text to use; other texts stay."""


class FlagField(ColumnField):
    """A yes or no."""

    yes: Words = ("true", "t", "yes", "y", "1")
    """Texts that mean yes, in upper or lower case."""
    no: Words = ("false", "f", "no", "n", "0")
    """Texts that mean no; with `contains`, every other text means no."""
    contains: Words = ()
    """Pieces of text that mean yes wherever they stand in the cell."""


class NumberField(ColumnField):
    """A number."""

    thousands: bool = False
    """Whether commas part the thousands, as in ``1,234``."""


class Since(Section):
    """A duration column that gives a time: another time plus the duration."""

    columns: Columns
    """Name of the column of the duration; more names when it was renamed."""
    field: TimeName = "received_at"
    """The time that it counts from."""
    unit: Literal["s", "min", "h", "d", "h:m:s", "m:s", "h:m"]
    """Unit of the duration; ``h:m:s``, ``m:s`` and ``h:m`` are texts such as 0:07:30."""
    thousands: bool = False
    """Whether commas part the thousands."""


class TimeField(Section):
    """A time: from one column, from a date and a time column, or from a duration."""

    columns: Annotated[tuple[str, ...], BeforeValidator(_many)] = ()
    """Column of the time (or of the date); more names when it was renamed."""
    time_of_day: Annotated[tuple[str, ...], BeforeValidator(_many)] = ()
    """Column of the time of day, where `columns` holds the date; they are read as ``date time``.
    Without `columns` the date is that of `received_at`: the first such time not more than 12 hours
    before the call."""
    formats: Annotated[tuple[str, ...], BeforeValidator(_many), Field(min_length=1)] = ("iso",)
    """Tried in turn: ``iso``, ``epoch_s``, ``epoch_ms``, ``excel`` (days since 1899-12-30) or a
    strptime format."""
    optional: bool = False
    """Whether a file may lack the column."""
    midnight_is_missing: bool = False
    """Whether 00:00 before the call itself stands for no time."""
    since: Since | None = None
    """Where the column is absent or empty: another time plus a duration."""

    @model_validator(mode="after")
    def _readable(self) -> TimeField:
        wrong = []
        if not self.columns and not self.time_of_day and self.since is None:
            wrong.append("columns or since")
        for text in self.formats:
            if text in _WORD_FORMATS:
                continue
            directives = _DIRECTIVE.findall(text)
            if "%" not in text:
                wrong.append(f"iso, epoch_s, epoch_ms, excel or a strptime format, not {text!r}")
            elif len(directives) > len(set(directives)):
                wrong.append(f"each directive once in {text!r}")
            elif ("%p" in text) != ("%I" in text):
                wrong.append(f"%I together with %p in {text!r} (with %H the PM is lost)")
        if wrong:
            raise ValueError("; ".join(wrong))
        return self


class PointField(Section):
    """Where the call was: from two columns of numbers, or from one of text."""

    lon: Annotated[tuple[str, ...], BeforeValidator(_many)] = ()
    """Column of the longitude or easting."""
    lat: Annotated[tuple[str, ...], BeforeValidator(_many)] = ()
    """Column of the latitude or northing."""
    text: Annotated[tuple[str, ...], BeforeValidator(_many)] = ()
    """Column of texts such as ``(47.61, -122.33)``, ``POINT (-122.33 47.61)`` or GeoJSON."""
    order: Literal["lat_lon", "lon_lat"] = "lat_lon"
    """Order of the two numbers of `text`; WKT and GeoJSON have their own."""
    scale: tuple[float, float] = (1.0, 1.0)
    """What the numbers are multiplied by, east and north: [-0.000001, 0.000001] for millionths of a
    degree west."""
    crs: str = "EPSG:4326"
    """Reference system of the columns; anything but degrees is converted."""
    box: tuple[float, float, float, float] | None = None
    """West, south, east, north in degrees; points outside count as missing."""
    optional: bool = False
    """Whether a file may lack the columns."""

    @model_validator(mode="after")
    def _two_columns_or_text(self) -> PointField:
        if bool(self.lon) != bool(self.lat) or bool(self.text) == bool(self.lon):
            msg = "lon and lat, or text"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _known_crs(self) -> PointField:
        from pyproj import CRS
        from pyproj.exceptions import CRSError

        try:
            CRS.from_user_input(self.crs)
        except CRSError:
            msg = f"a reference system such as EPSG:4326, not {self.crs!r}"
            raise ValueError(msg) from None
        return self


class ServiceField(Section):
    """The service: one for all rows, or by a column."""

    constant: Service | None = None
    """Service of every row."""
    columns: Annotated[tuple[str, ...], BeforeValidator(_many)] = ()
    """Column that tells the service."""
    before: str | None = None
    """Take the text before the first such mark."""
    values: dict[Word, Service] = {}  # noqa: RUF012
    """Text in the file -> service, in upper or lower case; empty: the text is the service."""
    others: Literal["drop", "rest"] = "drop"
    """Rows of any other text: left out, or of the service that the caller names."""
    optional: bool = False
    """Whether a file may lack the column; then the caller names the service."""

    @model_validator(mode="after")
    def _one_way(self) -> ServiceField:
        if (self.constant is None) == (not self.columns):
            msg = "one service, or columns with values"
            raise ValueError(msg)
        return self


class RowRule(Section):
    """Rows to leave out."""

    columns: Columns
    """Column that tells."""
    values: Words
    """Texts that mark the rows, in upper or lower case."""
    reason: str
    """Why, in words."""


class ValidFlag(Section):
    """A flag of the publisher that says whether times can be trusted."""

    columns: Columns
    """Column of the flag."""
    values: Words = ("Y",)
    """Texts that mean valid; an empty cell counts as valid."""
    fields: Annotated[tuple[TimeName, ...], BeforeValidator(_many)]
    """Times that are missing where the flag says not valid."""
