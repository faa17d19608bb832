"""Grids of square areas, one km and one minute a step: districts that one can draw."""

import numpy as np
import pandas as pd
from scipy import sparse

from deploy_opt.plan.districting.case import DistrictCase


def grid_borders(rows, columns):
    """Neighbours of a grid, a km of border each."""
    at = np.arange(rows * columns).reshape(rows, columns)
    pairs = np.vstack(
        [
            np.column_stack([at[:, :-1].ravel(), at[:, 1:].ravel()]),
            np.column_stack([at[:-1].ravel(), at[1:].ravel()]),
        ]
    )
    both = np.vstack([pairs, pairs[:, ::-1]])
    matrix = sparse.csr_array((np.ones(len(both)), both.T), shape=(rows * columns,) * 2)
    matrix.sort_indices()
    return matrix


def grid_times_s(rows, columns):
    """Seconds between the areas of a grid, along its lines."""
    place = np.stack(np.divmod(np.arange(rows * columns), columns), axis=1)
    return np.abs(place[:, None] - place[None]).sum(axis=2) * 60.0


def grid_frames(rows, columns, calls):
    """Workload and neighbour frames and labelled times of a grid, areas a0, a1, ..."""
    ids = [f"a{k}" for k in range(rows * columns)]
    pairs = sparse.triu(grid_borders(rows, columns)).tocoo()
    workload = pd.DataFrame({"area_id": ids, "workload_h": calls, "calls": calls}).astype(
        {"workload_h": float, "calls": float}
    )
    neighbours = pd.DataFrame(
        {
            "area_id": [ids[i] for i in pairs.row],
            "neighbour_id": [ids[j] for j in pairs.col],
            "border_km": pairs.data,
        }
    )
    times = pd.DataFrame(grid_times_s(rows, columns), index=ids, columns=ids)
    return workload, neighbours, times


def grid_case(rows, columns, calls, *, num_districts, band, **more):
    """A case on a grid that balances calls."""
    calls = np.asarray(calls, dtype=float)
    mean = calls.sum() / num_districts
    return DistrictCase(
        area_ids=tuple(f"a{k}" for k in range(len(calls))),
        workload_h=calls,
        travel_min=(grid_times_s(rows, columns) / 60 * calls).T.copy(),
        border_km=grid_borders(rows, columns),
        num_districts=num_districts,
        lower_h=mean * (1 - band),
        upper_h=mean * (1 + band),
        **more,
    )
