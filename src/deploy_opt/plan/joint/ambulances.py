"""The ambulances of a deployment question as a unit type and a call class of a joint plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.joint.question import CallClass, Layer, UnitType
from deploy_opt.plan.rules import NO_LIMIT

if TYPE_CHECKING:
    from deploy_opt.plan.case import Case

_ROOM = 60
"""Units that a post without a limit holds in a joint plan."""


def ambulance_type(case: Case) -> UnitType:
    """Make the unit type of a deployment question, with its shifts, posts and rules.

    Rules on posts that a joint plan does not know (posts in use in any one hour, prices of
    opening, floors of areas and groups) are left out: `deployment` plans with them.
    """
    fleet, rules, shifts = case.settings.fleet, case.rules, case.settings.shifts
    limited = rules.max_units < NO_LIMIT
    floors = (("fewest units", rules.min_units),) if rules.min_units.any() else ()
    return UnitType(
        name=fleet.unit_type,
        columns=case.columns,
        by_profile=np.asarray(case.times.by_profile),
        lower=rules.lower,
        upper=np.minimum(rules.upper, np.maximum(rules.lower, _ROOM)),
        cost_per_h=fleet.cost_per_unit_hour or 1.0,
        busy_cap=fleet.busy_cap,
        max_units=int(rules.max_units[limited].min()) if limited.any() else None,
        max_open=rules.max_open,
        max_moves=rules.max_moves,
        floors=floors,
        max_starts=None if shifts is None else shifts.max_starts,
        max_patterns=None if shifts is None else shifts.max_patterns,
    )


def ambulance_class(case: Case, *, weight: float = 1.0) -> CallClass:
    """Make the call class of a deployment question.

    Parameters
    ----------
    case
        The question.
    weight
        Worth of a call that is reached in time, on the scale of all services.
    """
    settings = case.settings
    layers = tuple(Layer(layer.drive_limit_s, layer.worth) for layer in settings.layers)
    return CallClass(
        name=settings.service,
        rates=case.model.rates,
        busy_h=case.model.busy_h,
        answered_by=(settings.fleet.unit_type,),
        layers=layers or (Layer(settings.drive_limit_s),),
        weight=weight,
    )
