"""Patrol districts: connected, of like workload, with the least travel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from deploy_opt.errors import FaultList, InfeasibleError, InputError
from deploy_opt.plan.districting.designing import Proof, describe, design, with_travel
from deploy_opt.plan.districting.questions import Wishes, ask, natural
from deploy_opt.plan.districting.reading import Places, listed, read_districts, read_places
from deploy_opt.plan.districting.results import DistrictPlan, Shape, Spread
from deploy_opt.plan.districting.searches import Search

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "DisruptionPoint",
    "DistrictPlan",
    "Search",
    "Shape",
    "Spread",
    "design_districts",
    "disruption_curve",
    "districts_by_period",
    "group_districts",
    "loads_by_period",
    "score_districts",
]


@dataclass(frozen=True, slots=True, eq=False)
class DisruptionPoint:
    """The best plan found that changes at most so many areas.

    Attributes
    ----------
    max_moved
        Most areas that may leave their district of today.
    plan
        The plan; None: none was found within the band.
    """

    max_moved: int
    plan: DistrictPlan | None


def design_districts(  # noqa: PLR0913  (the pinned library call; each keyword is one rule)
    workload: Any,  # noqa: ANN401 - frame or array
    neighbours: Any,  # noqa: ANN401 - frame, AreaNeighbours or scipy sparse (untyped)
    times_s: Any,  # noqa: ANN401 - frame or array
    *,
    num_districts: int,
    band: float = 0.05,
    max_spread: float | None = None,
    locked: Any = None,  # noqa: ANN401 - mapping, series or array
    max_moved: int | None = None,
    today: Any = None,  # noqa: ANN401 - mapping, series or array
    calls: ArrayLike | None = None,
    area_ids: Sequence[str] | None = None,
    compactness: float = 1.0,
    border_price: float | None = None,
    travel_in_workload: bool | None = None,
    search: Search | None = None,
    proof: Proof = "cuts",
) -> DistrictPlan:
    """Group areas into connected districts of like workload with the least travel.

    Each district has a centre, the area of its own from which its calls are nearest; travel is
    the sum over calls of the minutes from there. Borders between districts have a price, so that
    districts have no tentacles. Annealing from several starts finds the plan; prices, cuts and,
    if asked for, branching bound what any plan could save in travel.

    Parameters
    ----------
    workload
        Frame with area_id, workload_h (unit-hours that calls commit, those of several units
        counted per unit) and, for travel, calls; or the hours alone, shape (areas,), with
        `area_ids` and `calls`. Without calls, travel is weighted by the hours.
    neighbours
        `AreaNeighbours` (`deploy_opt.inputs.area_neighbours`), which also gives Polsby-Popper
        scores; a frame with area_id, neighbour_id [, border_km], each pair once or twice,
        border_km empty for a link without a border; or a symmetric sparse matrix of border
        lengths, km, shape (areas, areas).
    times_s
        Seconds from each area as a centre (row) to each area (column), inf: no way; a frame
        labelled by ids or an array, shape (areas, areas).
    num_districts
        Districts.
    band
        Most distance of a district's workload from the mean, as a share of the mean.
    max_spread
        Instead: most difference of the largest and the smallest workload, as a share of the mean;
        solved as a band of half of it.
    locked
        District that areas must have: mapping or series of area_id to name, or a name per area
        (None, NaN, an empty text: free).
    max_moved
        Most areas that may leave their district of today.
    today
        District of each area today, in the same forms; areas without one are counted with the
        adjacent district nearest in time.
    calls
        Calls of each area, shape (areas,).
    area_ids
        Ids of the areas when `workload` is an array.
    compactness
        Times the default price of borders: 5 % of today's travel per length of today's borders
        (without today: of a first plan for travel alone). 0: travel alone.
    border_price
        Call-minutes per km of border; instead of `compactness`.
    travel_in_workload
        Whether the hours of travel from the centres count as work; by default where calls are
        given.
    search
        How much to search.
    proof
        ``none``; ``prices``: a quick bound; ``cuts``: a tighter one; ``full``: with branching.
        It is a bound on travel, whatever borders cost and however many areas may move.

    Returns
    -------
    DistrictPlan
        ``.district_of`` (positions in ``.names``), ``.centre``, ``.objective``, ``.bound``,
        ``.gap``, ``.spread``, ``.shape``, ``.moved``, ``.notes``.

    Raises
    ------
    InputError
        Everything that is wrong with the arguments, at once.
    InfeasibleError
        The rules conflict: a smallest set of them is named; or the search met no districts that
        satisfy them, which it says.

    Examples
    --------
    >>> minutes = np.abs(np.subtract.outer(np.arange(4), np.arange(4)))
    >>> plan = design_districts(
    ...     [2.0, 1.0, 1.0, 2.0],
    ...     minutes == 1,
    ...     minutes * 60.0,
    ...     num_districts=2,
    ...     search=Search(starts=2),
    ...     proof="none",
    ... )
    >>> plan.district_of.tolist(), plan.travel_min
    ([0, 0, 1, 1], 2.0)
    """
    places = read_places(workload, neighbours, times_s, calls=calls, area_ids=area_ids)
    wishes = Wishes(
        num_districts, band, max_spread, locked, max_moved, today, compactness, border_price
    )
    counts = _has_calls(workload, calls)
    plan, _ = design(
        places,
        wishes,
        search or Search(),
        proof=proof,
        travel_in_workload=counts if travel_in_workload is None else travel_in_workload,
    )
    return plan


def score_districts(  # noqa: PLR0913  (the figures of design_districts, by its keywords)
    district_of: Any,  # noqa: ANN401 - mapping, series or array
    workload: Any,  # noqa: ANN401 - frame or array
    neighbours: Any,  # noqa: ANN401 - frame, AreaNeighbours or scipy sparse (untyped)
    times_s: Any,  # noqa: ANN401 - frame or array
    *,
    today: Any = None,  # noqa: ANN401 - mapping, series or array
    calls: ArrayLike | None = None,
    area_ids: Sequence[str] | None = None,
    border_price: float = 0.0,
    travel_in_workload: bool | None = None,
) -> DistrictPlan:
    """Score districts drawn by hand, or today's, by the numbers of a designed plan.

    Parameters
    ----------
    district_of
        Name of each area's district: mapping or series of area_id to name, or a name per area.
        Areas without one are counted with the adjacent district nearest in time, and named.
    workload, neighbours, times_s, today, calls, area_ids, border_price, travel_in_workload
        As for `design_districts`.

    Returns
    -------
    DistrictPlan
        With the best centres, without a bound; ``.stray`` names every area that is cut off from
        the main piece of its district.

    Raises
    ------
    InputError
        Everything that is wrong with the arguments, at once.
    """
    places = read_places(workload, neighbours, times_s, calls=calls, area_ids=area_ids)
    faults = FaultList()
    drawn = read_districts(district_of, places.area_ids, "district_of", faults)
    faults.raise_if_any()
    names = natural({name for name in drawn if name is not None})
    if not names:
        raise InputError.of("districts: district_of", "no district at all", "a name per area")
    counts = _has_calls(workload, calls)
    own = ask(places, Wishes(len(names), today=drawn, border_price=border_price))
    labels = np.zeros(0, dtype=np.int64) if own.today is None else own.today
    if counts if travel_in_workload is None else travel_in_workload:
        places = with_travel(places, labels, len(names))
        own = ask(places, Wishes(len(names), today=drawn, border_price=border_price))
    plan = describe(places, own, labels, float("nan"), {})
    if today is None:
        return plan
    before = read_districts(today, places.area_ids, "today", faults)
    faults.raise_if_any()
    moved = np.array(
        [
            b is not None and b != plan.names[d]
            for b, d in zip(before, plan.district_of, strict=True)
        ]
    )
    return replace(plan, moved=moved)


def disruption_curve(  # noqa: PLR0913  (the keywords of design_districts that matter here)
    workload: Any,  # noqa: ANN401 - frame or array
    neighbours: Any,  # noqa: ANN401 - frame, AreaNeighbours or scipy sparse (untyped)
    times_s: Any,  # noqa: ANN401 - frame or array
    *,
    today: Any,  # noqa: ANN401 - mapping, series or array
    max_moved: Sequence[int],
    num_districts: int,
    band: float = 0.05,
    locked: Any = None,  # noqa: ANN401 - mapping, series or array
    calls: ArrayLike | None = None,
    area_ids: Sequence[str] | None = None,
    compactness: float = 0.0,
    travel_in_workload: bool | None = None,
    search: Search | None = None,
) -> tuple[DisruptionPoint, ...]:
    """Find the best plan that changes at most k areas, for several k.

    Each search begins from today's districts and from the plan with fewer changes, so that more
    changes never cost more.

    Parameters
    ----------
    workload, neighbours, times_s, num_districts, band, locked, calls, area_ids
        As for `design_districts`.
    today
        District of each area today.
    max_moved
        Numbers of areas that may change.
    compactness, travel_in_workload
        As for `design_districts`; by default the curve shows travel alone.
    search
        How much to search for each point; by default with 8 starts.

    Returns
    -------
    tuple of DisruptionPoint
        In rising order of `max_moved`; without bounds.

    Raises
    ------
    InputError
        Everything that is wrong with the arguments, at once.
    """
    places = read_places(workload, neighbours, times_s, calls=calls, area_ids=area_ids)
    counts = _has_calls(workload, calls)
    also: tuple[NDArray[np.int64], ...] = ()
    points = []
    for most in sorted(set(max_moved)):
        wishes = Wishes(num_districts, band, None, locked, most, today, compactness)
        try:
            plan, labels = design(
                places,
                wishes,
                search or Search(starts=8),
                proof="none",
                travel_in_workload=counts if travel_in_workload is None else travel_in_workload,
                also=also,
            )
        except InfeasibleError:
            points.append(DisruptionPoint(most, None))
            continue
        also = (labels,)
        points.append(DisruptionPoint(most, plan))
    return tuple(points)


def loads_by_period(plan: DistrictPlan, workload_h: ArrayLike) -> NDArray[np.float64]:
    """Sum the workload of each district in each period, such as the shifts of a day.

    Parameters
    ----------
    plan
        The districts.
    workload_h
        Unit-hours, shape (periods, areas).

    Returns
    -------
    numpy.ndarray
        Unit-hours, shape (periods, districts); `spread_of` of a row measures how unlike they are.
    """
    hours = np.atleast_2d(np.asarray(workload_h, dtype=float))
    if hours.shape[1] != len(plan.area_ids):
        raise InputError.of(
            "districts: workload_h by period", f"shape {hours.shape}",
            f"(periods, {len(plan.area_ids)} areas)",
        )  # fmt: skip
    inside = plan.district_of[:, None] == np.arange(len(plan.names))[None, :]
    return np.asarray(hours @ inside.astype(float))


def districts_by_period(
    workloads: Mapping[str, Any],
    neighbours: Any,  # noqa: ANN401 - frame, AreaNeighbours or scipy sparse (untyped)
    times_s: Any,  # noqa: ANN401 - frame or array
    *,
    common: DistrictPlan,
    **wishes: Any,  # noqa: ANN401 - the keywords of design_districts, checked there
) -> dict[str, DistrictPlan]:
    """Design districts for each period on its own, begun from the common plan and named after it.

    One plan for all hours is mostly nearly as good, and easier to work with: compare
    `loads_by_period` of the common plan first.

    Parameters
    ----------
    workloads
        Workload frame of each period, as for `design_districts`.
    neighbours, times_s
        As for `design_districts`.
    common
        The plan for all hours; takes the part of today's districts.
    **wishes
        Further keywords of `design_districts`.
    """
    names = np.array(common.names, dtype=object)[common.district_of]
    today = dict(zip(common.area_ids, names, strict=True))
    rules = {"num_districts": len(common.names), **wishes}
    return {
        period: design_districts(workload, neighbours, times_s, today=today, **rules)
        for period, workload in workloads.items()
    }


def group_districts(
    plan: DistrictPlan,
    workload: Any,  # noqa: ANN401 - frame or array
    neighbours: Any,  # noqa: ANN401 - frame, AreaNeighbours or scipy sparse (untyped)
    times_s: Any,  # noqa: ANN401 - frame or array
    *,
    num_sectors: int,
    band: float = 0.25,
    calls: ArrayLike | None = None,
    **wishes: Any,  # noqa: ANN401 - the keywords of design_districts, checked there
) -> DistrictPlan:
    """Group connected districts into connected sectors, such as night districts or precincts.

    The same search on the graph of districts: a sector's workload is that of its districts,
    its centre the centre of one of them.

    Parameters
    ----------
    plan
        The districts.
    workload, neighbours, times_s, calls
        As for `design_districts`.
    num_sectors
        Sectors.
    band
        Most distance of a sector's workload from the mean; wide, for districts are large.
    **wishes
        Further keywords of `design_districts`, by sector and district instead of district and
        area.

    Returns
    -------
    DistrictPlan
        Its areas are the districts: ``.area_ids`` are ``plan.names``.
    """
    from scipy import sparse

    places = read_places(workload, neighbours, times_s, calls=calls, area_ids=plan.area_ids)
    if places.area_ids != plan.area_ids:
        raise InputError.of(
            "districts: workload", listed(places.area_ids), "the areas of the plan, in its order"
        )
    inside = sparse.csr_array(
        (np.ones(len(plan.area_ids)), (plan.district_of, np.arange(len(plan.area_ids)))),
        shape=(len(plan.names), len(plan.area_ids)),
    )
    num_calls = inside @ places.calls
    seconds = places.times_s[plan.centre] * places.calls[None, :]
    totals = seconds @ inside.T.toarray()
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_s = np.where(num_calls > 0, totals / num_calls, 0.0)
    joins = _district_borders(places, plan)
    rules = {"travel_in_workload": False, "area_ids": plan.names, **wishes}
    return design_districts(
        plan.workload_h,
        joins,
        mean_s,
        num_districts=num_sectors,
        band=band,
        calls=num_calls,
        **rules,
    )


def _district_borders(places: Places, plan: DistrictPlan) -> Any:  # noqa: ANN401 - scipy is untyped
    """Sum the borders between districts; neighbours without a length stay neighbours."""
    from deploy_opt.inputs.area_neighbours import symmetric

    pairs = places.border_km.tocoo()
    one, other = plan.district_of[pairs.row], plan.district_of[pairs.col]
    lengths: dict[tuple[int, int], float] = {}
    for a, b, km in zip(one.tolist(), other.tolist(), pairs.data.tolist(), strict=True):
        if a < b:
            lengths[a, b] = lengths.get((a, b), 0.0) + km
    return symmetric(lengths, len(plan.names))


def _has_calls(workload: Any, calls: ArrayLike | None) -> bool:  # noqa: ANN401 - frame or array
    return calls is not None or "calls" in getattr(workload, "columns", ())
