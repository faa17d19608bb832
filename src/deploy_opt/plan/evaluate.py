"""Any plan judged by the deployment model: cover by area and hour, busy fraction by hour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.errors import InputError
from deploy_opt.plan.coverage import cover_model

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.inputs.travel import TravelTimes
    from deploy_opt.plan.coverage import WeeklyForecast
    from deploy_opt.settings import PlanSettings


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What the deployment model expects of a plan.

    Attributes
    ----------
    area_ids
        Areas, in the order of the areas axis.
    cover
        Share of calls that a free unit reaches within the standard, shape (areas, hours).
    busy
        Mean busy fraction of the units on duty, shape (hours,); 1 where nobody is on duty.
    value
        Expected calls reached within the standard, shape (hours,).
    worth
        Expected worth of a call by the plan's response layers, shape (areas, hours); None: the
        plan has none, the cover is all that it aims at.
    """

    area_ids: tuple[str, ...]
    cover: NDArray[np.float64]
    busy: NDArray[np.float64]
    value: NDArray[np.float64]
    worth: NDArray[np.float64] | None = None


def evaluate_positions(
    units: NDArray[np.int64],
    forecast: WeeklyForecast,
    times: TravelTimes,
    settings: PlanSettings,
) -> Evaluation:
    """Judge positions by the model that plans are made with.

    Parameters
    ----------
    units
        Units at each post, shape (hours, posts); posts in the order of ``times.origins``.
    forecast
        Gives the expected calls by area and hour of the week.
    times
        Drive times, s.
    settings
        The plan section.

    Returns
    -------
    Evaluation

    Raises
    ------
    InputError
        Units of another shape, negative or not whole.
    """
    checked = checked_units(units, settings.hours, len(times.origins), "units")
    model = cover_model(forecast, times, settings)
    cover = model.area_cover(checked)
    value = (model.rates * cover).sum(axis=0)
    worth = model.area_worth(checked) if settings.layers else None
    return Evaluation(model.area_ids, cover, model.busy(checked.sum(axis=1)), value, worth)


def checked_units(
    units: NDArray[np.int64], hours: int, posts: int, where: str
) -> NDArray[np.int64]:
    """Check the shape and the sign of positions and give them as whole numbers."""
    given = np.asarray(units)
    if given.shape != (hours, posts):
        expected = f"shape ({hours}, {posts}): hours x posts"
        raise InputError.of(where, f"shape {given.shape}", expected)
    if (given < 0).any() or not np.array_equal(given, np.floor(given)):
        raise InputError.of(where, "negative or broken numbers of units", "whole numbers, >= 0")
    return given.astype(np.int64)
