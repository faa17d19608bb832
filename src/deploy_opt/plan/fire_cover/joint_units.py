"""Fire companies in the weekly plan of all services: a unit type and a call class like others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.joint.question import CallClass, Layer, UnitType

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.fire_cover.question import CompanyKind, FireStandard
    from deploy_opt.plan.shifts import ShiftColumns


def fire_unit_type(
    kind: CompanyKind,
    columns: ShiftColumns,
    by_profile: NDArray[np.floating],
    *,
    cost_per_h: float = 1.0,
    min_units: int = 0,
) -> UnitType:
    """Enter a kind of fire company as a unit type of the joint plan.

    Parameters
    ----------
    kind
        Capacity, locks and forbidden stations hold in every hour; `CompanyKind.most` is the most
        on duty.
    columns
        Shifts, such as 24 on and 48 off.
    by_profile
        Travel from the stations to the demand points, s, shape (profiles, stations, points).
    cost_per_h
        Cost of a company-hour.
    min_units
        Fewest on duty in any hour.

    Returns
    -------
    UnitType
        For `deploy_opt.plan.joint.services.plan_services`; companies keep their station.
    """
    hours = columns.on_duty.shape[1]
    none = np.zeros(kind.capacity.size, dtype=np.int64)
    locked = none if kind.locked is None else kind.locked.astype(np.int64)
    closed = none.astype(bool) if kind.forbidden is None else kind.forbidden
    room = np.where(closed, 0, kind.capacity).astype(np.int64)
    return UnitType(
        name=kind.name,
        columns=columns,
        by_profile=by_profile,
        lower=np.tile(locked, (hours, 1)),
        upper=np.tile(room, (hours, 1)),
        cost_per_h=cost_per_h,
        busy_cap=1.0,
        min_units=min_units,
        max_units=kind.most,
        max_moves=0,
    )


def first_engine_class(
    name: str,
    rates: NDArray[np.float64],
    standard: FireStandard,
    *,
    busy_h: float,
    first_worth: float = 0.5,
    weight: float = 1.0,
) -> CallClass:
    """Enter fire calls with the first-due limit and the force's limit as response layers.

    The weekly plan counts one company for each call; how many stand within the force's limit is
    `most_covered`'s own question.

    Parameters
    ----------
    name
        Name in reports.
    rates
        Expected calls per hour, shape (areas, hours).
    standard
        Both limits and the kinds that answer.
    busy_h
        Hours that a call commits a company.
    first_worth
        Share of a call's worth that the first-due limit earns; the rest is earned within the
        force's limit.
    weight
        Worth of a call on the scale of all services.
    """
    layers = (
        Layer(standard.first_limit_s, first_worth),
        Layer(standard.force_limit_s, 1.0 - first_worth),
    )
    return CallClass(name, rates, busy_h, standard.first_kinds, layers, weight)
