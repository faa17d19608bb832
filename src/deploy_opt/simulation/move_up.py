"""Move-up: which unit goes to which place, by an assignment of units to places."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def move_up(cost: ArrayLike, benefit: ArrayLike, must: ArrayLike) -> NDArray[np.int64]:
    """Assign units to places so that benefit less cost is greatest.

    Parameters
    ----------
    cost
        Cost of each unit's way to each place, shape (units, places); inf = no way.
    benefit
        What a unit in a place is worth, shape (places,), in the unit of `cost`. The first, second
        and further unit at a post are places of their own, worth less and less.
    must
        Whether a unit has to take a place, shape (units,); the others may stay where they are.

    Returns
    -------
    numpy.ndarray
        Place of each unit, shape (units,); -1 = stays where it is.

    Raises
    ------
    InputError
        For shapes that do not fit, and when a unit that must finds no place.

    Notes
    -----
    The integer program of Zhang (Simulation optimisation and Markov models for dynamic ambulance
    redeployment, Auckland 2012) is an assignment problem once every unit that may stay has a place
    of its own for that; scipy solves it exactly.

    Examples
    --------
    >>> move_up([[0.0, 4.0], [0.0, 4.0]], [4.0, 3.0], [True, False]).tolist()
    [0, -1]
    """
    from scipy.optimize import linear_sum_assignment

    costs = np.asarray(cost, dtype=np.float64)
    worth = np.asarray(benefit, dtype=np.float64).ravel()
    bound = np.asarray(must, dtype=np.bool_).ravel()
    costs = costs.reshape(bound.size, worth.size) if not costs.size else costs
    if costs.shape != (bound.size, worth.size):
        found = f"costs of shape {costs.shape}, {bound.size} units, {worth.size} places"
        raise InputError.of("move_up", found, "costs by unit and place")
    num, places = costs.shape
    stay = np.full((num, num), np.inf)
    stay[np.arange(num), np.arange(num)] = np.where(bound, np.inf, 0.0)
    try:
        _, column = linear_sum_assignment(np.hstack([costs - worth, stay]))
    except ValueError:
        expected = "a way to a place of its own for each unit that must move"
        found = f"{int(bound.sum())} units that must, {places} places"
        raise InputError.of("move_up", found, expected) from None
    return np.where(column < places, column, -1).astype(np.int64)
