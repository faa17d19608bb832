"""Read the frames of a plan of all services off what its steps found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.plan.joint.trade_offs import reached_by, spent_by
from deploy_opt.plan.patrol.district_plan import need_positions
from deploy_opt.plan.patrol.district_pools import type_name
from deploy_opt.plan.patrol.results import crews_by_district, district_response

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from deploy_opt.plan.city.parts import CityQuestion, Found, Police
    from deploy_opt.plan.joint.trade_offs import CapPrice, LastHour, Reweighed


def service_rows(found: Found) -> pd.DataFrame:
    """List the services with what they spend and reach, see `CityPlan.services`."""
    laid, services = found.laid, found.services
    worth, calls = dict.fromkeys(services, 0.0), dict.fromkeys(services, 0.0)
    for each in laid.question.classes:
        service = next(name for name, types in services.items() if each.answered_by[0] in types)
        calls[service] += float(each.calls.sum())
        worth[service] += each.weight * float(each.rates.sum())
    hours = {
        kind.name: float(crews @ kind.columns.unit_hours)
        for kind, crews in zip(laid.question.types, found.chosen.crews, strict=True)
    }
    plans = {"separate": found.separate, "shared": found.shared, "plan": found.chosen}
    spent = {name: spent_by(laid, plan.crews, services) for name, plan in plans.items()}
    reached = {name: reached_by(laid, plan.crews, services) for name, plan in plans.items()}
    rows = []
    for service, types in services.items():
        whole = max(worth[service], 1e-12)
        rows.append(
            {
                "service": service,
                "unit_types": len(types),
                "unit_hours": sum(hours[name] for name in types),
                "limit": found.limits[service],
                "calls": calls[service],
                "worth": worth[service],
                **{f"money_{name}": spent[name][service] for name in plans},
                **{f"reached_{name}": reached[name][service] / whole for name in plans},
            }
        )
    return pd.DataFrame(rows)


def unit_rows(found: Found, units_of: Mapping[str, NDArray[np.int64]]) -> pd.DataFrame:
    """List where units wait: posts for ambulances and teams, areas for patrols."""
    question = found.question
    posts = question.case.times.origins["post_id"].astype(str).to_numpy()
    areas = np.asarray(question.ground.area_ids, dtype=object)
    parts = []
    for service, types in found.services.items():
        for rank, name in enumerate(types):
            units = units_of[name]
            row, column = np.nonzero(units)
            police = service == "police"
            place = posts
            if police:
                place = areas[question.ground.post_area[question.ground.posts_of(rank)]]
            parts.append(
                pd.DataFrame(
                    {
                        "service": service,
                        "unit_type": question.patrol.unit_type if police else name,
                        "district": question.ground.district_names[rank] if police else "",
                        "hour": question.ground.hours[row],
                        "post_id": place[column],
                        "units": units[row, column],
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


def crew_rows(found: Found) -> pd.DataFrame:
    """List the shifts that crews work, with the district that patrols keep."""
    names, joint = found.question.ground.district_names, found.joint
    patrol = crews_by_district(
        names, found.police.columns, [joint.crews[type_name(name)] for name in names]
    )
    parts = []
    for service, types in found.services.items():
        if service == "police":
            own = patrol.assign(service=service, unit_type=found.question.patrol.unit_type)
            parts.append(own)
            continue
        for name in types:
            kind = found.laid.question.type_named(name)
            own = crews_by_district([""], kind.columns, [joint.crews[name]])
            parts.append(own.assign(service=service, unit_type=name))
    rows = pd.concat(parts, ignore_index=True)
    columns = ["service", "unit_type", "district", "start_hour", "length_h", "crews"]
    if (rows["days"] > 1).any():  # weekly patterns: days in a row of each crew
        columns.insert(-1, "days")
    return rows[columns]


def today_rows(
    question: CityQuestion,
    police: Police,
    today: NDArray[np.int64],
    positions: Sequence[NDArray[np.int64]],
) -> pd.DataFrame:
    """Set today's patrols beside the plan's, by the same queues and drives.

    Today's units wait in the order that serves urgent calls of their district best
    (`district_plan.need_positions`): a roster by district does not say where.

    Parameters
    ----------
    question, police
        Districts, calls, need.
    today
        Units of today, shape (districts, hours).
    positions
        The plan's units at posts, by district.

    Returns
    -------
    pandas.DataFrame
        See `CityPlan.patrol_today`.
    """
    ground, names = question.ground, question.ground.district_names
    urgent = np.stack(
        [question.calls.rates[0][ground.area_district == k].sum(axis=0) for k in range(len(names))]
    )
    frame = pd.DataFrame({"district": [*names, "all"]})
    for arm, rows in (
        ("today", need_positions(ground, police.states, today)),
        ("plan", positions),
    ):
        units = np.stack([of.sum(axis=1) for of in rows])
        within = np.stack(
            [district_response(ground, police.states, k, of).within for k, of in enumerate(rows)]
        )
        short = (units < police.need.units).sum(axis=1)
        calls = np.maximum(urgent.sum(axis=1), 1e-12)
        share = (urgent * within).sum(axis=1) / calls
        whole = float((urgent * within).sum() / max(float(urgent.sum()), 1e-12))
        frame[f"unit_hours_{arm}"] = [*units.sum(axis=1).tolist(), int(units.sum())]
        frame[f"within_{arm}"] = [*share.tolist(), whole]
        frame[f"hours_short_{arm}"] = [*short.tolist(), int(short.sum())]
    return frame


def last_hour_rows(prices: Sequence[LastHour]) -> pd.DataFrame:
    """List what a service's last hours of duty buy."""
    return pd.DataFrame(
        [(p.service, p.unit_type, p.bought_per_1000, p.lost_per_1000) for p in prices],
        columns=["service", "unit_type", "bought_per_1000", "lost_per_1000"],
    )


def cap_rows(caps: Sequence[CapPrice], services: Sequence[str]) -> pd.DataFrame:
    """List what keeping each floor costs."""
    return pd.DataFrame(
        [(p.reason, p.hours_bound, p.value_gained, *(p.moved[s] for s in services)) for p in caps],
        columns=["reason", "hours_bound", "value_gained", *(f"to_{s}" for s in services)],
    )


def weight_rows(counted: Sequence[Reweighed], services: Sequence[str]) -> pd.DataFrame:
    """List what other weights would decide."""
    columns = ["service", "factor"]
    columns += [f"{name}_{service}" for name in ("money", "reached") for service in services]
    rows = [
        (r.service, r.factor, *(r.spent[s] for s in services), *(r.reached[s] for s in services))
        for r in counted
    ]
    return pd.DataFrame(rows, columns=columns)
