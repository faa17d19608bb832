"""More posts, units or time never make a plan worse; more busy units never make it better."""

from itertools import pairwise

import numpy as np
import pytest

from deploy_opt.plan.locate import locate
from deploy_opt.seeds import stream


@pytest.fixture(scope="module")
def city():
    random = stream(4, "tests", "directions")
    place = random.random((90, 2)) * 1200
    times = np.abs(place[:15, None, :] - place[None, 15:, :]).sum(axis=2)
    return times, random.integers(0, 20, 75).astype(float)


def never_falls(values):
    return all(after >= before - 1e-6 for before, after in pairwise(values))


@pytest.mark.parametrize("problem", ["mclp", "capacitated"])
def test_one_more_post_never_lowers_the_cover(city, problem):
    values = [
        locate(problem, *city, num_posts=p, standard_s=250, capacity=120).objective
        for p in range(1, 7)
    ]
    assert never_falls(values)


def test_one_more_post_never_lowers_the_second_cover_once_everyone_is_covered(city):
    least = int(locate("lscp", *city, standard_s=700).objective)
    found = [locate("backup", *city, num_posts=p, standard_s=700) for p in range(least, least + 4)]
    assert all(f.report.parts["first_cover"] == city[1].sum() for f in found)
    assert never_falls([f.objective for f in found])


def test_one_more_unit_never_lowers_the_expected_cover(city):
    values = [
        locate("mexclp", *city, num_units=n, standard_s=250, busy_fraction=0.4).objective
        for n in range(1, 10)
    ]
    assert never_falls(values)


def test_each_further_unit_gains_no_more_than_the_one_before_at_one_post(city):
    times, demand = city
    values = [
        locate("mexclp", times[:1], demand, num_units=n, standard_s=400, busy_fraction=0.4)
        for n in range(1, 6)
    ]
    gains = np.diff([value.objective for value in values])
    assert never_falls(-gains)


@pytest.mark.parametrize("problem", ["p_median", "p_center"])
def test_one_more_post_never_lengthens_the_drive(city, problem):
    values = [-locate(problem, *city, num_posts=p).objective for p in range(1, 8)]
    assert never_falls(values)


def test_a_shorter_standard_never_raises_the_cover(city):
    values = [
        locate("mclp", *city, num_posts=4, standard_s=s).objective for s in (100, 200, 300, 400)
    ]
    assert never_falls(values)


def test_a_shorter_standard_never_needs_fewer_posts(city):
    values = [-locate("lscp", *city, standard_s=s).objective for s in (800, 900, 1000, 1200)]
    assert never_falls(values)


def test_busier_units_never_cover_more(city):
    values = [
        -locate("mexclp", *city, num_units=6, standard_s=250, busy_fraction=q).objective
        for q in (0.0, 0.2, 0.5, 0.8)
    ]
    assert never_falls(values)


def test_a_lock_never_helps(city):
    free = locate("mclp", *city, num_posts=4, standard_s=250).objective
    for post in range(5):
        assert locate("mclp", *city, num_posts=4, standard_s=250, locked=[post]).objective <= free
        forbidden = locate("mclp", *city, num_posts=4, standard_s=250, forbidden=[post])
        assert forbidden.objective <= free
