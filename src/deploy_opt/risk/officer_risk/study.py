"""Read what an officer-risk study needs from one YAML file: calls, records, weather, choices."""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd
import yaml
from pydantic import Field, ValidationError

from deploy_opt.errors import Fault, FaultList, InputError, nearest
from deploy_opt.input_settings import Section
from deploy_opt.inputs.records_labels import (
    CAMDEN,
    SCALE,
    OutcomeLevels,
    RecordKind,
    RecordLayout,
    events_of,
    label_calls,
    read_outcomes,
)
from deploy_opt.risk.officer_risk.features import (
    KNOWN_AT_DISPATCH,
    Sources,
    dispatch_features,
    known_at_dispatch,
)
from deploy_opt.risk.officer_risk.params import OfficerRiskParams
from deploy_opt.risk.officer_risk.past import learn_past

if TYPE_CHECKING:
    from numpy.typing import NDArray

CATEGORY_OF_REST = "not modelled"
"""Category of the call types that no category lists; they count in the past alone."""


class RecordsFile(Section):
    """One file of records."""

    file: Path
    kind: RecordKind
    event_key: str
    entered_on: str
    happened_on: str | None = None
    area_id: str | None = None
    flags: dict[str, str | dict[str, tuple[str, ...]]] = Field(default_factory=dict)
    """Flag -> column of yes and no, or column and the values that set it."""
    always: tuple[str, ...] = ()
    """Flags that every row sets."""

    def layout(self) -> RecordLayout:
        """Give the columns as the reader takes them."""
        flags = {
            name: rule if isinstance(rule, str) else next(iter(rule.items()))
            for name, rule in self.flags.items()
        }
        return RecordLayout(
            self.event_key, self.entered_on, self.happened_on, self.area_id, flags, self.always
        )


class StudyFile(Section):
    """A study of officer risk; paths stand relative to the file."""

    incidents: Path
    """Calls as ``deploy-opt import`` writes them; call_type as dispatched."""
    time_zone: str
    """IANA zone of the local day."""
    categories: dict[str, tuple[str, ...]] = Field(min_length=1)
    """Broad category -> its call types."""
    records: tuple[RecordsFile, ...] = Field(min_length=1)
    outcome: Literal["camden", "scale"] | dict[str, tuple[str, ...]] = "camden"
    """Levels by name, or level -> flags, the lowest first and without flags."""
    known_until: dt.date | None = None
    """Day of the extract of the records; default: their last entry."""
    mature_days: int = Field(30, ge=0)
    """Days after a call in which records are still entered."""
    weather: Path | None = None
    """date and temperature_c, precipitation_mm, snowfall_cm, wind_kph or fog, a row a day."""
    weather_is_forecast: bool = False
    """Whether the weather of a day was forecast before it; otherwise the day before counts."""
    census: Path | None = None
    """area_id and aggregates of the area."""
    area_groups: Path | None = None
    """area_id and group, for results by group."""
    params: dict[str, Any] = Field(default_factory=dict)
    """Choices of the fit, see `OfficerRiskParams`."""


@dataclass(frozen=True, slots=True)
class Study:
    """What a study has read.

    Attributes
    ----------
    features
        Of the calls that are in a category and whose records are complete.
    labels
        Level of each of them.
    sources
        Past of all calls, weather and census.
    params
        The choices, with the names of the levels.
    group_of_area
        Area -> group, or None.
    category_of_type
        Call type -> category.
    time_zone
        IANA zone of the local day.
    notes
        What was left out, in words.
    """

    features: pd.DataFrame
    labels: NDArray[Any]
    sources: Sources
    params: OfficerRiskParams
    group_of_area: dict[str, str] | None
    category_of_type: dict[str, str]
    time_zone: str
    notes: tuple[str, ...]


def read_study(path: Path) -> Study:
    """Read a study file and all that it names.

    Raises
    ------
    InputError
        Names every fault of the file, then of what it names.
    """
    settings = load_study_file(path)
    folder = path.parent
    params = _params(path, settings)
    category_of_type = {kind: name for name, kinds in settings.categories.items() for kind in kinds}
    incidents = _table(folder / settings.incidents)
    calls, notes = study_calls(incidents, category_of_type, settings.time_zone)
    records = [read_outcomes(folder / r.file, r.kind, r.layout()) for r in settings.records]
    events = {
        kind: pd.concat(own, ignore_index=True)
        for kind in ("arrest", "injury")
        if (own := [events_of(t, calls) for t in records if t["kind"].eq(kind).any()])
    }
    sources = Sources(
        past=learn_past(calls, **events),
        weather=_dated(folder, settings.weather),
        weather_is_forecast=settings.weather_is_forecast,
        census=None if settings.census is None else _table(folder / settings.census),
    )
    until = settings.known_until
    told = label_calls(
        calls,
        records,
        outcome=_outcome(settings),
        known_until=None if until is None else pd.Timestamp(until),
        mature_days=settings.mature_days,
    )
    use = told["mature"].to_numpy() & (calls["category"] != CATEGORY_OF_REST).to_numpy()
    young = int((~told["mature"]).sum())
    if young:
        notes = (*notes, f"{young} calls left out: their records may still be entered")
    groups = None
    if settings.area_groups is not None:
        table = _table(folder / settings.area_groups)
        groups = dict(zip(table["area_id"].astype(str), table["group"].astype(str), strict=True))
    return Study(
        features=dispatch_features(calls[use].reset_index(drop=True), sources),
        labels=told.loc[use, "level"].to_numpy(),
        sources=sources,
        params=params,
        group_of_area=groups,
        category_of_type=category_of_type,
        time_zone=settings.time_zone,
        notes=notes,
    )


def study_calls(
    incidents: pd.DataFrame, category_of_type: dict[str, str], time_zone: str
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Take what is known at dispatch, in local time and with the category of each call.

    Parameters
    ----------
    incidents
        incident_id, received_at (zoned), call_type, area_id and more, of which only
        `KNOWN_AT_DISPATCH` is taken; with columns about persons the table is refused.
    category_of_type
        Call type -> category.
    time_zone
        IANA zone of the local day.

    Returns
    -------
    tuple
        The calls, and what was left out in words.

    Raises
    ------
    InputError
        For columns about persons and missing columns.
    """
    faults = FaultList()
    for column in ("incident_id", "received_at", "call_type", "area_id"):
        if column not in incidents.columns:
            faults.add("calls", f"no column {column!r}", f"a column {column}")
    faults.raise_if_any()
    calls = known_at_dispatch(incidents)
    whole = calls["area_id"].notna() & calls["received_at"].notna() & calls["incident_id"].notna()
    calls = calls[whole].reset_index(drop=True)
    at = pd.to_datetime(calls["received_at"], utc=True)
    kinds = calls["call_type"].astype("string")
    category = kinds.map(category_of_type).fillna(CATEGORY_OF_REST).astype(object)
    calls = calls.assign(received_at=at.dt.tz_convert(time_zone), category=category)
    left = int((~whole).sum())
    notes = (f"{left} calls left out: without area, time or number",) if left else ()
    return calls[[name for name in KNOWN_AT_DISPATCH if name in calls.columns]], notes


def load_study_file(path: Path) -> StudyFile:
    """Read and check a study file.

    Raises
    ------
    InputError
        Names every unknown key and wrong value.
    """
    try:
        raw = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError.of(str(path), str(error).splitlines()[0], "a YAML file") from error
    if not isinstance(raw, dict):
        raise InputError.of(
            str(path), "no keys", f"keys such as {', '.join(StudyFile.model_fields)}"
        )
    try:
        return StudyFile.model_validate(raw)
    except ValidationError as error:
        faults = []
        for item in error.errors():
            key = ".".join(str(part) for part in item["loc"])
            if item["type"] == "extra_forbidden":
                near = nearest(str(item["loc"][-1]), StudyFile.model_fields)
                faults.append(Fault(f"{path}: {key}", "an unknown key", "a known key", near))
                continue
            words = item["msg"].removeprefix("Input should be ")
            found = "nothing" if item["type"] == "missing" else repr(item["input"])[:60]
            faults.append(Fault(f"{path}: {key}", found, words))
        raise InputError(faults) from error


def _params(path: Path, settings: StudyFile) -> OfficerRiskParams:
    known = [field.name for field in dataclasses.fields(OfficerRiskParams)]
    faults = FaultList()
    for name in settings.params:
        if name not in known or name == "levels":
            faults.add(
                f"{path}: params.{name}", "an unknown key", "a known key", nearest(name, known)
            )
    faults.raise_if_any()
    try:
        return OfficerRiskParams(levels=_outcome(settings).names, **settings.params)
    except TypeError as error:
        raise InputError.of(f"{path}: params", str(error), "numbers and words") from error


def _outcome(settings: StudyFile) -> OutcomeLevels:
    if isinstance(settings.outcome, str):
        return {"camden": CAMDEN, "scale": SCALE}[settings.outcome]
    lowest, *above = settings.outcome.items()
    return OutcomeLevels(lowest[0], tuple(above))


def _table(path: Path) -> pd.DataFrame:
    try:
        if path.suffix.lower() in {".parquet", ".pq"}:
            return pd.read_parquet(path)
        return pd.read_csv(path, dtype={"area_id": str, "incident_id": str})
    except (OSError, ValueError) as error:
        raise InputError.of(
            str(path), str(error).splitlines()[0], "a CSV or Parquet file"
        ) from error


def _dated(folder: Path, name: Path | None) -> pd.DataFrame | None:
    if name is None:
        return None
    table = _table(folder / name)
    if "date" not in table.columns:
        raise InputError.of(str(folder / name), "no column 'date'", "a column date")
    return table.assign(date=pd.to_datetime(table["date"], errors="coerce"))
