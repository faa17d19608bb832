"""Read what is asked of districts from frames or arrays; every fault is named, all at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deploy_opt.errors import FaultList, InputError
from deploy_opt.inputs.area_neighbours import AreaNeighbours, symmetric
from deploy_opt.units import SECONDS_PER_MINUTE

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray
    from scipy import sparse

_SHOWN = 6
_WHERE = "districts"


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Areas with their work, neighbours and times.

    Attributes
    ----------
    area_ids
        Ids, in the order of every array's area axis.
    workload_h
        Unit-hours that calls commit, shape (areas,).
    calls
        Calls that are travelled to, shape (areas,).
    times_s
        Seconds from each area as a centre (row) to each area (column), shape (areas, areas).
    border_km
        Shared borders; an entry is present exactly for neighbours, shape (areas, areas).
    area_km2, outline_km
        Surface, and outline that borders on no other area, shape (areas,); None: unknown.
    notes
        Bridges between islands.
    """

    area_ids: tuple[str, ...]
    workload_h: NDArray[np.float64]
    calls: NDArray[np.float64]
    times_s: NDArray[np.float64]
    border_km: sparse.csr_array
    area_km2: NDArray[np.float64] | None = None
    outline_km: NDArray[np.float64] | None = None
    notes: tuple[str, ...] = ()

    @property
    def num_areas(self) -> int:
        """Number of areas."""
        return len(self.area_ids)

    @property
    def travel_min(self) -> NDArray[np.float64]:
        """Call-minutes of area i (row) from centre j (column); no calls travel no minutes."""
        with np.errstate(invalid="ignore"):
            minutes = self.times_s.T / SECONDS_PER_MINUTE * self.calls[:, None]
        return np.where(self.calls[:, None] > 0, minutes, 0.0)


def read_places(
    workload: Any,  # noqa: ANN401 - frame or array
    neighbours: Any,  # noqa: ANN401 - frame, AreaNeighbours or scipy sparse (untyped)
    times_s: Any,  # noqa: ANN401 - frame or array
    *,
    calls: Any = None,  # noqa: ANN401 - array
    area_ids: Sequence[str] | None = None,
) -> Places:
    """Read areas; see `deploy_opt.plan.districts.design_districts` for the forms.

    Raises
    ------
    InputError
        Everything that is wrong, at once.
    """
    faults = FaultList()
    ids, hours, num_calls = _work(workload, calls, area_ids, faults)
    times = _times(times_s, ids, faults)
    border_km = _borders(neighbours, ids, faults)
    faults.raise_if_any()
    _check_pieces(border_km, ids, faults)
    faults.raise_if_any()
    known = isinstance(neighbours, AreaNeighbours)
    return Places(
        tuple(ids),
        hours,
        num_calls,
        times,
        border_km,
        neighbours.area_km2 if known else None,
        neighbours.outline_km if known else None,
        neighbours.notes if known else (),
    )


def read_districts(
    given: Any,  # noqa: ANN401 - mapping, series, frame or array
    area_ids: tuple[str, ...],
    where: str,
    faults: FaultList,
) -> NDArray[np.object_]:
    """Read the district name of each area, None for none, shape (areas,).

    Parameters
    ----------
    given
        Mapping or series of area_id to name, or one name per area; None, NaN, an empty text and
        -1 mean none.
    area_ids
        Areas.
    where
        Name of the argument, for faults.
    faults
        Where faults are noted.
    """
    if isinstance(given, Mapping):
        pairs = dict(given)
    elif hasattr(given, "index") and hasattr(given, "items"):
        pairs = dict(given.items())
    else:
        names = np.asarray(given, dtype=object).ravel()
        if len(names) != len(area_ids):
            faults.add(f"{_WHERE}: {where}", f"{len(names)} entries", f"{len(area_ids)} areas")
            return np.full(len(area_ids), None, dtype=object)
        pairs = dict(zip(area_ids, names, strict=True))
    by_id = {str(area): _name(name) for area, name in pairs.items()}
    unknown = sorted(set(by_id) - set(area_ids))
    if unknown:
        faults.add(f"{_WHERE}: {where}", listed(unknown), "ids of areas")
    return np.array([by_id.get(area) for area in area_ids], dtype=object)


def listed(names: Sequence[str]) -> str:
    """Join names, the first few of many.

    Examples
    --------
    >>> listed(["a", "b"])
    'a, b'
    """
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _name(value: Any) -> str | None:  # noqa: ANN401 - a cell
    if value is None or value != value or value in {"", -1}:  # noqa: PLR0124 - NaN
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _work(
    workload: Any,  # noqa: ANN401 - frame or array
    calls: Any,  # noqa: ANN401 - array
    area_ids: Sequence[str] | None,
    faults: FaultList,
) -> tuple[list[str], NDArray[np.float64], NDArray[np.float64]]:
    """Read ids, hours and calls."""
    if hasattr(workload, "columns"):
        missing = {"area_id", "workload_h"} - set(workload.columns)
        if missing:
            raise InputError.of(
                f"{_WHERE}: workload", f"no column {', '.join(sorted(missing))}",
                "area_id, workload_h and, for travel, calls",
            )  # fmt: skip
        ids = workload["area_id"].astype(str).tolist()
        hours = workload["workload_h"].to_numpy(dtype=float)
        if calls is None and "calls" in workload.columns:
            calls = workload["calls"].to_numpy(dtype=float)
    else:
        hours = np.asarray(workload, dtype=float).ravel()
        ids = [str(i) for i in (range(len(hours)) if area_ids is None else area_ids)]
    twice = sorted(area for area, times in Counter(ids).items() if times > 1)
    if twice:
        faults.add(f"{_WHERE}: workload", f"{listed(twice)} twice", "each area once")
    num_calls = hours if calls is None else np.asarray(calls, dtype=float).ravel()
    for name, values in (("workload_h", hours), ("calls", num_calls)):
        if len(values) != len(ids):
            faults.add(f"{_WHERE}: {name}", f"{len(values)} values", f"{len(ids)} areas")
            continue
        bad = [ids[i] for i in np.flatnonzero(~(np.isfinite(values) & (values >= 0)))]
        if bad:
            faults.add(f"{_WHERE}: {name}", f"negative or missing at {listed(bad)}", "numbers >= 0")
    if not np.nansum(hours) > 0:
        faults.add(
            f"{_WHERE}: workload_h", "no work in any area", "work to balance",
            "check the period and the filters of the calls",
        )  # fmt: skip
    return ids, hours, num_calls


def _times(times_s: Any, ids: list[str], faults: FaultList) -> NDArray[np.float64]:  # noqa: ANN401
    """Read seconds from centre (row) to area (column)."""
    if hasattr(times_s, "columns"):
        labelled: pd.DataFrame = times_s.set_axis(times_s.index.astype(str))
        labelled = labelled.set_axis(labelled.columns.astype(str), axis=1)
        unknown = sorted(set(ids) - (set(labelled.index) & set(labelled.columns)))
        if unknown:
            faults.add(
                f"{_WHERE}: times_s", f"no times of {listed(unknown)}", "a row and column per area"
            )
            return np.zeros((len(ids), len(ids)))
        times_s = labelled.loc[ids, ids]
    times = np.asarray(times_s, dtype=float)
    if times.shape != (len(ids), len(ids)):
        faults.add(f"{_WHERE}: times_s", f"shape {times.shape}", f"({len(ids)}, {len(ids)})")
        return np.zeros((len(ids), len(ids)))
    if np.isnan(times).any() or (times < 0).any():
        faults.add(f"{_WHERE}: times_s", "missing or negative seconds", "seconds >= 0, inf: no way")
    return times


def _borders(neighbours: Any, ids: list[str], faults: FaultList) -> sparse.csr_array:  # noqa: ANN401
    """Read neighbours as a symmetric matrix of border lengths."""
    from scipy import sparse

    num_areas = len(ids)
    nothing = sparse.csr_array((num_areas, num_areas))
    where = f"{_WHERE}: neighbours"
    if isinstance(neighbours, AreaNeighbours):
        if list(neighbours.area_ids) == ids:
            return neighbours.border_km
        if set(neighbours.area_ids) != set(ids):
            faults.add(where, "other areas than in workload", "the same areas")
        else:
            faults.add(where, "areas in another order than in workload", "the same order")
        return nothing
    if hasattr(neighbours, "columns"):
        return _framed(neighbours, ids, faults)
    matrix = sparse.csr_array(neighbours, dtype=float)
    if matrix.shape != (num_areas, num_areas):
        faults.add(where, f"shape {matrix.shape}", f"({num_areas}, {num_areas})")
        return nothing
    pairs = matrix.tocoo()
    if (matrix != matrix.T).nnz or pairs.row.size != matrix.T.tocsr().nnz:
        faults.add(where, "a pair in one direction only", "a symmetric matrix")
    apart = pairs.row != pairs.col
    return symmetric(
        {
            (int(min(i, j)), int(max(i, j))): float(km)
            for i, j, km in zip(pairs.row[apart], pairs.col[apart], pairs.data[apart], strict=True)
        },
        num_areas,
    )


def _framed(frame: pd.DataFrame, ids: list[str], faults: FaultList) -> sparse.csr_array:
    """Read a frame of pairs."""
    where = f"{_WHERE}: neighbours"
    position = {area: at for at, area in enumerate(ids)}
    missing = {"area_id", "neighbour_id"} - set(frame.columns)
    if missing:
        faults.add(where, f"no column {', '.join(sorted(missing))}", "area_id, neighbour_id")
        return symmetric({}, len(ids))
    ends = frame[["area_id", "neighbour_id"]].astype(str)
    lengths = frame["border_km"].to_numpy(dtype=float) if "border_km" in frame else None
    unknown = sorted({area for area in ends.to_numpy().ravel() if area not in position})
    if unknown:
        faults.add(where, listed(unknown), "ids of areas in workload")
    pairs: dict[tuple[int, int], float] = {}
    corners = []
    for row, (one, other) in enumerate(ends.itertuples(index=False)):
        if one == other or one not in position or other not in position:
            continue
        km = np.nan if lengths is None else float(lengths[row])
        if km <= 0:
            corners.append(f"{one} and {other}")
            continue
        a, b = sorted((position[one], position[other]))
        pairs[a, b] = 0.0 if np.isnan(km) else km
    if corners:
        faults.add(
            where, f"{listed(corners)} with a border of 0 km: they touch at a corner only",
            "neighbours that share a border",
            "leave such pairs out, or leave border_km empty where patrols can cross",
        )  # fmt: skip
    return symmetric(pairs, len(ids))


def _check_pieces(border_km: sparse.csr_array, ids: list[str], faults: FaultList) -> None:
    """Note areas that do not hang together; islands by their name."""
    from scipy.sparse.csgraph import connected_components

    num_pieces, piece = connected_components(border_km, directed=False)
    if num_pieces == 1:
        return
    main = int(np.argmax(np.bincount(piece)))
    for k in range(num_pieces):
        own = [ids[i] for i in np.flatnonzero(piece == k)]
        if k == main:
            continue
        what = f"{own[0]}, an island" if len(own) == 1 else f"a separate piece: {listed(own)}"
        faults.add(
            f"{_WHERE}: neighbours", what, "areas that all hang together by shared borders",
            "add the link that patrols can take to the nearest area",
        )  # fmt: skip
