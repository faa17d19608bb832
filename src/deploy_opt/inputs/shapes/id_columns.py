"""Find the column of an areas file that holds the area codes of the call records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deploy_opt.errors import InputError
from deploy_opt.inputs.shapes.labels import area_ids

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

FEWEST_NAMED = 0.5


def id_column_for(raw: gpd.GeoDataFrame, record_codes: pd.Series, where: str) -> str:
    """Find the column whose values are the area codes that most calls name.

    Parameters
    ----------
    raw
        The rows of the areas file.
    record_codes
        Area code of each call that names one, as text.
    where
        The file, for faults.

    Returns
    -------
    str
        The column.

    Raises
    ------
    InputError
        When no column holds the codes of half of these calls; names what each holds.
    """
    calls = record_codes.astype(str).value_counts()
    named = {}
    for column in raw.columns.drop(raw.geometry.name):
        try:
            ids, _ = area_ids(raw, str(column), where)
        except InputError:  # rows without a value: no id
            continue
        named[str(column)] = float(calls[calls.index.isin(set(ids))].sum() / calls.sum())
    best = max(named, key=lambda column: named[column], default=None)
    if best is None or named[best] < FEWEST_NAMED:
        shown = ", ".join(f"{name} such as {raw[name].iloc[0]}" for name in list(named)[:8])
        found = f"no column with the area codes of the calls, such as {calls.index[0]}"
        raise InputError.of(where, found, f"one of its columns to hold them ({shown})")
    return best
