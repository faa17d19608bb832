"""Ids and names of areas, from the columns of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import InputError, nearest

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

_ID_NAMES = ("area_id", "id", "geoid")
_NAME_NAMES = ("name", "label")


def area_ids(
    raw: gpd.GeoDataFrame, id_column: str | None, where: str
) -> tuple[NDArray[np.object_], list[str]]:
    """Read the id of each row, as text.

    Parameters
    ----------
    raw
        The rows of the file.
    id_column
        Column of the id; None takes area_id, id or geoid, else the number of the row.
    where
        The file, for faults.

    Returns
    -------
    tuple
        Ids, shape (rows,), and a note when they are numbers of rows.

    Raises
    ------
    InputError
        For an unknown column and for rows without an id.
    """
    column = id_column or _first_named(raw, _ID_NAMES)
    if column is None:
        words = "areas: no id column; the row numbers are taken, which change with the file: "
        notes = [words + "set inputs.areas.id_column"] if len(raw) > 1 else []
        return np.arange(1, len(raw) + 1).astype(str).astype(object), notes
    values = _column(raw, column, "id_column", where)
    missing = np.flatnonzero(values.isna())
    if missing.size:
        found = f"no id in row {missing[0] + 1} ({missing.size} such rows)"
        raise InputError.of(f"{where}: {column}", found, "an id for every area")
    return values.to_numpy(dtype=object), []


def area_names(
    raw: gpd.GeoDataFrame, name_column: str | None, ids: NDArray[np.object_], where: str
) -> NDArray[np.object_]:
    """Read the name of each row, shape (rows,); its id where there is none.

    Parameters
    ----------
    raw
        The rows of the file.
    name_column
        Column of the name; None takes name or label, else the ids.
    ids
        Ids of the rows.
    where
        The file, for faults.

    Raises
    ------
    InputError
        For an unknown column.
    """
    column = name_column or _first_named(raw, _NAME_NAMES)
    if column is None:
        return ids
    values = _column(raw, column, "name_column", where)
    return np.where(values.isna(), ids, values.to_numpy(dtype=object, na_value=None))


def display_names(ids: pd.Series, names: pd.Series) -> pd.Series:
    """Write the id before every name that several areas share.

    Examples
    --------
    >>> ids, names = pd.Series(["10003", "10044"]), pd.Series(["New York", "New York"])
    >>> display_names(ids, names).tolist()
    ['10003 New York', '10044 New York']
    """
    shared = names.duplicated(keep=False) & (names != ids)
    return names.where(~shared, ids + " " + names)


def _column(raw: gpd.GeoDataFrame, wanted: str, key: str, where: str) -> pd.Series:
    columns = [str(name) for name in raw.columns if name != raw.geometry.name]
    if wanted not in columns:
        do = nearest(wanted, columns) or f"the columns are {', '.join(columns[:12])}"
        raise InputError.of(f"{where}: {key}", f"no column {wanted!r}", "a column of the file", do)
    values = raw[wanted]
    if pd.api.types.is_float_dtype(values.dtype) and (values.dropna() % 1 == 0).all():
        values = values.astype("Int64")
    return values.astype("string").str.strip().replace("", pd.NA)


def _first_named(raw: gpd.GeoDataFrame, names: tuple[str, ...]) -> str | None:
    by_lower = {str(name).lower(): str(name) for name in reversed(list(raw.columns))}
    return next((by_lower[name] for name in names if name in by_lower), None)
