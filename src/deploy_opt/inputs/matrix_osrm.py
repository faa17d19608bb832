"""Read the answer of OSRM's table service as travel times from posts to areas."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from deploy_opt.errors import InputError, nearest
from deploy_opt.inputs.areas import listed, locate_points
from deploy_opt.inputs.geometry import LocalMetres
from deploy_opt.inputs.travel import TravelTimes
from deploy_opt.units import HOURS_PER_WEEK

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from deploy_opt.inputs.areas import Areas

_NEAR_POST_M = 1000.0
_ASK = "ask OSRM with sources and destinations, and generate_hints=false if you like"


def load_osrm(
    file: Path, *, posts: pd.DataFrame, areas: Areas, seconds_per_unit: float
) -> TravelTimes:
    """Read ``{code, durations, sources, destinations}``; a null duration is unreachable.

    OSRM gives places, not ids: each source belongs to the nearest post, within 1 km, and each
    destination to the area that holds it. Several destinations in an area share its calls alike.

    Parameters
    ----------
    file
        JSON.
    posts
        post_id, lon, lat and more; their order becomes the origins axis.
    areas
        The areas.
    seconds_per_unit
        Length of the unit of the durations, s.

    Returns
    -------
    TravelTimes
        Posts without a source and areas without a destination are unreachable and reported.

    Raises
    ------
    InputError
        When the file is not such an answer, a source belongs to no post or two belong to one,
        or no destination lies in an area.
    """
    where = str(file)
    answer = _answer(file)
    durations = _durations(answer, where)
    sources = _places(answer, "sources", durations.shape[0], where)
    goals = _places(answer, "destinations", durations.shape[1], where)
    post_of = _post_of_source(sources, posts, where)
    area_of = locate_points(areas, goals[:, 0], goals[:, 1])
    inside = np.asarray([area_id is not None for area_id in area_of])
    if not inside.any():
        found = f"no destination in an area (the first is at {goals[0, 0]:g}, {goals[0, 1]:g})"
        raise InputError.of(f"{where}: destinations", found, "places in the areas")
    notes = []
    if not inside.all():
        notes.append(f"{file.name}: {int((~inside).sum())} destinations lie in no area, left out")
    area_ids = areas.frame["area_id"].tolist()
    without = [area_id for area_id in area_ids if area_id not in set(area_of[inside])]
    if without:
        notes.append(f"{file.name}: no destination in the areas {listed(without)}")
    extra = areas.frame[areas.frame["area_id"].isin(without)]
    middle = extra.geometry.representative_point()
    lon = np.concatenate([goals[inside, 0], middle.x])
    lat = np.concatenate([goals[inside, 1], middle.y])
    owner = pd.Series(np.concatenate([area_of[inside], extra["area_id"].to_numpy(dtype=object)]))
    order = np.argsort(owner.map({a: k for k, a in enumerate(area_ids)}), kind="stable")
    seconds = np.full((len(posts), len(owner)), np.inf, dtype=np.float32)
    seconds[post_of, : int(inside.sum())] = durations[:, inside] * seconds_per_unit
    points = pd.DataFrame({"area_id": owner, "lon": lon, "lat": lat}).iloc[order]
    points = points.reset_index(drop=True)
    rank = points.groupby("area_id").cumcount() + 1
    points.insert(0, "point_id", points["area_id"] + "-" + rank.astype(str).str.zfill(2))
    points["share"] = 1.0 / points.groupby("area_id")["area_id"].transform("size")
    return TravelTimes(
        seconds[None, :, order],
        posts.reset_index(drop=True),
        points,
        ("all hours",),
        np.zeros(HOURS_PER_WEEK, dtype=np.int16),
        tuple(notes),
    )


def _answer(file: Path) -> dict[str, Any]:
    if not file.is_file():
        near = nearest(file.name, [p.name for p in file.parent.glob("*")])
        raise InputError.of(str(file), "no such file", "the JSON of OSRM's table service", near)
    try:
        answer = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        found = f"no JSON ({error})" if file.stat().st_size else "an empty file"
        raise InputError.of(str(file), found, "the JSON of OSRM's table service") from None
    if not isinstance(answer, dict) or "durations" not in answer:
        raise InputError.of(str(file), "no key 'durations'", "the JSON of OSRM's table service")
    if answer.get("code", "Ok") != "Ok":
        found = f"{answer['code']}: {answer.get('message', '')}".rstrip(": ")
        raise InputError.of(f"{file}: code", found, "Ok")
    return answer


def _durations(answer: dict[str, Any], where: str) -> NDArray[np.float64]:
    try:
        found = np.array(answer["durations"], dtype=np.float64)
    except (ValueError, TypeError):
        found = np.empty(0)
    if found.ndim != 2 or not found.size:
        raise InputError.of(f"{where}: durations", "no table", "rows of equal length")
    if (found < 0).any():
        raise InputError.of(f"{where}: durations", f"{np.nanmin(found):g}", "times of 0 or more")
    return np.where(np.isnan(found), np.inf, found)


def _places(answer: dict[str, Any], key: str, num: int, where: str) -> NDArray[np.float64]:
    try:
        found = np.array([place["location"] for place in answer[key]], dtype=np.float64)
    except (KeyError, TypeError, ValueError):
        raise InputError.of(where, f"no locations in {key!r}", "them", _ASK) from None
    if found.shape != (num, 2):
        expected = f"{num}, one for each row or column of durations"
        raise InputError.of(f"{where}: {key}", f"{len(found)} places", expected)
    return found


def _post_of_source(
    sources: NDArray[np.float64], posts: pd.DataFrame, where: str
) -> NDArray[np.int64]:
    from scipy.spatial import cKDTree

    degrees = posts[["lon", "lat"]].to_numpy(dtype=float)
    project = LocalMetres.around(degrees[:, 0], degrees[:, 1])
    metres, post = cKDTree(project.forward(degrees)).query(project.forward(sources))
    far = np.flatnonzero(metres > _NEAR_POST_M)
    if far.size:
        found = f"source {far[0]} at {sources[far[0], 0]:g}, {sources[far[0], 1]:g}, far from posts"
        raise InputError.of(f"{where}: sources", found, "a post within 1 km of each source")
    counts = np.bincount(post, minlength=len(posts))
    if (counts > 1).any():
        post_id = posts["post_id"].iloc[int(np.argmax(counts > 1))]
        raise InputError.of(f"{where}: sources", f"two at post {post_id}", "one for each post")
    return np.asarray(post, dtype=np.int64)
