"""Towns for the tests of patrols: few districts, drawn by hand."""

import numpy as np

from deploy_opt.plan.patrols import PatrolCalls, PatrolGround, PatrolRules
from deploy_opt.plan.shifts import ShiftColumns

MINUTE = 60.0


def street(num_areas, *, apart_min=2.0, own_min=1.0):
    """Give drive times along a street, one place an area, s, shape (1, areas, areas)."""
    at = np.arange(num_areas)
    return ((own_min + apart_min * np.abs(at[:, None] - at)) * MINUTE)[None]


def town(area_district, *, hours=4, times=None, neighbours=None, names=None, profile=None):
    """Lay out one place and one demand point an area; areas are a street by default."""
    area_district = np.asarray(area_district)
    at = np.arange(len(area_district))
    districts = int(area_district.max()) + 1
    return PatrolGround(
        tuple(f"a{k}" for k in at),
        tuple(names or ("North", "South", "East", "West")[:districts]),
        area_district,
        at,
        np.ones(len(at)),
        at,
        street(len(at)) if times is None else times,
        np.zeros(hours, dtype=np.int64) if profile is None else profile,
        neighbours=neighbours,
    )


def calls_of(urgent, other, *, busy_h=(0.6, 0.4), units=(1.0, 1.0), initiated_h=None):
    """Make calls of two priorities from rates per hour, shape (areas, hours) each."""
    rates = np.stack([np.asarray(urgent, dtype=float), np.asarray(other, dtype=float)])
    return PatrolCalls(("p1", "p2"), rates, np.asarray(busy_h), np.asarray(units), initiated_h)


def spans(*pairs, hours):
    """Make shifts of (first hour, hour after the last)."""
    first, after = np.array(pairs).T
    hour = np.arange(hours)
    return ShiftColumns(first, after - first, (hour >= first[:, None]) & (hour < after[:, None]))


def two_districts(*, level=1.0):
    """Two districts of two areas, four hours, four shifts; the North is busier."""
    ground = town([0, 0, 1, 1])
    shape = np.array([0.6, 1.0, 1.4, 0.9])
    urgent = np.array([0.5, 0.3, 0.2, 0.1])[:, None] * shape * level
    other = np.array([0.8, 0.9, 0.3, 0.5])[:, None] * shape * level
    shifts = spans((0, 2), (2, 4), (0, 3), (1, 4), hours=4)
    return ground, calls_of(urgent, other), shifts


LOOSE = PatrolRules(target_share=0.5, utilisation_cap=1.0, min_units=0)
