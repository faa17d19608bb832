"""The files of districts: tables, and shapes that GIS and CAD staff load."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.report.district_page import render_districts
from deploy_opt.report.district_results import names_of_areas, shares_of_mean, sums_by_district
from deploy_opt.report.district_shapes import district_polygons
from deploy_opt.report.district_summary import district_summary
from deploy_opt.report.district_tables import curve_table, districts_table, loads_table
from deploy_opt.report.district_words import why_sentences
from deploy_opt.report.files import GPKG_STAMP, write_csv, write_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import geopandas as gpd

    from deploy_opt.plan.districting.results import DistrictPlan
    from deploy_opt.report.district_results import DistrictReport

PAGE = "districts.html"
_DIGITS = 6


def district_writers(report: DistrictReport) -> dict[str, Callable[[Path], None]]:
    """Name the files of districts and how each is written.

    Returns
    -------
    dict
        File name -> function that writes it: ``districts.csv`` and ``districts_<shift>.csv``,
        ``district_loads.csv``, ``districts_curve.csv``, ``district_units.csv``,
        ``districts.geojson`` (districts), ``district_areas.geojson``, ``districts.gpkg`` (layers
        districts and areas), ``districts.json`` (every number), ``districts.html``.
    """
    writers: dict[str, Callable[[Path], None]] = {
        "districts.csv": lambda path: write_csv(districts_table(report), path),
        "district_loads.csv": lambda path: write_csv(loads_table(report), path),
        "districts.geojson": lambda path: write_geojson(district_frame(report), path),
        "district_areas.geojson": lambda path: write_geojson(area_frame(report), path),
        "districts.gpkg": lambda path: write_gpkg(
            {"districts": district_frame(report), "areas": area_frame(report)}, path
        ),
        "districts.json": lambda path: write_json(
            district_summary(report) | {"why": why_sentences(report)}, path
        ),
        PAGE: lambda path: _write_text(render_districts(report), path),
    }
    for shift in report.by_shift:
        writers[f"districts_{shift}.csv"] = _shift_writer(report, shift)
    if report.curve:
        writers["districts_curve.csv"] = lambda path: write_csv(curve_table(report), path)
    if report.units is not None:
        units = report.units
        writers["district_units.csv"] = lambda path: write_csv(units, path)
    return writers


def _shift_writer(report: DistrictReport, shift: str) -> Callable[[Path], None]:
    return lambda path: write_csv(districts_table(report, shift), path)


def _write_text(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")


def district_frame(report: DistrictReport, plan: DistrictPlan | None = None) -> gpd.GeoDataFrame:
    """Make the polygons of the districts with their numbers.

    Parameters
    ----------
    report
        The results.
    plan
        The districts; None: those of the plan.

    Returns
    -------
    geopandas.GeoDataFrame
        district, areas, workload_h, share_of_mean, calls, centre_area_id, area_ids (parted by
        spaces), moved_in, moved_out (ids of areas that join and leave), geometry (valid
        multipolygons, EPSG:4326); in the order of the districts.
    """
    import geopandas as gpd

    plan = plan or report.plan
    ids = np.array(report.area_ids, dtype=object)
    loads = sums_by_district(report.area_h, plan)
    now = names_of_areas(plan)
    before = now if report.today is None else names_of_areas(report.today)

    def listed(chosen: np.ndarray) -> str:
        return " ".join(ids[chosen])

    columns = {
        "district": list(plan.names),
        "areas": np.bincount(plan.district_of[plan.district_of >= 0], minlength=len(plan.names)),
        "workload_h": loads.round(_DIGITS),
        "share_of_mean": shares_of_mean(loads).round(_DIGITS),
        "calls": sums_by_district(report.area_calls, plan).round(_DIGITS),
        "centre_area_id": ids[plan.centre],
        "area_ids": [listed(now == name) for name in plan.names],
        "moved_in": [listed((now == name) & (before != name)) for name in plan.names],
        "moved_out": [listed((now != name) & (before == name)) for name in plan.names],
    }
    shapes = district_polygons(report.areas, plan.district_of, len(plan.names))
    return gpd.GeoDataFrame(columns, geometry=shapes, crs="EPSG:4326")


def area_frame(report: DistrictReport) -> gpd.GeoDataFrame:
    """Make the polygons of the areas with the columns of ``districts.csv``."""
    import geopandas as gpd

    table = districts_table(report)
    table["district_today"] = table["district_today"].astype("string")
    for name in ("workload_h", "calls"):
        table[name] = table[name].round(_DIGITS)
    return gpd.GeoDataFrame(table, geometry=report.areas.frame.geometry.to_numpy(), crs="EPSG:4326")


def write_geojson(frame: gpd.GeoDataFrame, path: Path) -> None:
    """Write polygons as GeoJSON (RFC 7946): degrees with six decimals, outer rings to the left."""
    import shapely

    shapes = shapely.orient_polygons(rounded(frame.geometry.to_numpy()))
    rows = frame.drop(columns=frame.geometry.name).astype(object)
    rows = rows.where(rows.notna(), None).to_dict("records")
    features = [
        {"type": "Feature", "geometry": json.loads(text), "properties": _plain(row)}
        for text, row in zip(shapely.to_geojson(shapes), rows, strict=True)
    ]
    document = {"type": "FeatureCollection", "features": features}
    path.write_text(json.dumps(document, ensure_ascii=False) + "\n", encoding="utf-8")


def _plain(row: dict[str, object]) -> dict[str, object]:
    return {k: v.item() if isinstance(v, np.generic) else v for k, v in row.items()}


def rounded(shapes: np.ndarray) -> np.ndarray:
    """Round corners to six decimals of a degree (about 0.1 m) and keep every shape valid."""
    import shapely

    return np.asarray(shapely.set_precision(shapes, 10.0**-_DIGITS))


def write_gpkg(layers: dict[str, gpd.GeoDataFrame], path: Path) -> None:
    """Write layers of polygons into one GeoPackage with a fixed creation stamp."""
    import pyogrio
    import shapely

    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": GPKG_STAMP})
    try:
        for layer, frame in layers.items():
            shapes = np.array(
                [
                    s if s.geom_type == "MultiPolygon" else shapely.MultiPolygon([s])
                    for s in frame.geometry
                ],
                dtype=object,
            )
            pyogrio.write_dataframe(
                frame.set_geometry(shapes, crs="EPSG:4326"),
                path,
                layer=layer,
                driver="GPKG",
                geometry_type="MultiPolygon",
                append=path.exists(),
            )
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})
