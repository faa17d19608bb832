"""Write frames as files whose bytes depend on their content alone."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from deploy_opt.store import file_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_COORDINATE_DIGITS = 6
GPKG_STAMP = "2000-01-01T00:00:00Z"


def write_csv(frame: pd.DataFrame, path: Path, *, digits: int = 6) -> None:
    """Write a table: UTF-8, one header, floats with at most `digits` decimals, no index.

    Text that a spreadsheet would run as a formula gets a leading apostrophe.
    """
    safe = frame.copy()
    for name in safe.columns:
        if pd.api.types.is_float_dtype(safe[name].dtype):
            safe[name] = safe[name].astype("float64").round(digits)
        elif isinstance(
            safe[name].dtype, pd.CategoricalDtype | pd.StringDtype | np.dtypes.ObjectDType
        ):
            safe[name] = safe[name].astype(object).map(_without_formula)
    safe.to_csv(path, index=False, encoding="utf-8", lineterminator="\n")


def _without_formula(value: object) -> object:
    if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"}:
        return f"'{value}"
    return value


def write_parquet(frame: pd.DataFrame, path: Path) -> None:
    """Write a table as Parquet (zstd)."""
    frame.to_parquet(path, index=False, compression="zstd")


def write_json(value: object, path: Path) -> None:
    """Write plain values as indented JSON with sorted keys; NaN becomes null."""
    text = json.dumps(_plain(value), indent=1, sort_keys=True, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def _plain(value: Any) -> Any:  # noqa: ANN401  (any JSON value)
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    if value is None or isinstance(value, str | int | bool):
        return value
    return str(value)


def write_points_geojson(frame: pd.DataFrame, path: Path, *, properties: Sequence[str]) -> None:
    """Write rows with lon, lat as a GeoJSON point collection (RFC 7946).

    Parameters
    ----------
    frame
        Rows with lon and lat, WGS84 degrees.
    path
        The file.
    properties
        Columns to carry along.
    """
    rows = frame[list(properties)].to_dict("records")
    places = frame[["lon", "lat"]].round(_COORDINATE_DIGITS).to_numpy().tolist()
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": place},
            "properties": _plain(row),
        }
        for row, place in zip(rows, places, strict=True)
    ]
    collection = {"type": "FeatureCollection", "features": features}
    path.write_text(json.dumps(collection, ensure_ascii=False) + "\n", encoding="utf-8")


def write_points_gpkg(
    frame: pd.DataFrame, path: Path, *, properties: Sequence[str], layer: str
) -> None:
    """Write rows with lon, lat as a GeoPackage layer, with a fixed creation stamp."""
    import geopandas as gpd
    import pyogrio

    points = gpd.points_from_xy(frame["lon"], frame["lat"])
    layer_frame = gpd.GeoDataFrame(frame[list(properties)], geometry=points, crs="EPSG:4326")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": GPKG_STAMP})
    try:
        pyogrio.write_dataframe(layer_frame, path, layer=layer, driver="GPKG")
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


def write_files(folder: Path, writers: Mapping[str, Callable[[Path], None]]) -> dict[str, str]:
    """Write files into a folder: all are made first, then moved into place.

    Parameters
    ----------
    folder
        The folder; made when it is missing.
    writers
        Relative file name -> function that writes the file at the path it is given.

    Returns
    -------
    dict
        File name -> SHA-256 of its bytes, in the order of the names.
    """
    folder.mkdir(parents=True, exist_ok=True)
    hashes = {}
    with tempfile.TemporaryDirectory(prefix=".new-", dir=folder) as temporary:
        for name, write in writers.items():
            made = Path(temporary) / name
            made.parent.mkdir(parents=True, exist_ok=True)
            write(made)
            hashes[name] = file_hash(made)
        for name in writers:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            (Path(temporary) / name).replace(target)
    return dict(sorted(hashes.items()))


def remove_stale(folder: Path, files: Mapping[str, str], before: Mapping[str, str]) -> None:
    """Remove files that an earlier run wrote and this one does not.

    Only plain files inside the folder are removed, whatever an old manifest names.
    """
    inside = folder.resolve()
    for name in before:
        stale = folder / name
        if name in files or not stale.is_file() or inside not in stale.resolve().parents:
            continue
        stale.unlink()
        if stale.parent != folder and not any(stale.parent.iterdir()):
            stale.parent.rmdir()
