"""Read posts or hospitals from a table and propose further posts on the road graph."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList, InputError, nearest
from deploy_opt.inputs.text_tables import MISSING, TEXT_ENCODING, not_utf8, refuse_other_delimiter
from deploy_opt.seeds import stream

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_TRUE = frozenset({"1", "true", "yes", "y"})
_FALSE = frozenset({"0", "false", "no", "n"})


def read_posts(
    path: str | Path, *, columns: Mapping[str, str] | None = None, skip_rows: int = 0
) -> pd.DataFrame:
    """Read the table of posts.

    Parameters
    ----------
    path
        CSV with post_id, lon, lat and optionally name, capacity, current, units_today.
    columns
        Our column -> the file's.
    skip_rows
        Lines above the header.

    Returns
    -------
    pandas.DataFrame
        post_id, name (str), lon, lat (degrees), capacity (units, nullable), current (bool; true
        where the file does not say), units_today (int; 0 where the file does not say), in the
        order of the file.

    Raises
    ------
    InputError
        With every fault of the table.
    """
    file = Path(path)
    raw = _read_table(file, {"post_id": "post", **(columns or {})}, columns or {}, skip_rows)
    faults = FaultList()
    posts = _places(raw, "post_id", file, faults)
    posts["capacity"] = _whole(raw, "capacity", file, faults).astype("Int64")
    posts["current"] = _flags(raw, "current", file, faults)
    posts["units_today"] = _whole(raw, "units_today", file, faults).fillna(0).astype("int64")
    faults.raise_if_any()
    return posts


def read_hospitals(
    path: str | Path, *, columns: Mapping[str, str] | None = None, skip_rows: int = 0
) -> pd.DataFrame:
    """Read the table of hospitals.

    Parameters
    ----------
    path
        CSV with hospital_id, lon, lat and optionally name, handover_min.
    columns
        Our column -> the file's.
    skip_rows
        Lines above the header.

    Returns
    -------
    pandas.DataFrame
        hospital_id, name, lon, lat, handover_min (nullable).
    """
    file = Path(path)
    raw = _read_table(file, {}, columns or {}, skip_rows)
    faults = FaultList()
    hospitals = _places(raw, "hospital_id", file, faults)
    minutes = raw["handover_min"] if "handover_min" in raw else pd.Series(pd.NA, index=raw.index)
    hospitals["handover_min"] = pd.to_numeric(minutes, errors="coerce").astype("float64")
    faults.raise_if_any()
    return hospitals


def candidate_posts(
    posts: pd.DataFrame,
    demand: pd.DataFrame,
    *,
    node_lon: NDArray[np.float64],
    node_lat: NDArray[np.float64],
    num_candidates: int,
    seed: int,
) -> pd.DataFrame:
    """Propose posts on the road graph, spread as the calls are.

    Weighted k-means (Lloyd 1982) over the demand points, each centre moved to the nearest road
    node that no post stands on.

    Parameters
    ----------
    posts
        Posts that exist, as `read_posts` gives them.
    demand
        Demand points: lon, lat, weight (calls, any unit).
    node_lon, node_lat
        Road nodes, degrees, shape (nodes,).
    num_candidates
        Posts to propose.
    seed
        Seed of the scenario.

    Returns
    -------
    pandas.DataFrame
        Rows as `read_posts`, with ids ``C01``, ``C02``, ..., not current.
    """
    scale = np.cos(np.radians(float(np.mean(node_lat))))
    points = np.column_stack([demand["lon"].to_numpy() * scale, demand["lat"].to_numpy()])
    nodes = np.column_stack([node_lon * scale, node_lat])
    weights = np.maximum(demand["weight"].to_numpy(dtype=float), 1e-9)
    centres = _weighted_centres(points, weights, num_candidates, stream(seed, "candidate posts"))
    taken = set(_nearest(nodes, np.column_stack([posts["lon"] * scale, posts["lat"]])).tolist())
    chosen = []
    for centre in centres[np.lexsort((centres[:, 0], -centres[:, 1]))]:
        for node in np.argsort(((nodes - centre) ** 2).sum(axis=1), kind="stable"):
            if int(node) not in taken:
                taken.add(int(node))
                chosen.append(int(node))
                break
    width = len(str(max(len(chosen), 10)))
    return pd.DataFrame(
        {
            "post_id": [f"C{rank:0{width}d}" for rank in range(1, len(chosen) + 1)],
            "name": [f"Candidate {rank}" for rank in range(1, len(chosen) + 1)],
            "lon": node_lon[chosen],
            "lat": node_lat[chosen],
            "capacity": pd.array([pd.NA] * len(chosen), dtype="Int64"),
            "current": False,
            "units_today": np.zeros(len(chosen), dtype=np.int64),
        }
    )


def _weighted_centres(
    points: NDArray[np.float64],
    weights: NDArray[np.float64],
    num_centres: int,
    random: np.random.Generator,
) -> NDArray[np.float64]:
    if num_centres >= len(points):
        return points
    order = random.choice(len(points), size=num_centres, replace=False, p=weights / weights.sum())
    centres = points[np.sort(order)].copy()
    for _ in range(50):
        nearest_centre = _nearest(centres, points)
        mass = np.bincount(nearest_centre, weights, num_centres)
        moved = np.column_stack(
            [np.bincount(nearest_centre, weights * points[:, k], num_centres) for k in (0, 1)]
        )
        new = np.where(mass[:, None] > 0, moved / np.maximum(mass, 1e-12)[:, None], centres)
        if np.allclose(new, centres, rtol=0, atol=1e-9):
            break
        centres = new
    return centres


def _nearest(targets: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.int64]:
    from scipy.spatial import cKDTree

    return np.asarray(cKDTree(targets).query(points)[1], dtype=np.int64)


def _read_table(
    file: Path, aliases: Mapping[str, str], columns: Mapping[str, str], skip_rows: int
) -> pd.DataFrame:
    raw = _read_csv(file, skip_rows)
    for ours, theirs in columns.items():
        if theirs not in raw.columns:
            found, expected = f"no column {theirs!r}", f"the column for {ours}"
            raise InputError.of(str(file), found, expected, nearest(theirs, raw.columns))
    renamed = raw.rename(columns={theirs: ours for ours, theirs in columns.items()})
    for ours, alias in aliases.items():
        if ours not in renamed and alias in renamed:
            renamed = renamed.rename(columns={alias: ours})
    if renamed.empty:
        raise InputError.of(str(file), "no rows", "at least one row")
    return renamed


def _read_csv(file: Path, skip_rows: int) -> pd.DataFrame:
    """Read a table as text; a row may end in more empty cells than the header has."""
    if not file.is_file():
        near = nearest(file.name, [p.name for p in file.parent.glob("*")])
        raise InputError.of(str(file), "no such file", "a CSV table", near)
    try:
        with file.open(encoding=TEXT_ENCODING, newline="") as stream:
            lines = csv.reader(stream, skipinitialspace=True)
            for _ in range(skip_rows):
                next(lines, None)
            rows = [(lines.line_num, _without_empty_end(cells)) for cells in lines]
    except UnicodeDecodeError:
        raise not_utf8(file) from None
    except csv.Error as error:
        raise InputError.of(str(file), str(error), "a CSV table in UTF-8") from None
    rows = [(line, cells) for line, cells in rows if cells]
    if not rows:
        raise InputError.of(str(file), "an empty file", "a table with a header")
    if len(rows[0][1]) == 1 or ";" in rows[0][1][0]:
        refuse_other_delimiter(file, [rows[0][1][0]])
    header = [name.strip() or f"column {k}" for k, name in enumerate(rows[0][1], start=1)]
    faults = FaultList()
    for line, cells in rows[1:]:
        if len(cells) > len(header):
            faults.add(f"{file}: line {line}", f"{len(cells)} cells", f"at most {len(header)}")
    faults.raise_if_any()
    padded = [cells + [""] * (len(header) - len(cells)) for _, cells in rows[1:]]
    raw = pd.DataFrame(padded, columns=header, dtype=object)
    return raw.mask(raw.apply(lambda column: column.str.strip().str.lower().isin(MISSING)))


def _without_empty_end(cells: list[str]) -> list[str]:
    length = len(cells)
    while length and not cells[length - 1].strip():
        length -= 1
    return cells[:length]


def _places(raw: pd.DataFrame, key: str, file: Path, faults: FaultList) -> pd.DataFrame:
    for name in (key, "lon", "lat"):
        if name not in raw:
            faults.add(str(file), f"no column {name!r}", name, nearest(name, raw.columns))
    faults.raise_if_any()
    ids = raw[key].str.strip()
    for row in np.flatnonzero(ids.isna() | ids.duplicated()):
        faults.add(f"{file}: row {row + 1}, {key}", repr(ids.iloc[row]), "an id not used before")
    places = pd.DataFrame({key: ids})
    fallback = key.removesuffix("_id").capitalize() + " " + ids.astype(str)
    places["name"] = raw["name"].str.strip().fillna(fallback) if "name" in raw else fallback
    for name, limit in (("lon", 180.0), ("lat", 90.0)):
        values = pd.to_numeric(raw[name], errors="coerce")
        for row in np.flatnonzero(~(values.abs() <= limit)):
            found = repr(raw[name].iloc[row])
            expected = f"degrees between {-limit:g} and {limit:g}"
            faults.add(f"{file}: row {row + 1}, {name}", found, expected)
        places[name] = values.astype("float64")
    return places


def _whole(raw: pd.DataFrame, name: str, file: Path, faults: FaultList) -> pd.Series:
    if name not in raw:
        return pd.Series(pd.NA, index=raw.index, dtype="Float64")
    values = pd.to_numeric(raw[name], errors="coerce")
    wrong = raw[name].notna() & ~((values >= 0) & (values % 1 == 0))
    for row in np.flatnonzero(wrong):
        found = repr(raw[name].iloc[row])
        faults.add(f"{file}: row {row + 1}, {name}", found, "a whole number >= 0")
    return values.where(~wrong).astype("Float64")


def _flags(raw: pd.DataFrame, name: str, file: Path, faults: FaultList) -> pd.Series:
    if name not in raw:
        return pd.Series(data=True, index=raw.index)
    words = raw[name].str.strip().str.lower()
    for row in np.flatnonzero(~words.isin(_TRUE | _FALSE)):
        found = repr(raw[name].iloc[row])
        faults.add(f"{file}: row {row + 1}, {name}", found, "true or false")
    return words.isin(_TRUE)
