"""Choose the columns of coordinates, see through swapped ones, and find their reference system."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deploy_opt.inputs.records.points import pairs_of_text
from deploy_opt.inputs.records.reference_systems import Box, fitting_systems, hints, nearly_one

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from deploy_opt.inputs.records.column_profiles import Profile

_LON = re.compile(
    r"\b(?:lon|lng|long|longitude|longitud|laengengrad|lange|langengrad|lengtegraad)\b"
)
_LAT = re.compile(r"\b(?:lat|latitude|latitud|breitengrad|breite|breedtegraad)\b")
_X = re.compile(r"\bx\b|\beasting|rechtswert|\beast\b|xcoord|coordx|\bmapx\b|\bgeox\b")
_Y = re.compile(r"\by\b|\bnorthing|hochwert|\bnorth\b|ycoord|coordy|\bmapy\b|\bgeoy\b")
_STRIPPED = re.compile(r"\b(?:coord(?:inate)?s?)\b")
_FAIR = 0.8
_MICRO = 1_000_000
_MILLIONTHS = ((1e-6, 1e-6), (-1e-6, 1e-6))


@dataclass(frozen=True, slots=True)
class ChosenPoint:
    """Where the coordinates are.

    Attributes
    ----------
    spec
        `point` of a mapping; empty when it cannot be said.
    why
        The reason.
    question
        What only the agency knows; empty when nothing is open.
    """

    spec: dict[str, Any]
    why: str
    question: str


@dataclass(frozen=True, slots=True)
class _Pair:
    first: Profile
    second: Profile
    x: NDArray[np.float64]
    y: NDArray[np.float64]

    @property
    def share(self) -> float:
        return float(
            (np.isfinite(self.x) & np.isfinite(self.y) & (self.x != 0) & (self.y != 0)).mean()
        )

    def middle(self) -> tuple[float, float]:
        has = np.isfinite(self.x) & np.isfinite(self.y) & (self.x != 0) & (self.y != 0)
        return float(np.median(self.x[has])), float(np.median(self.y[has]))


def is_coordinate(profile: Profile) -> bool:
    """Say whether the name of a column is that of a coordinate."""
    return profile.kind in {"number", "point", "empty"} and any(
        words.search(profile.words) for words in (_LON, _LAT, _X, _Y)
    )


def choose_point(profiles: Sequence[Profile], near: Callable[[], Box] | None) -> ChosenPoint:
    """Choose the coordinates.

    Parameters
    ----------
    profiles
        Columns that serve nothing yet.
    near
        Gives west, south, east, north of the city in degrees; asked only where it is needed.
    """
    numbers = [p for p in profiles if p.kind == "number"]
    pairs = _pairs(numbers, _LON, _LAT) + _pairs(numbers, _X, _Y)
    pairs = [pair for pair in pairs if pair.share > 0]
    degrees = [pair for pair in pairs if _as_degrees(pair) is not None]
    projected = [pair for pair in pairs if pair not in degrees]
    texts = [p for p in profiles if p.kind == "point"]
    best = max(degrees, key=lambda pair: pair.share, default=None)
    filled = best.share if best is not None else 0.0
    if texts and texts[0].present > filled + 1 - _FAIR:
        return _text_point(texts[0], near)
    wide = max(projected, key=lambda pair: pair.share, default=None)
    if wide is not None and (best is None or filled < _FAIR * wide.share):
        found = _projected_point(wide, best, near)
        if found.spec or best is None:
            return found
    if best is None:
        return ChosenPoint({}, "", "")
    return _degree_point(best, near)


def _pairs(
    numbers: Sequence[Profile], first: re.Pattern[str], second: re.Pattern[str]
) -> list[_Pair]:
    found = []
    for one in (p for p in numbers if first.search(p.words)):
        stem = _stem(one.words, first)
        for other in (p for p in numbers if p is not one and second.search(p.words)):
            if _stem(other.words, second) == stem:
                found.append(_Pair(one, other, one.numbers, other.numbers))
                break
    return found


def _stem(words: str, token: re.Pattern[str]) -> str:
    return " ".join(_STRIPPED.sub(" ", token.sub(" ", words, count=1)).split())


def _as_degrees(pair: _Pair) -> str | None:
    """``as named``, ``swapped`` or None for coordinates that are no degrees."""
    x, y = pair.middle()
    if abs(x) <= 180 and abs(y) <= 90:
        return "as named"
    return "swapped" if abs(y) <= 180 and abs(x) <= 90 else None


def _inside(x: float, y: float, near: Callable[[], Box] | None) -> bool | None:
    if near is None:
        return None
    west, south, east, north = near()
    wide, high = east - west, north - south
    return west - wide <= x <= east + wide and south - high <= y <= north + high


def _degree_point(pair: _Pair, near: Callable[[], Box] | None) -> ChosenPoint:
    x, y = pair.middle()
    swapped = _as_degrees(pair) == "swapped"
    if not swapped and _inside(x, y, near) is False:
        if _inside(-x, y, near):
            why = f"WEST WITHOUT A SIGN: {-x:.3f}, {y:.3f} lies on the roads, {x:.3f} does not"
            spec = {"lon": pair.first.header, "lat": pair.second.header, "scale": [-1, 1]}
            return ChosenPoint(spec, why, "")
        swapped = bool(_inside(y, x, near))
    lon, lat = (pair.second, pair.first) if swapped else (pair.first, pair.second)
    x, y = (y, x) if swapped else (x, y)
    why = f"the middle is {x:.3f}, {y:.3f}; {pair.share:.0%} filled"
    why = f"SWAPPED in the file: {why}" if swapped else why
    question = ""
    if _inside(x, y, near) is False:
        question = (
            f"the calls lie about {y:.3f}, {x:.3f}, not where the roads are: are both of one city?"
        )
    return ChosenPoint({"lon": lon.header, "lat": lat.header}, why, question)


def _text_point(profile: Profile, near: Callable[[], Box] | None) -> ChosenPoint:
    texts = np.array(list(profile.common), dtype=object)
    x, y, bare = pairs_of_text(texts, "lat_lon")
    has = np.isfinite(x)
    lon, lat = float(np.median(x[has])), float(np.median(y[has]))
    spec = {"text": profile.header}
    flip = bare[has].any() and (abs(lat) > 90 or bool(_inside(lat, lon, near)))
    if flip and _inside(lon, lat, near) is not True:
        spec["order"], lon, lat = "lon_lat", lat, lon
    if abs(lon) > 180 or abs(lat) > 90:
        question = (
            f"{profile.header!r} holds no degrees ({profile.examples[0]!r}); {_ask(lon, lat)}"
        )
        return ChosenPoint({}, "", question.replace("LON_LAT", f"text: {profile.header}"))
    return ChosenPoint(
        spec, f"such as {profile.examples[0]!r}; the middle is {lon:.3f}, {lat:.3f}", ""
    )


def _projected_point(
    pair: _Pair, degrees: _Pair | None, near: Callable[[], Box] | None
) -> ChosenPoint:
    names: dict[str, Any] = {"lon": pair.first.header, "lat": pair.second.header}
    x, y = pair.middle()
    scale = next((s for s in _MILLIONTHS if _inside(x * s[0], y * s[1], near)), None)
    if scale is not None:
        why = f"millionths of a degree: the calls then lie on the roads, {pair.share:.0%} filled"
        return ChosenPoint({**names, "scale": list(scale)}, why, "")
    known = (degrees.x, degrees.y) if degrees is not None else None
    systems = fitting_systems(pair.x, pair.y, known=known) if known is not None else []
    by = f"the rows with {degrees.first.header} fit it" if degrees is not None else ""
    if not systems and near is not None:
        systems, by = (
            fitting_systems(pair.x, pair.y, near=near()),
            "the calls then lie on the roads",
        )
    if len(systems) == 1 or nearly_one(systems):
        system = systems[0]
        why = f"{system.name}: {by}; the middle is {system.lon:.3f}, {system.lat:.3f}"
        question = "; ".join(f"{s.code} ({s.name})" for s in systems[1:])
        if question:
            question = (
                f"{names['lon']}, {names['lat']} are read in {system.code}; with the older datum "
                f"of {question} they would lie some 100 m off. If so, write that as point.crs"
            )
        return ChosenPoint({**names, "crs": system.code}, why, question)
    question = f"{names['lon']}, {names['lat']} are no degrees (the middle is {x:.0f}, {y:.0f}); "
    more = "; ".join(f"{s.code} ({s.name})" for s in systems[:4])
    question += f"these systems fit: {more}. " if more else ""
    question += _ask(x, y).replace("LON_LAT", f"lon: {names['lon']}, lat: {names['lat']}")
    if _MICRO <= abs(y) <= 90 * _MICRO and abs(x) <= 180 * _MICRO:
        question += " or, if they are millionths of a degree, scale: [0.000001, 0.000001]"
    return ChosenPoint({}, "", question)


def _ask(x: float, y: float) -> str:
    said = hints(x, y)
    places = f" ({'; '.join(said)})" if said else ""
    return (
        "name their reference system, the EPSG code of the state plane or national grid"
        f'{places}. Write point: {{LON_LAT, crs: "EPSG:CODE"}}'
    )
