"""Posts whose units stay as they are while those of the others are planned."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from deploy_opt.plan.posts.hour_posts import room_at
from deploy_opt.plan.rules import room_on_few

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.coverage import CoverModel
    from deploy_opt.plan.rules import Rules


@dataclass(frozen=True, slots=True, eq=False)
class FreePart:
    """The part of a city that is planned while the rest stays as it is.

    Attributes
    ----------
    posts
        Posts whose units are planned, shape (posts,); the others' are pinned.
    areas
        Areas whose floors the plan has to keep, shape (areas,).
    weight
        What a call of each area is worth to the plan, between 0 and 1, shape (areas,).
    """

    posts: NDArray[np.bool_]
    areas: NDArray[np.bool_]
    weight: NDArray[np.float64]


def weighted_model(model: CoverModel, weight: NDArray[np.float64]) -> CoverModel:
    """Let a call of each area be worth `weight`, shape (areas,); what is covered stays."""
    if (weight == 1).all():
        return model
    scale = sparse.diags_array(weight)
    geometries = tuple(
        replace(geometry, area_worth=sparse.csr_array(scale @ geometry.worth))
        for geometry in model.geometries
    )
    return replace(model, geometries=geometries)


def pinned_rules(rules: Rules, today: NDArray[np.int64], free_posts: NDArray[np.bool_]) -> Rules:
    """Pin the units of some posts, hour by hour, to what they are today.

    The pinned units are facts, so rules give way as far as they break them: the most units on duty
    and the most posts in use are never below today's. A pinned post has no price of opening. The
    free posts share the unit-hours that they have today.

    Parameters
    ----------
    rules
        The rules of a plan of all posts.
    today
        Units today, shape (hours, posts).
    free_posts
        Posts that are planned, shape (posts,); the others are pinned.

    Returns
    -------
    Rules
        `lower` and `upper` are both `today` at pinned posts.
    """
    lower = np.where(free_posts, rules.lower, today)
    upper = np.where(free_posts, rules.upper, today)
    used = today > 0
    in_plan, in_hour = int(used.any(axis=0).sum()), int(used.sum(axis=1).max(initial=0))
    max_open = None if rules.max_open is None else max(rules.max_open, in_plan)
    per_hour = rules.max_open_per_hour
    per_hour = None if per_hour is None else max(per_hour, in_hour)
    room = np.minimum(room_on_few(lower, upper, max_open), room_at(lower, upper, per_hour))
    return replace(
        rules,
        lower=lower,
        upper=upper,
        max_units=np.minimum(np.maximum(rules.max_units, today.sum(axis=1)), room),
        unit_hours=float(today.sum()),
        max_open=max_open,
        max_open_per_hour=per_hour,
        opening_calls=np.where(free_posts, rules.opening_calls, 0.0),
    )
