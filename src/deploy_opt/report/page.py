"""The duty board: is it better, who loses, where are the units at my hour - on one page."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from deploy_opt.errors import InputError
from deploy_opt.report import words
from deploy_opt.report.board import TABLE_ROWS, board_values
from deploy_opt.report.hours import Hours, code_hours
from deploy_opt.report.maps import (
    Assets,
    DataLayer,
    Html,
    OfflineMap,
    Page,
    Start,
    layer_control,
)
from deploy_opt.report.outlines import Outlines, outlines
from deploy_opt.report.payload import (
    CHANGE_BREAKS,
    CHANGE_COLOURS,
    COVER_BREAKS,
    COVER_COLOURS,
    base64_text,
    line_deltas,
    polygon_deltas,
)
from deploy_opt.report.simulated_services import page_one_lines

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.report.results import ReportInputs
    from deploy_opt.report.tables import Tables

Layout = Literal["board", "alone"]

WARN_BYTES = 5_000_000
REFUSE_BYTES = 20_000_000
_log = logging.getLogger("deploy_opt")


def render_page(
    inputs: ReportInputs, tables: Tables, *, layout: Layout = "board", patterns: bool = False
) -> str:
    """Write the page of a run: one file, nothing fetched, the same bytes every time.

    Parameters
    ----------
    inputs
        The results of the stages.
    tables
        The numbers of the run; the page shows these and works out none of its own.
    layout
        ``board``: the whole page; ``alone``: the map with its hour slider alone.
    patterns
        Whether ``patterns.html`` stands beside the page, to be linked to.

    Returns
    -------
    str
        The page.

    Raises
    ------
    InputError
        When the page would be larger than 20 MB; above 5 MB a warning is logged.
    """
    scenario, comparison = inputs.scenario, inputs.comparison
    hours = code_hours(comparison, inputs.areas)
    shapes = outlines(inputs)
    shown = _shown_posts(inputs)
    short, _ = words.plan_dates(scenario.horizon.start, scenario.horizon.hours)
    page = Page(f"{scenario.name}: {short}", layout=layout)
    page.add_child(Assets())
    values = board_values(inputs, tables, hours, shapes, shown) | {
        "patterns": patterns,
        "services": inputs.city is not None and layout != "alone",
        "simulated": page_one_lines(inputs.simulated)
        if inputs.simulated is not None and layout != "alone"
        else (),
    }
    page.add_child(Html("top.html", values))
    chart = OfflineMap(
        shapes.bounds,
        num_areas=len(shapes.areas),
        label=f"Map of {scenario.name}",
        attribution=inputs.attribution,
    )
    for layer in _layers(inputs, hours, shapes, shown):
        chart.add_child(layer)
    chart.add_child(layer_control())
    page.add_child(chart)
    for part in ("still.html", "dock.html", "legend.html"):
        page.add_child(Html(part, values))
    if layout == "board":
        page.add_child(Html("rest.html", values))
        page.add_child(Html("foot.html", values))
    page.add_child(Start(_settings(inputs, hours)))
    return checked_size(page.render(), len(shapes.areas))


def checked_size(text: str, num_areas: int) -> str:
    """Give a page back, refused above 20 MB and with a warning logged above 5 MB."""
    size = len(text.encode("utf-8"))
    do = "merge small areas (inputs.areas.merge_below_km2) or use a coarser grid"
    if size > REFUSE_BYTES:
        found = f"{size / 1e6:.0f} MB for {num_areas:,} areas"
        raise InputError.of("the page", found, f"at most {REFUSE_BYTES / 1e6:.0f} MB", do)
    if size > WARN_BYTES:
        _log.warning("the page is %.1f MB, too large for many mail systems; %s", size / 1e6, do)
    return text


def _shown_posts(inputs: ReportInputs) -> NDArray[np.int64]:
    """Find the posts on the map: of today, or used at any hour by plan or today."""
    comparison = inputs.comparison
    used = (comparison.plan.units.sum(axis=0) + comparison.baseline.units.sum(axis=0)) > 0
    return np.flatnonzero(used | comparison.posts["current"].to_numpy(dtype=bool))


def _layers(
    inputs: ReportInputs, hours: Hours, shapes: Outlines, shown: NDArray[np.int64]
) -> list[DataLayer]:
    comparison, origin = inputs.comparison, shapes.origin
    posts = comparison.posts.iloc[shown]
    layers = []
    if shapes.land or shapes.water:
        base = {
            "origin": origin,
            "land": [polygon_deltas(shape, origin) for shape in shapes.land],
            "water": [polygon_deltas(shape, origin) for shape in shapes.water],
        }
        layers.append(DataLayer("land", "Land and water", base))
    areas = {
        "origin": origin,
        "labels": hours.labels,
        "shapes": [polygon_deltas(shape, origin) for shape in shapes.areas],
        "plan": base64_text(hours.plan),
        "today": base64_text(hours.today),
        "calls": base64_text(hours.calls.codes),
        "step": [float(f"{value:.6g}") for value in hours.calls.step],
    }
    layers.append(DataLayer("areas", "Areas", areas))
    if any(found for _, found in shapes.lines):
        roads = {
            "origin": origin,
            "classes": [
                {"rank": rank, "lines": line_deltas(found, origin)}
                for rank, (_, found) in enumerate(shapes.lines)
                if found
            ],
        }
        layers.append(DataLayer("lines", "Roads", roads))
    units = [arm.units[:, shown].T for arm in (comparison.plan, comparison.baseline)]
    payload = {
        "names": posts["name"].astype(str).tolist(),
        "places": posts[["lat", "lon"]].round(5).to_numpy().tolist(),
        "plan": base64_text(np.minimum(units[0], 255).astype(np.uint8)),
        "today": base64_text(np.minimum(units[1], 255).astype(np.uint8)),
    }
    layers.append(DataLayer("posts", "Posts", payload))
    return layers


def _settings(inputs: ReportInputs, hours: Hours) -> dict[str, Any]:
    scenario = inputs.scenario
    return {
        "hours": scenario.horizon.hours,
        "firstHour": scenario.horizon.first_hour,
        "start": scenario.horizon.start.isoformat(),
        "zone": scenario.time_zone,
        "busiest": hours.busiest,
        "rows": TABLE_ROWS,
        "lateDigits": hours.late_digits,
        "coverBreaks": COVER_BREAKS,
        "coverColours": COVER_COLOURS,
        "changeBreaks": CHANGE_BREAKS,
        "changeColours": CHANGE_COLOURS,
    }
