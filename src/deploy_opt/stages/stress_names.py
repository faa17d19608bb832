"""Names in the bad spells of a scenario: refused, with the nearest, where there are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.errors import FaultList, nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from deploy_opt.inputs.roads import Roads
    from deploy_opt.settings import Scenario
    from deploy_opt.stress_settings import StressVariant


def check_hours(scenario: Scenario, variants: Mapping[str, StressVariant]) -> None:
    """Refuse spells that do not lie in the horizon; needs nothing but the scenario.

    Raises
    ------
    InputError
        With every spell that does not.
    """
    faults = FaultList()
    hours = scenario.horizon.hours
    for name, variant in variants.items():
        if variant.from_hour + variant.hours > hours:
            end = variant.from_hour + variant.hours
            found = f"hours {variant.from_hour} to {end}"
            faults.add(f"stress.variants.{name}", found, f"hours of the plan, 0 to {hours}")
    faults.raise_if_any()


def check_places(
    variants: Mapping[str, StressVariant],
    posts: pd.DataFrame | None,
    hospitals: pd.DataFrame | None,
) -> None:
    """Refuse posts and hospitals that there are not; without `posts` those are not looked at.

    Raises
    ------
    InputError
        With every unknown name and the nearest known one.
    """
    faults = FaultList()
    beds = [] if hospitals is None else hospitals["hospital_id"].astype(str).tolist()
    for name, variant in variants.items():
        where = f"stress.variants.{name}"
        if posts is not None:
            known = posts["post_id"].astype(str).tolist()
            for key in ("lost_posts", "borrowed_units"):
                asked = tuple(getattr(variant, key))
                note_unknown(faults, f"{where}.{key}", "post", asked, known)
        key = f"{where}.lost_hospitals"
        note_unknown(faults, key, "hospital", variant.lost_hospitals, beds)
        if beds and set(variant.lost_hospitals) >= set(beds):
            faults.add(key, "every hospital", "one that stays open")
    faults.raise_if_any()


def check_roads_and_areas(
    variants: Mapping[str, StressVariant], roads: Roads | None, area_ids: Collection[str]
) -> None:
    """Refuse road classes, road nodes, arcs and areas that there are not.

    Raises
    ------
    InputError
        With every unknown name and the nearest known one.
    """
    faults = FaultList()
    classes = [] if roads is None else list(roads.class_names)
    nodes = [] if roads is None else roads.node_id.astype(str).tolist()
    for name, variant in variants.items():
        where = f"stress.variants.{name}"
        note_unknown(faults, f"{where}.road_classes", "road class", variant.road_classes, classes)
        ends = tuple(end for arc in variant.arcs for end in arc)
        note_unknown(faults, f"{where}.arcs", "road node", ends, nodes)
        note_unknown(faults, f"{where}.surge_areas", "area", variant.surge_areas, list(area_ids))
        if roads is None:
            continue
        for one, other in variant.arcs:
            if {one, other} <= set(nodes) and not arcs_between(roads, one, other).any():
                faults.add(f"{where}.arcs", f"no road from {one} to {other}", "ends of one arc")
    faults.raise_if_any()


def note_unknown(
    faults: FaultList, where: str, kind: str, asked: tuple[str, ...], known: list[str]
) -> None:
    """Note every name that is not known, with the nearest that is."""
    for name in asked:
        if name not in set(known):
            some = ", ".join(known[:4]) + (", ..." if len(known) > 4 else "")
            expected = f"one of {some}" if known else f"no {kind}, as the inputs have none"
            faults.add(where, f"{kind} {name!r}", expected, nearest(name, known))


def arcs_between(roads: Roads, one: str, other: str) -> NDArray[np.bool_]:
    """Tell which arcs join two road nodes, either way, shape (arcs,)."""
    start = roads.node_id[roads.from_node].astype(str)
    end = roads.node_id[roads.to_node].astype(str)
    return np.asarray(((start == one) & (end == other)) | ((start == other) & (end == one)))
