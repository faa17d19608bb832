import numpy as np
import pytest

from deploy_opt.errors import InputError
from deploy_opt.plan.busy import busy_fraction, cover_curve
from deploy_opt.plan.evaluate import evaluate_positions
from plan_towns import plan_settings, same_units, three_posts


def test_a_plan_on_paper_has_the_cover_worked_out_by_hand():
    forecast, times = three_posts()
    judged = evaluate_positions(same_units([1, 1, 0]), forecast, times, plan_settings())
    load = 1.6 * 40 / 60  # by day
    curve = cover_curve(load, 2)
    # west: half its calls are reached by p0 and p1, half by p0; mid by p1; east half by p1
    by_hand = [0.5 * curve[2] + 0.5 * curve[1], curve[1], 0.5 * curve[1]]
    assert judged.cover[:, 12] == pytest.approx(by_hand)
    assert judged.busy[12] == pytest.approx(busy_fraction(load, 2)[2])
    assert judged.area_ids == ("west", "mid", "east")
    assert judged.value[12] == pytest.approx(np.dot([0.5, 0.8, 0.3], by_hand))


def test_one_more_unit_lowers_the_cover_of_no_area():
    forecast, times = three_posts()
    few = evaluate_positions(same_units([1, 1, 0]), forecast, times, plan_settings())
    more = evaluate_positions(same_units([1, 1, 1]), forecast, times, plan_settings())
    assert (more.cover >= few.cover - 1e-12).all()
    assert (more.busy < few.busy).all()


def test_a_plan_for_tuesday_is_judged_on_tuesdays_calls():
    forecast, times = three_posts()
    forecast.rates[:, 24:48] *= 2
    monday = evaluate_positions(same_units([1, 1, 1]), forecast, times, plan_settings())
    tuesday = evaluate_positions(
        same_units([1, 1, 1]), forecast, times, plan_settings(first_hour=24)
    )
    assert (tuesday.busy > monday.busy).all()


@pytest.mark.parametrize(
    ("units", "words"),
    [
        (np.ones((24, 2)), "hours x posts"),
        (np.ones((23, 3)), "hours x posts"),
        (np.full((24, 3), 0.5), "whole numbers"),
        (np.full((24, 3), -1), "whole numbers"),
    ],
)
def test_positions_that_are_no_positions_are_refused(units, words):
    forecast, times = three_posts()
    with pytest.raises(InputError, match=words):
        evaluate_positions(units, forecast, times, plan_settings())
