"""What the map of districts shows: plan, today, change, and each shift."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deploy_opt.report import district_words as words
from deploy_opt.report.district_colours import colours_of
from deploy_opt.report.district_results import (
    names_of_areas,
    shares_of_mean,
    sums_by_district,
)
from deploy_opt.report.district_shapes import (
    border_lines,
    joined,
    label_places,
    polylines,
    touching,
)
from deploy_opt.report.district_tables import units_by_shift
from deploy_opt.report.maps import DataLayer
from deploy_opt.report.payload import line_deltas, polygon_deltas
from deploy_opt.report.words import area_label

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from deploy_opt.plan.districting.results import DistrictPlan
    from deploy_opt.report.district_results import DistrictReport
    from deploy_opt.report.outlines import Outlines


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One way to look at the map.

    Attributes
    ----------
    key, name
        Its key in the page's address, and the text of its button.
    plan
        The districts it shows.
    tags
        Text below the name of each district.
    sentence
        What it shows, in words.
    polygons, places
        Outline of each district, degrees, and where its name stands, shape (districts, 2).
    under
        Districts whose borders are drawn below, dashed, and against which areas are hatched.
    pale
        Whether areas that keep their district are pale.
    """

    key: str
    name: str
    plan: DistrictPlan
    tags: tuple[str, ...]
    sentence: str
    polygons: NDArray[np.object_]
    places: NDArray[np.float64]
    under: DistrictPlan | None = None
    pale: bool = False


def map_views(report: DistrictReport, shapes: Sequence[Any]) -> tuple[View, ...]:
    """Gather the views: the plan first, then today, the change, and each shift.

    Parameters
    ----------
    report
        The results.
    shapes
        Shapes of the areas as the map draws them, degrees.
    """
    plan, today = report.plan, report.today
    every = [p for p in (plan, today, *report.by_shift.values()) if p is not None]
    drawn = {id(p): _drawn(p, np.array(shapes, dtype=object)) for p in every}
    moved = words.counted(int(plan.moved.sum()), "area")
    changes = f"{moved} {'changes' if plan.moved.sum() == 1 else 'change'} district"
    views = [
        View(
            "plan",
            "By hand" if report.drawn_by_hand else "Plan",
            plan,
            _beside_mean(np.asarray(plan.workload_h)),
            f"{words.range_words(plan)} of the mean workload"
            + (f"; {changes} (hatched)." if today is not None else "."),
            *drawn[id(plan)],
            under=today,
        )
    ]
    if today is not None:
        views += [
            View(
                "today",
                "Today",
                today,
                _beside_mean(np.asarray(today.workload_h)),
                f"{words.range_words(today)} of the mean workload.",
                *drawn[id(today)],
            ),
            View(
                "change",
                "Change",
                plan,
                _gained(plan, today),
                f"{changes}, in the colour of the new one; numbers: areas that join and leave.",
                *drawn[id(plan)],
                under=today,
                pale=True,
            ),
        ]
    if len(report.shifts) > 1:
        views += [
            _shift_view(report, rank, drawn[id(report.by_shift.get(shift, plan))])
            for rank, shift in enumerate(report.shifts)
        ]
    return tuple(views)


def _shift_view(
    report: DistrictReport, rank: int, drawn: tuple[NDArray[np.object_], NDArray[np.float64]]
) -> View:
    shift, span = list(report.shifts.items())[rank]
    used = report.by_shift.get(shift, report.plan)
    loads = sums_by_district(report.workload_h[:, rank], used)
    tags, units = _beside_mean(loads), units_by_shift(report)
    if units is not None and shift not in report.by_shift:
        told = zip(units[shift].tolist(), tags, strict=True)
        tags = tuple(tag if math.isnan(n) else f"{n:.3g} units, {tag}" for n, tag in told)
    shares = shares_of_mean(loads) - 1.0
    sentence = (
        f"{words.shift_words(*span)}: {words.percent(float(shares.min()))} to "
        f"{words.percent(float(shares.max()))} of the shift's mean workload"
    )
    own = "; districts of its own" if shift in report.by_shift else ""
    duty = "; units on duty on average" if units is not None and not own else ""
    return View(f"shift{rank}", shift.capitalize(), used, tags, f"{sentence}{own}{duty}.", *drawn)


def _drawn(
    plan: DistrictPlan, shapes: NDArray[np.object_]
) -> tuple[NDArray[np.object_], NDArray[np.float64]]:
    polygons = joined(shapes, plan.district_of, len(plan.names))
    return polygons, label_places(polygons)


def _beside_mean(loads: NDArray[np.float64]) -> tuple[str, ...]:
    return tuple(words.percent(share - 1) for share in shares_of_mean(loads).tolist())


def _gained(plan: DistrictPlan, today: DistrictPlan) -> tuple[str, ...]:
    """Count the areas that join and leave each district of the plan."""
    now, before = names_of_areas(plan), names_of_areas(today)
    tags = []
    for name in plan.names:
        joins = int(((now == name) & (before != name)).sum())
        leaves = int(((now != name) & (before == name)).sum())
        tags.append(f"+{joins} −{leaves}" if joins or leaves else "the same")
    return tuple(tags)


def view_colours(views: Sequence[View]) -> dict[str, str]:
    """Give each district's name one colour for all views; neighbours in any view differ."""
    names = list(dict.fromkeys(name for view in views for name in view.plan.names))
    rank = {name: k for k, name in enumerate(names)}
    table = np.zeros((len(names), len(names)), dtype=bool)
    for view in views:
        at = np.array([rank[name] for name in view.plan.names])
        table[np.ix_(at, at)] |= touching(view.polygons, len(at))
    return dict(zip(names, colours_of(table), strict=True))


def map_layers(
    report: DistrictReport, shapes: Outlines, views: Sequence[View], colours: Mapping[str, str]
) -> list[DataLayer]:
    """Make the layers of the map: land and water, districts, roads."""
    origin = shapes.origin
    layers = []
    if shapes.land or shapes.water:
        base = {
            "origin": origin,
            "land": [polygon_deltas(shape, origin) for shape in shapes.land],
            "water": [polygon_deltas(shape, origin) for shape in shapes.water],
        }
        layers.append(DataLayer("land", "Land and water", base))
    borders = {id(view.plan): border_lines(view.polygons) for view in views}
    rank = {name: k for k, name in enumerate(colours)}
    payload = {
        "origin": origin,
        "ids": list(report.area_ids),
        "shapes": [polygon_deltas(shape, origin) for shape in shapes.areas],
        "cards": area_cards(report),
        "moved": np.flatnonzero(report.plan.moved).tolist(),
        "colours": list(colours.values()),
        "views": [
            {
                "key": view.key,
                "sentence": view.sentence,
                "pale": view.pale,
                "hatched": view.under is not None,
                "district": [rank.get(n, -1) for n in names_of_areas(view.plan).tolist()],
                "borders": line_deltas(polylines(borders[id(view.plan)]), origin),
                "under": line_deltas(
                    polylines(borders[id(view.under)].difference(borders[id(view.plan)])), origin
                )
                if view.under is not None
                else [],
                "tags": [
                    {"at": [round(lat, 5), round(lon, 5)], "name": name, "text": text}
                    for (lon, lat), name, text in zip(
                        view.places.tolist(), view.plan.names, view.tags, strict=True
                    )
                ],
            }
            for view in views
        ],
    }
    layers.append(DataLayer("areas", "Districts", payload))
    if any(found for _, found in shapes.lines):
        classes = [
            {"rank": order, "lines": line_deltas(found, origin)}
            for order, (_, found) in enumerate(shapes.lines)
            if found
        ]
        layers.append(DataLayer("lines", "Roads", {"origin": origin, "classes": classes}))
    return layers


def area_cards(report: DistrictReport) -> list[list[str]]:
    """Write what a tap on each area shows: its name, work, districts and why it moves."""
    now = names_of_areas(report.plan)
    before = now if report.today is None else names_of_areas(report.today)
    why = {row["area_id"]: row["back"] for row in words.why_sentences(report)}
    cards = []
    for k, (area_id, name) in enumerate(
        zip(report.area_ids, report.areas.frame["name"], strict=True)
    ):
        moved = now[k] != before[k]
        lines = (
            area_label(area_id, str(name)),
            f"{report.area_calls[k]:,.1f} calls, {report.area_h[k]:,.1f} unit-hours a week",
            f"{before[k] or 'No district'} today, {now[k]} in the plan" if moved else str(now[k]),
            why.get(area_id, ""),
        )
        cards.append([line for line in lines if line])
    return cards
