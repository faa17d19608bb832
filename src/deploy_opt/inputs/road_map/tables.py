"""Read tables of road nodes and arcs, and give every arc its driving times."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList, InputError, nearest
from deploy_opt.units import KPH_PER_MPS, SECONDS_PER_UNIT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SIREN_KPH = {
    "motorway": 100.0,
    "trunk": 80.0,
    "primary": 60.0,
    "secondary": 55.0,
    "tertiary": 50.0,
    "unclassified": 42.0,
    "residential": 40.0,
    "living_street": 20.0,
    "service": 20.0,
}
_OTHER_KPH = 40.0
_NODE_ALIASES = {"node_id": ("index", "node", "id", "osmid"), "lon": ("x",), "lat": ("y",)}
_ARC_ALIASES = {
    "from_node": ("fromNode", "from", "u", "source"),
    "to_node": ("toNode", "to", "v", "target"),
    "length_m": ("length",),
    "siren_s": ("mode_1",),
    "regular_s": ("mode_2",),
    "road_class": ("class", "highway"),
}
_FIRST_LINE = 2


def read_nodes(file: Path, columns: Mapping[str, str]) -> pd.DataFrame:
    """Read node_id, lon, lat (degrees) from CSV or Parquet.

    Parameters
    ----------
    file
        The table.
    columns
        Our column -> the file's.

    Raises
    ------
    InputError
        With every fault: columns, repeated ids, coordinates that are not degrees.
    """
    table = _renamed(_read(file), file, columns, _NODE_ALIASES, ("node_id", "lon", "lat"))
    table = table.assign(node_id=_id_text(table["node_id"]))
    faults = FaultList()
    for word, wrong in (
        ("an id", table["node_id"].isna()),
        ("an id not used before", table["node_id"].duplicated() & table["node_id"].notna()),
    ):
        if wrong.any():
            row = int(np.argmax(wrong))
            found = f"{_shown(table['node_id'].iloc[row])} ({int(wrong.sum())} such rows)"
            faults.add(f"{file}: line {row + _FIRST_LINE}, node_id", found, word)
    for name, limit in (("lon", 180.0), ("lat", 90.0)):
        values = pd.to_numeric(table[name], errors="coerce")
        wrong = ~(values.abs() <= limit)
        if wrong.any():
            row = int(np.argmax(wrong))
            found = f"{_shown(table[name].iloc[row])} ({int(wrong.sum())} such rows)"
            do = "give the nodes in WGS84 degrees" if values.abs().max() > limit else ""
            expected = f"degrees from {-limit:g} to {limit:g}"
            faults.add(f"{file}: line {row + _FIRST_LINE}, {name}", found, expected, do)
        table[name] = values.astype("float64")
    faults.raise_if_any()
    return table


def read_arcs(file: Path, columns: Mapping[str, str], time_unit: str) -> pd.DataFrame:
    """Read from_node, to_node and where present length_m, siren_s, regular_s, road_class.

    Parameters
    ----------
    file
        CSV or Parquet; one row for each direction.
    columns
        Our column -> the file's.
    time_unit
        Unit of the times in the file: s, min, h or days; they are turned into seconds.

    Raises
    ------
    InputError
        With every fault: columns, unknown unit, values that are not numbers of 0 or more.
    """
    if time_unit not in SECONDS_PER_UNIT:
        raise InputError.of("time_unit", repr(time_unit), ", ".join(SECONDS_PER_UNIT))
    table = _renamed(_read(file), file, columns, _ARC_ALIASES, ("from_node", "to_node"))
    faults = FaultList()
    for name in ("siren_s", "regular_s", "length_m"):
        if name not in table:
            continue
        values = pd.to_numeric(table[name], errors="coerce").astype("float64")
        wrong = ~((values >= 0) & np.isfinite(values))
        if wrong.any():
            row = int(np.argmax(wrong))
            found = f"{_shown(table[name].iloc[row])} ({int(wrong.sum())} such rows)"
            faults.add(f"{file}: line {row + _FIRST_LINE}, {name}", found, "a number of 0 or more")
        table[name] = values * (1.0 if name == "length_m" else SECONDS_PER_UNIT[time_unit])
    faults.raise_if_any()
    return table.assign(from_node=_id_text(table["from_node"]), to_node=_id_text(table["to_node"]))


def with_times(
    arcs: pd.DataFrame, speeds_kph: Mapping[str, float], regular_share: float, *, where: str
) -> pd.DataFrame:
    """Fill siren_s and regular_s where the file has no times.

    Parameters
    ----------
    arcs
        from_node, to_node and what `read_arcs` found.
    speeds_kph
        Siren speed by road class over the defaults, km/h; links count as their class.
    regular_share
        Regular speed as a share of siren speed, which fills one time from the other.
    where
        The file, for faults.

    Returns
    -------
    pandas.DataFrame
        With siren_s, regular_s (s) and road_class (str) in every row.

    Raises
    ------
    InputError
        When an arc has neither a time nor a length.
    """
    if "road_class" not in arcs:
        arcs = arcs.assign(road_class="road")
    arcs = arcs.assign(road_class=arcs["road_class"].fillna("road").astype(str))
    if "siren_s" not in arcs and "regular_s" in arcs:
        arcs = arcs.assign(siren_s=arcs["regular_s"] * regular_share)
    if "siren_s" not in arcs:
        lost = len(arcs) if "length_m" not in arcs else int(arcs["length_m"].isna().sum())
        if lost:
            found = f"{lost:,} of {len(arcs):,} arcs without a time or a length"
            raise InputError.of(where, found, "siren_s or length_m for every arc")
        speeds = {**SIREN_KPH, **speeds_kph}
        named = arcs["road_class"].map(speeds)
        kph = named.fillna(arcs["road_class"].str.removesuffix("_link").map(speeds))
        arcs = arcs.assign(siren_s=arcs["length_m"] / (kph.fillna(_OTHER_KPH) / KPH_PER_MPS))
    if "regular_s" not in arcs:
        arcs = arcs.assign(regular_s=arcs["siren_s"] / regular_share)
    return arcs


def _read(file: Path) -> pd.DataFrame:
    expected = "a table (CSV or Parquet)"
    if not file.is_file():
        near = nearest(file.name, [p.name for p in file.parent.glob("*")])
        raise InputError.of(str(file), "no such file", expected, near)
    if not file.stat().st_size:
        raise InputError.of(str(file), "an empty file", expected)
    try:
        if file.suffix.lower() in {".parquet", ".pq"}:
            return pd.read_parquet(file)
        return pd.read_csv(
            file, dtype=str, keep_default_na=False, na_values=[""], skipinitialspace=True
        )
    except (OSError, ValueError) as error:
        found = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError.of(str(file), found, expected) from None


def _renamed(
    table: pd.DataFrame,
    file: Path,
    columns: Mapping[str, str],
    aliases: Mapping[str, tuple[str, ...]],
    needed: tuple[str, ...],
) -> pd.DataFrame:
    faults = FaultList()
    names = {}
    for ours in columns:
        if ours not in aliases:
            do = nearest(ours, aliases)
            faults.add(
                str(file), f"the name {ours!r} in columns", f"one of {', '.join(aliases)}", do
            )
    for ours in aliases:
        choices = [columns[ours]] if ours in columns else [ours, *aliases[ours]]
        found = next((name for name in choices if name in table.columns), None)
        if found is not None:
            names[found] = ours
        elif ours in needed or ours in columns:
            near = nearest(choices[0], map(str, table.columns))
            faults.add(str(file), f"no column {choices[0]!r}", f"a column {choices[0]}", near)
    if table.empty:
        faults.add(str(file), "no rows", "at least one row")
    faults.raise_if_any()
    return table.rename(columns=names)[list(names.values())]


def _id_text(values: pd.Series) -> pd.Series:
    if pd.api.types.is_float_dtype(values.dtype) and (values.dropna() % 1 == 0).all():
        values = values.astype("Int64")
    return values.astype("string").str.strip().astype(object)


def _shown(value: object) -> str:
    return "an empty cell" if pd.isna(value) else repr(str(value))
