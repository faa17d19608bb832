"""Where patrols can cross between areas that share no border."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deploy_opt.inputs.road_crossings import road_crossings

if TYPE_CHECKING:
    from deploy_opt.inputs.areas import Areas
    from deploy_opt.inputs.roads import Roads
    from deploy_opt.settings import Scenario


def links_of(
    scenario: Scenario, areas: Areas, roads: Roads | None
) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """Give the links of the scenario, or else those that roads make; each in words."""
    given = () if scenario.districts is None else scenario.districts.links
    if given:
        said = [f"{a} and {b} are linked by the scenario (districts.links)" for a, b in given]
        return given, tuple(said)
    if roads is None:
        return (), ()
    found = road_crossings(areas, roads)
    said = [f"{a} and {b} share no border: a road joins them" for a, b in found]
    return found, tuple(said)
