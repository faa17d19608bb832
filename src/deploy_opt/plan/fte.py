"""One row of full-time staff: the floors of a role, what the plan has, and what decides."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from deploy_opt.staffing import HOURS_PER_YEAR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deploy_opt.staffing import FteTerms

_MORE = 1.005
"""Plan over its floors from which on coverage, not a floor, decides the staff."""


def fte_row(  # noqa: PLR0913 - the facts of a row, one each
    service: str,
    role: str,
    tier: str,
    *,
    work_h: float,
    floors_h: Mapping[str, float],
    needed_h: float,
    planned_h: float,
    hours: int,
    people: int,
    terms: FteTerms,
) -> dict[str, object]:
    """Turn unit-hours of a plan's horizon into a row of ``fte.csv``.

    Parameters
    ----------
    service, role, tier
        Labels.
    work_h
        Unit-hours of work alone.
    floors_h
        Unit-hours that a floor asks for: workload (units that keep the busy cap), minimum_posts,
        queueing; a floor that is not asked for is left out.
    needed_h
        Unit-hours that all floors ask for together: the largest of each hour.
    planned_h
        Unit-hours on duty in the plan.
    hours
        Hours of the horizon.
    people
        People of the role on a unit.
    terms
        How hours become staff; paid hours count, breaks included.

    Returns
    -------
    dict
        Columns of ``fte.csv``; binding names the largest floor, the workload among equals, or
        coverage where the plan has more than any floor asks for.
    """
    per_year = HOURS_PER_YEAR / hours * people

    def fte(unit_hours: float) -> float:
        return terms.fte(unit_hours * per_year)

    largest = max(floors_h, key=lambda name: floors_h[name])
    binding = "coverage" if planned_h > _MORE * needed_h else largest
    return {
        "service": service,
        "role": role,
        "tier": tier,
        "workload_fte": fte(work_h),
        **{
            f"{name}_fte": fte(floors_h[name]) if name in floors_h else math.nan
            for name in ("minimum_posts", "queueing")
        },
        "fte": fte(planned_h),
        "binding": binding,
        "relief_factor": terms.relief_factor,
        "formula": terms.formula,
        "hours_per_year": planned_h * per_year,
    }
