"""Read what the risk matrix is made from: calls, aid runs, overrides, constants, versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import yaml

from deploy_opt.errors import InputError, nearest

if TYPE_CHECKING:
    from pathlib import Path

_TIMES = ("received_at", "t_dispatch", "dispatched_at", "cleared_at", "t_clear")
_OFFSET = r"(?:Z|[+-]\d{2}:?\d{2})$"
_DAYS = ("date", "valid_from")
_TEXTS = (
    *("call_id", "incident_id", "aid_id", "call_type", "initial_type", "final_type", "responder"),
    *("reason", "text", "author", "origin", "level", "area_id"),
)


def read_calls_table(path: Path, *, zone: str | None = None) -> pd.DataFrame:
    """Read a table of calls, aid runs or decisions on them: CSV (also .gz) or Parquet.

    Columns keep their names; ids and types are text, columns that end in ``_at`` or are known as
    times become times: in `zone` where it is given, else in UTC where the text has offsets.

    Raises
    ------
    InputError
        For a file that is missing or no table, and times that cannot be read.
    """
    if not path.is_file():
        near = nearest(path.name, [p.name for p in path.parent.glob("*")])
        raise InputError.of(str(path), "no such file", "a CSV or Parquet file", near)
    try:
        if path.suffix.lower() in {".parquet", ".pq"}:
            frame = pd.read_parquet(path)
        else:
            texts = dict.fromkeys(_TEXTS, "string")
            frame = pd.read_csv(path, dtype=texts, encoding="utf-8-sig", low_memory=False)
    except (ValueError, OSError, UnicodeDecodeError) as error:
        found = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError.of(str(path), found, "a table with one header line, UTF-8") from error
    frame.columns = [str(name).strip() for name in frame.columns]
    for name in frame.columns:
        if name in _TIMES or name in _DAYS or name.endswith("_at"):
            frame[name] = _times(frame[name], path, None if name in _DAYS else zone)
    return frame


def _times(column: pd.Series, path: Path, zone: str | None) -> pd.Series:
    times = column
    if not pd.api.types.is_datetime64_any_dtype(column):
        text = column.dropna().astype(str).str.strip()
        zoned = bool(len(text)) and bool(text.str.contains(_OFFSET).any())
        try:
            times = pd.to_datetime(column, utc=zoned, format="ISO8601")
        except ValueError as error:
            expected = "ISO times, such as 2026-03-02T14:05:00-05:00"
            raise InputError.of(f"{path}: {column.name}", text.iloc[0], expected) from error
    if zone is None:
        return times
    return times.dt.tz_localize(zone) if times.dt.tz is None else times.dt.tz_convert(zone)


def read_params(path: Path) -> dict[str, Any]:
    """Read the constants of a risk matrix from YAML.

    Raises
    ------
    InputError
        For a file that is missing or holds no keys.
    """
    if not path.is_file():
        near = nearest(path.name, [p.name for p in path.parent.glob("*.y*ml")])
        raise InputError.of(str(path), "no such file", "a YAML file of constants", near)
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        found = str(error).splitlines()[0]
        raise InputError.of(str(path), found, "YAML, indented by spaces") from error
    if tree is not None and not isinstance(tree, dict):
        raise InputError.of(
            str(path), type(tree).__name__, "keys such as cell_map, likelihood_cuts"
        )
    return dict(tree or {})
