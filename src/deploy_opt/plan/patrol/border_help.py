"""Help across borders: how likely a neighbour's free unit reaches a call, at a stated staffing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.busy import cover_curve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from deploy_opt.plan.patrol.ground import PatrolCalls, PatrolGround, PatrolRules


def help_chances(
    ground: PatrolGround,
    calls: PatrolCalls,
    rules: PatrolRules,
    positions: Sequence[NDArray[np.int64]],
) -> dict[float, NDArray[np.float64]]:
    """Compute the chance that a free unit of a neighbour is in reach, by drive limit.

    ``H = 1 - product over neighbours e of (1 - F_e(m_e))``, with m_e the units of e that reach the
    point within the limit and F_e the cover curve of e's own loss system (`busy.cover_curve`):
    districts are busy independently of one another, the units of one district are not.

    Parameters
    ----------
    ground, calls, rules
        Districts, calls and rules.
    positions
        By district: its units at each of its posts at the stated staffing, shape (hours, posts of
        the district).

    Returns
    -------
    dict
        For each drive limit, s, of any priority: mean over the points of each area by their share
        of its calls, shape (areas, hours).
    """
    limits = sorted(
        {
            layer.drive_limit_s
            for priority in range(len(calls.priorities))
            for layer in rules.layers_of(priority)
        }
    )
    districts = range(len(ground.district_names))
    own = [ground.points_of(d) for d in districts]
    miss = {limit: np.ones((len(ground.point_area), ground.num_hours)) for limit in limits}
    load = ground.by_district(calls.unit_hours).sum(axis=0)
    asking = {e: [d for d in districts if e in ground.neighbours_of(d)] for e in districts}
    for helper, askers in asking.items():
        if not askers:
            continue
        points = np.concatenate([own[d] for d in askers])
        times = ground.by_profile[:, ground.posts_of(helper)][:, :, points]
        for limit in limits:
            reach = (times <= limit).astype(np.int64)
            for hour in range(ground.num_hours):
                there = positions[helper][hour]
                curve = cover_curve(float(load[helper, hour]), int(there.sum()))
                covering = there @ reach[int(ground.profile_of_hour[hour])]
                miss[limit][points, hour] *= 1.0 - curve[covering]
    return {limit: _by_area(ground, 1.0 - left) for limit, left in miss.items()}


def _by_area(ground: PatrolGround, of_point: NDArray[np.float64]) -> NDArray[np.float64]:
    result = np.zeros((len(ground.area_ids), of_point.shape[1]))
    np.add.at(result, ground.point_area, ground.point_share[:, None] * of_point)
    return result
