"""What a simulation is played on: nodes, drives, how long calls take, and calls with their luck."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import InputError
from deploy_opt.inputs.geometry import local_metres
from deploy_opt.settings import Simulation
from deploy_opt.simulation.draws import Law, ServiceLaws, draw_from_counts, draw_service, uniforms
from deploy_opt.stages.drives import SIREN_OR_NOT, drive_times
from deploy_opt.units import HOURS_PER_WEEK, SECONDS_PER_MINUTE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.inputs.roads import Roads
    from deploy_opt.settings import Scenario
    from deploy_opt.stages.kept import Calls, Ground

WARM_UP_H, AFTER_H = 24, 12
_LONGEST_S = 6 * 3600.0
FEWEST_RECORDS = 100
"""Records with times that a simulation needs at least, where nothing else gives lengths."""
_FEWEST_OF_AREA = 200
_ALL = "all"


@dataclass(frozen=True, slots=True)
class ServiceRecords:
    """How recorded calls went: a simulated call takes all of one record.

    Attributes
    ----------
    frame
        area (row of the areas axis), call_class and final_class, on_scene_s, transport,
        handover_s; by area.
    ends
        First row of each area and the end, shape (areas + 1,).
    """

    frame: pd.DataFrame
    ends: NDArray[np.int64]

    def rows_for(self, area: NDArray[np.int64], u: NDArray[np.float64]) -> NDArray[np.int64]:
        """Pick a record for each call: of its area, of all where that has fewer than 200."""
        start, end = self.ends[area], self.ends[area + 1]
        few = end - start < _FEWEST_OF_AREA
        start, end = np.where(few, 0, start), np.where(few, len(self.frame), end)
        return np.asarray(start + (u * (end - start)).astype(np.int64))


@dataclass(frozen=True, slots=True)
class SimulationGround:
    """What both plans are played on.

    Attributes
    ----------
    times_s
        Drive from row to column, s, shape (profiles, nodes, nodes): with the siren to demand
        points, without it to posts and hospitals. Nodes: posts, demand points, hospitals.
    node_xy
        Metres, shape (nodes, 2).
    period_of_hour
        Speed profile of each simulated hour, shape (168,).
    num_posts
        The first nodes are the posts.
    hospitals
        Nodes of the hospitals.
    points
        area (row of the areas axis), node, share.
    service
        Recorded calls, or laws for want of them.
    area_ids
        The areas axis.
    processing_s, turnout_s, standard_s
        Of the standard, s: a call is late after `standard_s` from the call to the arrival.
    hours
        Hours of the plan; `WARM_UP_H` are played before them.
    seed
        The scenario's.
    notes
        What a reader must know.
    origin
        Longitude and latitude of (0, 0) of `node_xy`, degrees.
    before_s
        What precedes a call's time on scene where its record has no arrival: turnout and mean
        drive, s.
    turnout_cv
        Spread of the turnout about `turnout_s`, coefficient of variation.
    unit_type
        Type of the units.
    """

    times_s: NDArray[np.float32]
    node_xy: NDArray[np.float64]
    period_of_hour: NDArray[np.int64]
    num_posts: int
    hospitals: NDArray[np.int64]
    points: pd.DataFrame
    service: ServiceRecords | ServiceLaws
    area_ids: tuple[str, ...]
    processing_s: float
    turnout_s: float
    standard_s: float
    hours: int
    seed: int
    notes: tuple[str, ...]
    origin: tuple[float, float] = (0.0, 0.0)
    before_s: float = 0.0
    turnout_cv: float = 0.0
    unit_type: str = "als"

    def turnouts(self, call_ids: NDArray[np.object_], luck: str) -> NDArray[np.float64]:
        """Give each call its turnout, s: by its id and the name of the luck; shape (calls,)."""
        if self.turnout_cv == 0:
            return np.full(len(call_ids), self.turnout_s)
        law = Law("lognormal", self.turnout_s, self.turnout_cv)
        return law.at(uniforms(self.seed, f"simulation/turnout/{luck}", call_ids))

    def draw(self, counts: NDArray[np.integer], replication: int) -> pd.DataFrame:
        """Make the calls of a replication with all that is random in them.

        Parameters
        ----------
        counts
            Calls of a sample path, shape (areas, hours). Its last hours are played first, as the
            warm-up.
        replication
            Its number.

        Returns
        -------
        pandas.DataFrame
            The calls as `simulate` takes them, with area_id, initial and final class.
        """
        order = (np.arange(WARM_UP_H + self.hours) - WARM_UP_H) % self.hours
        calls = draw_from_counts(
            counts.T[order], self.points, seed=self.seed, replication=replication
        )
        if isinstance(self.service, ServiceLaws):
            laws = {_ALL: self.service}
            calls = draw_service(
                calls.assign(call_class=_ALL, final_class=_ALL, priority=0.0),
                laws,
                seed=self.seed,
                replication=replication,
            )
        else:
            name = f"simulation/record/{replication}"
            luck = uniforms(self.seed, name, calls["call_id"].to_numpy())
            area = calls["area"].to_numpy(dtype=np.int64)
            rows = self.service.frame.iloc[self.service.rows_for(area, luck)]
            taken = ["call_class", "final_class", "on_scene_s", "transport", "handover_s"]
            calls = calls.assign(**{column: rows[column].to_numpy() for column in taken})
            calls["priority"] = rank_classes(calls["call_class"], self.service.frame["call_class"])
        names = np.asarray(self.area_ids, dtype=object)
        return calls.assign(
            area_id=names[calls["area"].to_numpy(dtype=np.int64)],
            processing_s=self.processing_s,
            turnout_s=self.turnouts(calls["call_id"].to_numpy(), str(replication)),
        )


def lay_simulation_ground(
    scenario: Scenario, calls: Calls, roads: Roads | None, ground: Ground, area_ids: tuple[str, ...]
) -> SimulationGround:
    """Measure drives between all places and gather how long calls take.

    Raises
    ------
    InputError
        Without roads, and when neither records nor `service_times` say how long calls take.
    """
    if roads is None:
        expected = "a road graph: a simulated unit also drives between calls, hospitals and posts"
        raise InputError.of("inputs.roads", "a travel matrix or nothing", expected)
    service = scenario.services[0]
    standard = scenario.standards[service]
    posts, points = ground.posts, ground.times.destinations
    places = [posts, points] + ([] if ground.hospitals is None else [ground.hospitals])
    nodes = pd.concat([place[["lon", "lat"]] for place in places], ignore_index=True)
    nodes = nodes.assign(post_id=nodes.index.astype(str))
    sheets = {
        mode: drive_times(scenario, service, roads, nodes, nodes, mode=mode)
        for mode in SIREN_OR_NOT
    }
    times_s = np.array(sheets["siren"].by_profile)
    first, end = len(posts), len(posts) + len(points)
    for columns in (slice(0, first), slice(end, len(nodes))):
        times_s[:, :, columns] = sheets["regular"].by_profile[:, :, columns]
    times_s[:, np.arange(len(nodes)), np.arange(len(nodes))] = 0.0
    fitted = scenario.simulation or Simulation()
    times_s *= fitted.travel_scale
    rank = {area_id: k for k, area_id in enumerate(area_ids)}
    hour = scenario.horizon.first_hour - WARM_UP_H + np.arange(HOURS_PER_WEEK)
    lon, lat = nodes["lon"].to_numpy(dtype=float), nodes["lat"].to_numpy(dtype=float)
    origin = (float(lon.mean()), float(lat.mean()))
    before_s = standard.turnout_s + _mean_drive_s(ground)
    laws, words = _service(scenario, calls, ground, area_ids, before_s)
    return SimulationGround(
        times_s=times_s,
        node_xy=local_metres(lon, lat, origin),
        period_of_hour=sheets["siren"].profile_of_hour[hour % HOURS_PER_WEEK].astype(np.int64),
        num_posts=first,
        hospitals=np.arange(end, len(nodes)),
        points=pd.DataFrame(
            {
                "area": points["area_id"].map(rank).to_numpy(),
                "node": first + np.arange(len(points)),
                "share": points["share"].to_numpy(dtype=np.float64),
            }
        ).dropna(),
        service=laws,
        area_ids=area_ids,
        processing_s=standard.processing_s,
        turnout_s=standard.turnout_s if fitted.turnout_s is None else fitted.turnout_s,
        standard_s=standard.drive_s + standard.before_drive_s,
        hours=scenario.horizon.hours,
        seed=scenario.seed,
        notes=(*words, *_fitted_words(fitted)),
        origin=origin,
        before_s=before_s,
        turnout_cv=fitted.turnout_cv,
        unit_type=scenario.fleet.unit_type,
    )


def _fitted_words(fitted: Simulation) -> tuple[str, ...]:
    """Say what calibration changed."""
    words = []
    if fitted.travel_scale != 1.0:
        words.append(f"drives are multiplied by {fitted.travel_scale:g}")
    if fitted.turnout_s is not None or fitted.turnout_cv:
        mean = "the standard's" if fitted.turnout_s is None else f"{fitted.turnout_s:g} s"
        words.append(f"the mean turnout is {mean}, its coefficient of variation "
                     f"{fitted.turnout_cv:g}")  # fmt: skip
    return (f"As the scenario's simulation section says, {' and '.join(words)}.",) if words else ()


def _service(
    scenario: Scenario, calls: Calls, ground: Ground, area_ids: tuple[str, ...], before_s: float
) -> tuple[ServiceRecords | ServiceLaws, tuple[str, ...]]:
    """Say how long calls take: the scenario's own numbers, else whole records."""
    service = scenario.services[0]
    section = scenario.service_times.get(service)
    if section is not None:
        whole = section.busy_min is not None
        scene_s = (
            max(SECONDS_PER_MINUTE * (section.busy_min or 0.0) - before_s, 0.0)
            if whole
            else SECONDS_PER_MINUTE * section.on_scene_min
        )
        if section.transport_share and not whole and ground.hospitals is None:
            expected = "hospitals and roads, as calls are transported"
            raise InputError.of("inputs.hospitals", "nothing", expected)
        laws = ServiceLaws(
            on_scene=Law("exponential", scene_s),
            handover=Law("exponential", SECONDS_PER_MINUTE * section.handover_min),
            transport_share=0.0 if whole else section.transport_share,
        )
        words = "Times on scene and at hospital are exponential with the scenario's means."
        return laws, (words,)
    frame = calls.incidents
    own = frame[frame["service"] == service] if not frame.empty else frame
    records, words = times_of_records(own, before_s, ground.hospitals is not None)
    if len(records) < FEWEST_RECORDS:
        found = f"{len(records)} records with dispatch or arrival and clear times"
        raise InputError.of(f"service_times.{service}", found, "busy_min, or the parts of a call")
    rank = {area_id: k for k, area_id in enumerate(area_ids)}
    area = records["area_id"].map(rank).fillna(len(area_ids)).astype(np.int64)
    records = records.assign(area=area).sort_values("area", kind="stable", ignore_index=True)
    ends = np.searchsorted(records["area"].to_numpy(), np.arange(len(area_ids) + 1))
    return ServiceRecords(records, ends), (words,)


def times_of_records(
    own: pd.DataFrame,
    before_s: float,
    hospitals: bool,  # noqa: FBT001  (whether the scenario has any)
) -> tuple[pd.DataFrame, str]:
    """Take the parts of each record, or its length from dispatch to clear less `before_s`."""
    if own.empty:
        return own.assign(call_class=[]), ""
    timed = own["arrived_at"].notna() & own["cleared_at"].notna()
    by_parts = bool(timed.mean() >= 0.5)
    kept = own[timed if by_parts else own["dispatched_at"].notna() & own["cleared_at"].notna()]
    final = kept["priority"].astype(object).where(kept["priority"].notna(), "none").astype(str)
    initial = kept["initial_priority"].astype(object)
    initial = initial.where(initial.notna(), final).astype(str)
    transport = pd.Series(data=False, index=kept.index)
    handover_s = pd.Series(0.0, index=kept.index)
    if by_parts:
        moved = kept["departed_at"].notna() & kept["at_hospital_at"].notna() & hospitals
        transport = moved.astype(bool)
        left = kept["departed_at"].where(transport, kept["cleared_at"])
        scene_s = (left - kept["arrived_at"]).dt.total_seconds()
        stay = (kept["cleared_at"] - kept["at_hospital_at"]).dt.total_seconds()
        handover_s = stay.where(transport, 0.0)
        words = "whole records: time on scene, transport and time at hospital together"
    else:
        scene_s = (kept["cleared_at"] - kept["dispatched_at"]).dt.total_seconds()
        scene_s = (scene_s - before_s).clip(lower=0.0).where(scene_s > 0)
        words = (
            "records from dispatch to clear, less the standard's turnout and the mean drive of "
            f"the nearest staffed post, {before_s:.0f} s in all"
        )
    found = pd.DataFrame(
        {
            "area_id": kept["area_id"],
            "call_class": initial,
            "final_class": final,
            "on_scene_s": scene_s,
            "transport": transport,
            "handover_s": handover_s,
        }
    )
    good = found["on_scene_s"].between(0, _LONGEST_S) & found["handover_s"].between(0, _LONGEST_S)
    found = found[good]
    return found, f"Calls take the times of {len(found):,} {words}."


def _mean_drive_s(ground: Ground) -> float:
    """Mean drive of the nearest current post, over the points by their shares, s."""
    current = ground.posts["current"].to_numpy(dtype=bool)
    nearest = ground.times.seconds[current if current.any() else slice(None)].min(axis=0)
    known = np.isfinite(nearest)
    share = ground.times.destinations["share"].to_numpy(dtype=float)
    return float(np.average(nearest[known], weights=share[known])) if known.any() else 0.0


def rank_classes(classes: pd.Series, known: pd.Series) -> NDArray[np.float64]:
    """Give priorities numbers, the most urgent first: their own, else by name."""
    numbers = pd.to_numeric(known, errors="coerce")
    if numbers.notna().all():
        return np.asarray(pd.to_numeric(classes), dtype=np.float64)
    order = {name: float(k) for k, name in enumerate(sorted(set(known)))}
    return np.asarray(classes.map(order), dtype=np.float64)
