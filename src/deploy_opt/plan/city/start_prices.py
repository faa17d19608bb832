"""What few start times of each role cost, where a scenario asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.plan.joint.parts import parts_of
from deploy_opt.plan.joint.start_times import start_time_prices
from deploy_opt.plan.solver import Limits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deploy_opt.plan.city.parts import Found
    from deploy_opt.plan.joint.start_times import StartPrice

NUMBERS = range(2, 9)
"""Numbers of start times that are compared."""
PRICE_LIMITS = Limits(gap=3e-4, node_limit=40)
"""Gap and work of each number: prices of neighbouring numbers differ by little."""
COLUMNS = (
    *("service", "at_most", "starts_h", "worth", "bound", "gap", "loss", "loss_share"),
    *("short_unit_hours", "floor_unit_hours", "proven_short", "conflict"),
)


def start_price_rows(
    found: Found, *, numbers: Sequence[int] = NUMBERS, limits: Limits = PRICE_LIMITS
) -> pd.DataFrame:
    """Plan each role that asks for it with few start times, and with all.

    A role is planned with what a budget or calls tie to it (`parts.parts_of`); districts of the
    patrols share their start times. Other limits of the role stay.

    Parameters
    ----------
    found
        The plan's question and crews.
    numbers
        Numbers of start times; those that allow all of them are left out.
    limits
        Gap and work of each.

    Returns
    -------
    pandas.DataFrame
        service, at_most (missing: all start times), starts_h (hours of the day in use), worth of
        the calls reached, bound (what no crews with so few can be worth), gap, loss (worth that
        the limit costs) and its share, short_unit_hours (by which floors are missed),
        floor_unit_hours (that whole crews at these start times would take to keep every floor;
        missing where all are kept), proven_short (whether no so few start times keep them within
        the budget), conflict (why there are no such crews); empty where nothing is asked.
    """
    question = found.question
    asked = {
        "ems": question.case.settings.shifts,
        "police": question.patrol.shifts,
        "coresponse": question.teams.shifts,
    }
    names = [kind.name for kind in found.laid.question.types]
    parts = parts_of(found.laid)
    rows = []
    for service, types in found.services.items():
        shifts = asked[service]
        if shifts is None or not shifts.price_starts:
            continue
        own = {names.index(name) for name in types}
        for part in parts:
            held = [names[kind] for kind in part.types if kind in own]
            if held:
                few = [number for number in numbers if number < len(set(shifts.starts_h))]
                prices = start_time_prices(part.laid, limits, few, types=held)
                rows += [_row(service, held, price) for price in prices]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(service: str, types: list[str], price: StartPrice) -> tuple[object, ...]:
    used = sorted(
        {hour for name in types if name in price.used for hour in price.used[name].starts_h}
    )
    whole = max(abs(price.value + price.loss), 1e-12)
    at_most = pd.NA if price.at_most is None else price.at_most
    gap = price.gap if price.chosen is not None else np.nan
    return (
        service, at_most, " ".join(map(str, used)), price.value, price.bound, gap, price.loss,
        price.loss / whole, price.missing_unit_hours, price.floor_hours, price.proven_short,
        "; ".join(price.conflicts),
    )  # fmt: skip
