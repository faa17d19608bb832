"""Writes the sample city's files as bytes that are the same on every machine."""

from __future__ import annotations

import gzip
import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from deploy_opt.inputs.city.happenings import Happening
    from deploy_opt.inputs.city.weather import Weather


def csv_bytes(columns: Mapping[str, Sequence[object] | NDArray[Any]]) -> bytes:
    """Write columns of text or numbers as CSV with plain line feeds."""
    lists = [_texts(values) for values in columns.values()]
    lines = [",".join(columns), *map(",".join, zip(*lists, strict=True))]
    return ("\n".join(lines) + "\n").encode()


def _texts(values: Sequence[object] | NDArray[Any]) -> list[str]:
    plain = values.tolist() if isinstance(values, np.ndarray) else list(values)
    return [_quoted(v) if isinstance(v, str) else _number(v) for v in plain]


def _quoted(text: str) -> str:
    return f'"{text.replace(chr(34), chr(34) * 2)}"' if "," in text or '"' in text else text


def _number(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return f"{value:.1f}"
    return str(value)


def gzip_bytes(plain: bytes) -> bytes:
    """Compress without a time stamp or a file name, so that the bytes depend on `plain` alone."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", fileobj=buffer, mode="wb", compresslevel=9, mtime=0) as file:
        file.write(plain)
    return buffer.getvalue()


def json_bytes(value: Any) -> bytes:  # noqa: ANN401  (any JSON value)
    """Write JSON with readable indents."""
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def _rings(shape: Any) -> Any:  # noqa: ANN401
    """List a shape's rings as RFC 7946 wants them: shells counter-clockwise, closed."""
    import shapely

    def _one(polygon: Any) -> list[list[list[float]]]:  # noqa: ANN401
        turned = shapely.orient_polygons(polygon)
        rings = [turned.exterior, *turned.interiors]
        return [[[x, y] for x, y in ring.coords] for ring in rings]

    if shape.geom_type == "Polygon":
        return {"type": "Polygon", "coordinates": _one(shape)}
    return {"type": "MultiPolygon", "coordinates": [_one(part) for part in shape.geoms]}


def geojson_bytes(
    shapes: Sequence[Any], properties: Sequence[Mapping[str, object]], *, name: str
) -> bytes:
    """Write polygons in degrees as GeoJSON, one feature a line, each marked synthetic."""
    features = [
        {"type": "Feature", "properties": {**given, "synthetic": True}, "geometry": _rings(shape)}
        for shape, given in zip(shapes, properties, strict=True)
    ]
    lines = ",\n".join(
        json.dumps(one, ensure_ascii=False, separators=(",", ":")) for one in features
    )
    head = {"type": "FeatureCollection", "name": name, "synthetic": True}
    opening = json.dumps(head, ensure_ascii=False, separators=(",", ":"))[:-1]
    return f'{opening},"features":[\n{lines}\n]}}\n'.encode()


def weather_bytes(weather: Weather, *, lon: float, lat: float) -> bytes:
    """Write hourly weather as an Open-Meteo CSV in GMT.

    As there, precipitation and snowfall are sums of the hour before the time stamp.
    """
    rain, snow = (
        np.concatenate([[0.0], sums[:-1]])
        for sums in (weather.precipitation_mm, weather.snowfall_cm)
    )
    head = (
        "latitude,longitude,elevation,utc_offset_seconds,timezone,timezone_abbreviation\n"
        f"{lat:.2f},{lon:.2f},142.0,0,GMT,GMT\n\n"
    )
    body = csv_bytes(
        {
            "time": np.datetime_as_string(weather.utc_s.astype("datetime64[s]"), unit="m"),
            "temperature_2m (°C)": _fixed(weather.temperature_c, 1),
            "relative_humidity_2m (%)": _fixed(weather.humidity_pct, 0),
            "precipitation (mm)": _fixed(rain, 1),
            "snowfall (cm)": _fixed(snow, 2),
            "wind_speed_10m (km/h)": _fixed(weather.wind_kph, 1),
        }
    )
    return head.encode() + body


def _fixed(values: NDArray[np.float64], decimals: int) -> list[str]:
    return [f"{value + 0.0:.{decimals}f}" for value in values.tolist()]


def calendar_bytes(
    happenings: Sequence[Happening],
    places: Sequence[tuple[float, float]],
    spans: Sequence[tuple[dt.datetime, dt.datetime]],
) -> bytes:
    """Write events as iCalendar.

    Parameters
    ----------
    happenings
        The events.
    places
        Longitude and latitude of each.
    spans
        Start and end of each, in UTC.
    """
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//deploy_opt//synthetic sample city//EN",
        "X-WR-CALNAME:Alder Falls events (synthetic)",
    ]
    for k, (one, (lon, lat), (start, end)) in enumerate(
        zip(happenings, places, spans, strict=True)
    ):
        lines += [
            "BEGIN:VEVENT",
            f"UID:{k + 1:04d}-alder-falls-synthetic",
            "DTSTAMP:20260302T000000Z",
            f"DTSTART:{start:%Y%m%dT%H%M%SZ}",
            f"DTEND:{end:%Y%m%dT%H%M%SZ}",
            f"SUMMARY:{one.name}",
            f"GEO:{lat:.5f};{lon:.5f}",
            f"CATEGORIES:{one.category}",
            f"X-ATTENDANCE:{one.attendance}",
            "END:VEVENT",
        ]
    return ("\r\n".join([*lines, "END:VCALENDAR"]) + "\r\n").encode()
