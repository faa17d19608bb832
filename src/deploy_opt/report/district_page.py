"""The page of districts: is it better, what changes, why this boundary - on one page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from deploy_opt.report import district_words as words
from deploy_opt.report.charts import Paper
from deploy_opt.report.district_chart import curve_chart
from deploy_opt.report.district_rows import district_rows, figures, shift_rows
from deploy_opt.report.district_views import View, map_layers, map_views, view_colours
from deploy_opt.report.maps import Assets, Html, OfflineMap, Page, Start, layer_control
from deploy_opt.report.outlines import Outlines, outlines
from deploy_opt.report.page import checked_size

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from deploy_opt.report.district_results import DistrictReport

_SERVICES = {"police": "Patrol", "ems": "Ambulance", "fire": "Fire", "coresponse": "Co-response"}
_KINDS = {
    "workload": "workload",
    "connection": "connection",
    "travel": "travel",
    "shape": "shorter borders",
    "free": "could stay",
    "new": "no district today",
}
_STILL_AREAS = 500  # above, the still map shows no hatched areas
_MOST_TOLD = 60  # areas whose reason stands on the page; all stand in districts.json
_STILL_WIDTH, _STILL_HEIGHT = 960, 760


def render_districts(report: DistrictReport) -> str:
    """Write the page: one file, nothing fetched, the same bytes every time.

    Parameters
    ----------
    report
        The results; the page works out no number of its own but sums and shares of them.

    Returns
    -------
    str
        The page.

    Raises
    ------
    InputError
        When the page would be larger than 20 MB; above 5 MB a warning is logged.
    """
    shapes = outlines(report)
    views = map_views(report, shapes.areas)
    colours = view_colours(views)
    page = Page(f"{report.name}: {_title(report).lower()}", layout="board districts")
    page.add_child(Assets(scripts=("districts_map.js",), styles=("districts.css",)))
    values = page_values(report, views, colours)
    values["still"] = _still(report, shapes, views[0], colours)
    page.add_child(Html("districts_top.html", values))
    chart = OfflineMap(
        shapes.bounds,
        num_areas=len(shapes.areas),
        label=f"Map of the districts of {report.name}",
        attribution=report.attribution,
    )
    for layer in map_layers(report, shapes, views, colours):
        chart.add_child(layer)
    chart.add_child(layer_control())
    page.add_child(chart)
    for part in ("still", "dock", "legend", "rest", "foot"):
        page.add_child(Html(f"districts_{part}.html", values))
    page.add_child(Start({"view": "plan"}))
    return checked_size(page.render(), len(shapes.areas))


def _title(report: DistrictReport) -> str:
    return f"{_SERVICES.get(report.service, report.service)} districts"


def page_values(
    report: DistrictReport, views: Sequence[View], colours: Mapping[str, str]
) -> dict[str, Any]:
    """Gather what the templates show."""
    why = [row | {"tag": _KINDS[row["kind"]]} for row in words.why_sentences(report)]
    return {
        "name": report.name,
        "service": _title(report),
        "synthetic": report.synthetic,
        "window": report.window,
        "by_hand": report.drawn_by_hand,
        "headline": _together(words.headline(report)),
        "change": _together(words.change_sentence(report)),
        "proven": _together(words.bound_sentence(report.plan)),
        "fewest": _together(words.disruption_sentence(report)),
        "broken": [_together(rule) for rule in words.broken_rules(report)],
        "figures": figures(report),
        "views": [{"key": view.key, "name": view.name} for view in views],
        "sentence": views[0].sentence,
        "districts": [{"name": name, "colour": colour} for name, colour in colours.items()],
        "has_today": report.today is not None,
        "rows": district_rows(report, colours),
        "shifts": shift_rows(report),
        "shift_heads": [
            {"name": name, "span": words.shift_words(*span)} for name, span in report.shifts.items()
        ],
        "has_units": report.units is not None,
        "why": why[:_MOST_TOLD],
        "more_why": max(len(why) - _MOST_TOLD, 0),
        "graph": curve_chart(report),
        "notes": report.notes,
        "attribution": report.attribution,
        "band": words.band_words(report.band),
        "run_id": report.run_id,
    }


def _together(sentence: str) -> str:
    """Keep a number and its sign of percent on one line."""
    return sentence.replace(" %", "\N{NO-BREAK SPACE}%")


def _still(
    report: DistrictReport, shapes: Outlines, view: View, colours: Mapping[str, str]
) -> dict[str, Any]:
    """Draw the plan as plain shapes, for readers without scripts."""
    paper = Paper(shapes.bounds, _STILL_WIDTH, _STILL_HEIGHT)
    moved = np.flatnonzero(report.plan.moved) if len(shapes.areas) <= _STILL_AREAS else ()
    places = paper.place(view.places).tolist()
    return {
        "width": _STILL_WIDTH,
        "height": _STILL_HEIGHT,
        "land": "".join(paper.shape(shape) for shape in shapes.land),
        "water": "".join(paper.shape(shape) for shape in shapes.water),
        "districts": [
            {"path": paper.shape(polygon), "colour": colours[name]}
            for polygon, name in zip(view.polygons, view.plan.names, strict=True)
        ],
        "moved": "".join(paper.shape(shapes.areas[k]) for k in moved),
        "tags": [
            {"x": x, "y": y, "name": name}
            for (x, y), name in zip(places, view.plan.names, strict=True)
        ],
    }
