"""Bad spells of a scenario: names checked, roads broken, posts and hospitals found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList
from deploy_opt.simulation.stress_fleet import HOUR_S, Stress
from deploy_opt.stages.drives import drive_times
from deploy_opt.stages.simulation_ground import AFTER_H, WARM_UP_H, lay_simulation_ground
from deploy_opt.stages.stress_names import arcs_between, note_unknown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.inputs.roads import Roads
    from deploy_opt.inputs.travel import TravelTimes
    from deploy_opt.settings import Scenario
    from deploy_opt.stages.kept import Calls, Ground
    from deploy_opt.stages.simulation_ground import SimulationGround
    from deploy_opt.stress_settings import StressVariant

CUT_OFF_S = 3600.0
"""A place that closed roads cut off is reached so much later than usual."""


@dataclass(frozen=True, slots=True)
class Spell:
    """A bad spell, laid out for the simulation and for the deployment model.

    Attributes
    ----------
    name, variant
        As the scenario says, or a default.
    stress
        What the simulation plays.
    times
        Drives from posts to demand points in the spell.
    lost_posts
        Ids of the posts that cannot be used.
    words
        What happens, for readers.
    """

    name: str
    variant: StressVariant
    stress: Stress
    times: TravelTimes
    lost_posts: tuple[str, ...]
    words: tuple[str, ...]


def break_roads(roads: Roads, variant: StressVariant) -> Roads | None:
    """Close or slow roads; None where the variant touches none."""
    classes = [roads.class_names.index(name) for name in variant.road_classes]
    hit = np.isin(roads.class_of_arc, classes)
    for one, other in variant.arcs:
        hit |= arcs_between(roads, one, other)
    if not hit.any():
        return None
    if variant.slowed is not None:
        factor = np.where(hit, variant.slowed, 1.0)
        return replace(roads, siren_s=roads.siren_s * factor, regular_s=roads.regular_s * factor)
    kept = ~hit
    return replace(
        roads,
        from_node=roads.from_node[kept],
        to_node=roads.to_node[kept],
        length_m=roads.length_m[kept],
        siren_s=roads.siren_s[kept],
        regular_s=roads.regular_s[kept],
        class_of_arc=roads.class_of_arc[kept],
    )


def lay_spell(
    scenario: Scenario,
    name: str,
    variant: StressVariant,
    *,
    calls: Calls,
    roads: Roads | None,
    ground: Ground,
    stage: SimulationGround,
) -> Spell:
    """Lay a spell out: its drives, the nodes of what is lost, the units that come.

    Parameters
    ----------
    scenario
        The scenario.
    name, variant
        The spell; its names are known.
    calls, roads, ground, stage
        What plan and simulation stand on.
    """
    broken = None if roads is None else break_roads(roads, variant)
    times, period, network = ground.times, None, None
    words = list(_words(variant, ground))
    if broken is not None:
        times = _broken_times(scenario, broken, ground)
        other = lay_simulation_ground(scenario, calls, broken, ground, stage.area_ids).times_s
        bad = _at_most_cut_off(other, stage.times_s)
        network = np.concatenate([stage.times_s, bad])
        period = _periods(stage, variant)
        words += _cut_off_words(other)
    posts = ground.posts["post_id"].astype(str).tolist()
    beds = [] if ground.hospitals is None else ground.hospitals["hospital_id"].astype(str).tolist()
    from_s = (WARM_UP_H + variant.from_hour) * HOUR_S
    return Spell(
        name=name,
        variant=variant,
        stress=Stress(
            from_s=from_s,
            to_s=from_s + variant.hours * HOUR_S,
            surge=variant.surge,
            surge_areas=variant.surge_areas,
            times=network,
            period_of_hour=period,
            lost_posts=tuple(posts.index(post) for post in variant.lost_posts),
            lost_hospitals=tuple(
                int(stage.hospitals[beds.index(bed)]) for bed in variant.lost_hospitals
            ),
            crews=variant.crews,
            lent=variant.lent_units,
            mutual_aid=_aid(variant, posts, scenario.fleet.unit_type),
        ),
        times=times,
        lost_posts=variant.lost_posts,
        words=tuple(words),
    )


def _broken_times(scenario: Scenario, broken: Roads, ground: Ground) -> TravelTimes:
    times = drive_times(
        scenario, scenario.services[0], broken, ground.posts, ground.times.destinations
    )
    sheets = _at_most_cut_off(times.by_profile, ground.times.by_profile)
    return replace(ground.times, by_profile=sheets)


def _at_most_cut_off(
    broken: NDArray[np.floating], usual: NDArray[np.floating]
) -> NDArray[np.float32]:
    """Take the drives of the broken network, at most an hour longer than usual."""
    return np.asarray(np.clip(broken, usual, usual + np.float32(CUT_OFF_S)), dtype=np.float32)


def _cut_off_words(times_s: NDArray[np.floating]) -> tuple[str, ...]:
    share = float((~np.isfinite(times_s)).mean())
    if share == 0.0:
        return ()
    words = f"No way is left between {share:.1%} of the pairs of places; these drives take an hour"
    return (f"{words} longer than usual.",)


def _periods(stage: SimulationGround, variant: StressVariant) -> NDArray[np.int64]:
    """Periods of every hour of the run, those of the broken network in the spell."""
    num = WARM_UP_H + stage.hours + AFTER_H + 168
    period = stage.period_of_hour[np.arange(num) % len(stage.period_of_hour)].copy()
    first = WARM_UP_H + variant.from_hour
    period[first : first + variant.hours] += len(stage.times_s)
    return period


def _aid(variant: StressVariant, posts: list[str], unit_type: str) -> pd.DataFrame | None:
    if not variant.borrowed_units:
        return None
    rows = [
        {"unit_id": f"neighbour {post} {rank + 1}", "home_node": posts.index(post)}
        for post, many in variant.borrowed_units.items()
        for rank in range(many)
    ]
    return pd.DataFrame(rows).assign(unit_type=unit_type)


def _words(variant: StressVariant, ground: Ground) -> list[str]:
    words = []
    if variant.surge > 1:
        where = f" in {', '.join(variant.surge_areas)}" if variant.surge_areas else ""
        words.append(f"{variant.surge:g} times the calls{where}.")
    what = [f"roads of class {', '.join(variant.road_classes)}"] if variant.road_classes else []
    what += [f"{one} to {other}" for one, other in variant.arcs]
    if what:
        how = "closed" if variant.slowed is None else f"{variant.slowed:g} times as slow"
        words.append(f"{how.capitalize()}: {'; '.join(what)}.")
    if variant.lost_posts:
        names = _named(ground.posts, "post_id", variant.lost_posts)
        whose = "its" if len(variant.lost_posts) == 1 else "their"
        words.append(f"Lost: {names}; {whose} units are off duty.")
    if variant.lost_hospitals and ground.hospitals is not None:
        names = _named(ground.hospitals, "hospital_id", variant.lost_hospitals)
        words.append(f"Diverts: {names}.")
    if variant.crews < 1:
        words.append(f"{variant.crews:.0%} of the units on duty are there.")
    if variant.lent_units:
        who = "1 unit is" if variant.lent_units == 1 else f"{variant.lent_units} units are"
        words.append(f"{who} lent to neighbours.")
    if variant.borrowed_units:
        many = sum(variant.borrowed_units.values())
        names = _named(ground.posts, "post_id", tuple(variant.borrowed_units))
        who = "1 unit of neighbours waits" if many == 1 else f"{many} units of neighbours wait"
        words.append(f"{who} at {names}.")
    return words


def _named(frame: pd.DataFrame, key: str, ids: tuple[str, ...]) -> str:
    names = dict(zip(frame[key].astype(str), frame["name"].astype(str), strict=True))
    return ", ".join(names[one] for one in ids)


def diversions_of(
    scenario: Scenario, ground: Ground, stage: SimulationGround
) -> pd.DataFrame | None:
    """Turn the scenario's diversions into spells: hospital (node), from_s, to_s.

    Raises
    ------
    InputError
        Unknown hospitals, with the nearest name, and hours outside the plan.
    """
    section = scenario.simulation
    if section is None or not section.diversions:
        return None
    faults = FaultList()
    beds = [] if ground.hospitals is None else ground.hospitals["hospital_id"].astype(str).tolist()
    where, rows = "simulation.diversions", []
    for one in section.diversions:
        note_unknown(faults, where, "hospital", (one.hospital,), beds)
        if max(one.hours) >= stage.hours:
            faults.add(
                where, f"hour {max(one.hours)}", f"hours of the plan, 0 to {stage.hours - 1}"
            )
        if one.hospital in beds:
            node = int(stage.hospitals[beds.index(one.hospital)])
            rows += [(node, hour) for hour in sorted(set(one.hours))]
    faults.raise_if_any()
    frame = pd.DataFrame(rows, columns=["hospital", "hour"])
    from_s = (WARM_UP_H + frame["hour"]) * HOUR_S
    return frame[["hospital"]].assign(from_s=from_s, to_s=from_s + HOUR_S)
