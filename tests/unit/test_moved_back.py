"""Why an area changes district: what moving it back alone would do."""

import numpy as np
import pytest

from deploy_opt.plan.districting.figures import best_centres, cut_border, loads_of, stray_areas
from deploy_opt.plan.districting.moved_back import move_back
from district_towns import BAND, district_report


@pytest.fixture(scope="module")
def report():
    return district_report()


def test_each_moved_area_is_told_once(report):
    moved = np.flatnonzero(report.plan.moved).tolist()
    assert [found.area for found in report.moved_back] == moved
    assert len(moved) == 8


def test_the_figures_are_those_of_the_plan_with_the_area_back(report):
    before = report.today.district_of
    from deploy_opt.inputs.area_neighbours import area_neighbours

    near = area_neighbours(report.areas.frame).border_km
    column = np.arange(24) % 6
    row = np.arange(24) // 6
    minutes = 2.0 * (abs(column[:, None] - column) + abs(row[:, None] - row))
    travel = report.area_calls[:, None] * minutes
    mean = report.area_h.sum() / 3
    for found in report.moved_back:
        back = report.plan.district_of.copy()
        back[found.area] = before[found.area]
        assert found.before == before[found.area]
        assert found.travel_min == pytest.approx(
            best_centres(travel, back, 3)[1].sum() - report.plan.travel_min
        )
        assert found.border_km == pytest.approx(
            cut_border(near, back)[1] - cut_border(near, report.plan.district_of)[1]
        )
        loads = loads_of(report.area_h, back, 3) / mean
        assert found.loads == pytest.approx((loads[found.before], loads[found.after]))
        outside = [d for d in (found.before, found.after) if abs(loads[d] - 1) > BAND]
        assert list(found.outside) == outside
        assert bool(found.split) == bool(len(stray_areas(near, back, report.area_h)))
        assert found.keeps_rules == (not found.outside and not found.split)


def test_an_area_whose_return_cuts_a_district_says_which(report):
    labels = np.zeros(3, dtype=np.int64)
    labels[:] = [0, 0, 1]
    from scipy import sparse

    chain = sparse.csr_array(np.array([[0, 1.0, 0], [1, 0, 1], [0, 1, 0]]))
    plan = type(report.plan)(
        **{
            name: getattr(report.plan, name)
            for name in ("travel_min", "objective", "bound", "spread", "shape", "work")
        },
        area_ids=("a", "b", "c"),
        names=("West", "East"),
        district_of=labels,
        centre=np.array([0, 2]),
        workload_h=np.array([2.0, 1.0]),
        moved=np.array([True, False, False]),
    )
    ones = np.ones(3)
    found = move_back(
        plan,
        np.array([1, 0, 1]),
        workload_h=ones,
        travel_min=np.ones((3, 3)) - np.eye(3),
        border_km=chain,
        lower_h=0.5,
        upper_h=2.5,
    )
    assert len(found) == 1
    assert found[0].split == (1,)
    assert found[0].outside == ()


def test_areas_without_a_district_today_cannot_go_back(report):
    none = np.full(24, -1)
    given = {
        "workload_h": report.area_h,
        "travel_min": np.ones((24, 24)),
        "border_km": None,
        "lower_h": 0.0,
        "upper_h": 1e9,
    }
    from scipy import sparse

    given["border_km"] = sparse.csr_array((24, 24))
    assert move_back(report.plan, none, **given) == ()
