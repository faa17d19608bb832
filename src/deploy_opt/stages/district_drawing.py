"""Draw districts, or score those drawn by hand, with all that is told beside them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from deploy_opt.plan.districts import (
    Search,
    design_districts,
    disruption_curve,
    districts_by_period,
    score_districts,
)
from deploy_opt.report.district_results import CurvePoint
from deploy_opt.units import SECONDS_PER_MINUTE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from deploy_opt.inputs.district_files import DrawnDistricts
    from deploy_opt.plan.districting.results import DistrictPlan
    from deploy_opt.stages.district_ground import DistrictGround

_STEPS = 5  # points of the curve of least disruption, where none are named


@dataclass(frozen=True, slots=True)
class DistrictRules:
    """What is asked of the districts.

    Attributes
    ----------
    num_districts
        Districts; None: as many as today.
    band
        Most distance of a district's workload from the mean, as a share of the mean.
    max_spread
        Instead: most difference of the largest and the smallest workload, as a share of the mean.
    max_moved
        Most areas that change district; None: any number.
    moved_steps
        Numbers of changes that the curve of least disruption shows; none: five up to a third of
        the areas.
    locked
        Area -> name of the district that it must have.
    compactness
        Weight of short borders, see `design_districts`.
    by_shift
        Whether each shift gets districts of its own beside the plan of all hours.
    prove
        Whether a bound on the travel is worked out.
    """

    num_districts: int | None = None
    band: float = 0.05
    max_spread: float | None = None
    max_moved: int | None = None
    moved_steps: tuple[int, ...] = ()
    locked: Mapping[str, str] = field(default_factory=dict)
    compactness: float = 1.0
    by_shift: bool = False
    prove: bool = True

    @property
    def half_band(self) -> float:
        """Share of the mean by which a district may differ: `band`, or half of `max_spread`."""
        return self.band if self.max_spread is None else self.max_spread / 2


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Districts of a run.

    Attributes
    ----------
    plan
        The districts.
    today
        Today's, scored the same way; None: there are none.
    curve
        The best districts found that change at most so many areas.
    by_shift
        Shift and its own districts.
    by_hand
        Whether the plan was drawn by hand and is scored only.
    """

    plan: DistrictPlan
    today: DistrictPlan | None
    curve: tuple[CurvePoint, ...] = ()
    by_shift: tuple[tuple[str, DistrictPlan], ...] = ()
    by_hand: bool = False


def draw_districts(
    ground: DistrictGround,
    rules: DistrictRules,
    today: DrawnDistricts | None,
    hand: DrawnDistricts | None = None,
    *,
    seed: int = 1,
    search: Search | None = None,
) -> Drawn:
    """Draw the districts, or score those drawn by hand, with all that is told beside them.

    Parameters
    ----------
    ground
        Workload, drives and neighbours.
    rules
        What is asked of the districts.
    today, hand
        Today's districts, and those to be scored; None: none.
    seed
        Seed of the searches.
    search
        How much to search; None: the usual.

    Raises
    ------
    InputError
        For faults of the arguments.
    InfeasibleError
        When no districts keep the rules; names those that conflict.
    """
    work = ground.work
    places = (ground.neighbours, ground.minutes.T * SECONDS_PER_MINUTE)
    every = _workload(work.area_ids, work.workload_h.sum(axis=1), work.calls.sum(axis=1))
    given: dict[str, Any] = {"travel_in_workload": False}  # dispatch to clear holds the drive
    before = None if today is None else _names(today)
    scored = None if before is None else score_districts(before, every, *places, **given)
    if hand is not None:
        plan = score_districts(_names(hand), every, *places, today=before, **given)
        return Drawn(plan, scored, by_hand=True)
    search = search or Search(seed=seed)
    wishes = given | {"compactness": rules.compactness, "search": search}
    number = rules.num_districts or (len(today.names) if today is not None else 0)
    plan = design_districts(
        every,
        *places,
        num_districts=number,
        band=rules.band,
        max_spread=rules.max_spread,
        locked=dict(rules.locked) or None,
        max_moved=rules.max_moved,
        today=before,
        proof="cuts" if rules.prove else "none",
        **wishes,
    )
    curve: tuple[CurvePoint, ...] = ()
    if today is not None and before is not None and number == len(today.names):
        steps = rules.moved_steps or _steps(len(work.area_ids))
        points = disruption_curve(
            every,
            *places,
            today=before,
            max_moved=steps,
            num_districts=number,
            band=rules.half_band,
            locked=dict(rules.locked) or None,
            **wishes,
        )
        curve = (*(CurvePoint(p.max_moved, p.plan) for p in points), CurvePoint(None, plan))
    own = {}
    if rules.by_shift:
        shifts = {
            name: _workload(work.area_ids, work.workload_h[:, k], work.calls[:, k])
            for k, name in enumerate(work.shifts)
        }
        own = districts_by_period(
            shifts, *places, common=plan, band=rules.half_band, proof="none", **wishes
        )
    return Drawn(plan, scored, curve, tuple(own.items()))


def _workload(
    area_ids: tuple[str, ...], workload_h: NDArray[np.float64], calls: NDArray[np.float64]
) -> pd.DataFrame:
    return pd.DataFrame({"area_id": area_ids, "workload_h": workload_h, "calls": calls})


def _names(drawn: DrawnDistricts) -> NDArray[np.object_]:
    """Name the district of each area; None where it has none."""
    return np.array([*drawn.names, None], dtype=object)[drawn.district_of]


def _steps(num_areas: int) -> tuple[int, ...]:
    """Choose numbers of changes for the curve of least disruption: few, up to a third.

    Examples
    --------
    >>> _steps(52)
    (2, 3, 6, 10, 17)
    """
    most = max(num_areas / 3, 2.0)
    return tuple(np.unique(np.geomspace(2, most, _STEPS).round().astype(int)).tolist())
