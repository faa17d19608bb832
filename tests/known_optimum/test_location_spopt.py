"""The same answers as spopt, the maintained Python location library, on small random cities."""

import warnings

import numpy as np
import pytest

from deploy_opt.plan.locate import locate
from deploy_opt.seeds import stream

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def spopt_locate():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("spopt.locate", exc_type=ImportError)


def city(number):
    random = stream(number, "tests", "spopt")
    place = random.random((45, 2)) * 1000
    times = np.abs(place[:12, None, :] - place[None, 12:, :]).sum(axis=2)
    return times, random.integers(1, 20, 33).astype(float)


def solved(model):
    import pulp

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.solve(pulp.PULP_CBC_CMD(msg=False))
        return pulp.value(model.problem.objective)


@pytest.mark.parametrize("number", range(4))
@pytest.mark.filterwarnings("ignore")
def test_spopt_finds_the_same_values(spopt_locate, number):
    times, demand = city(number)
    mclp = spopt_locate.MCLP.from_cost_matrix(times.T, demand, 300, p_facilities=3)
    found = locate("mclp", times, demand, num_posts=3, standard_s=300)
    assert found.objective == pytest.approx(solved(mclp))
    lscp = spopt_locate.LSCP.from_cost_matrix(times.T, 700)
    assert locate("lscp", times, demand, standard_s=700).objective == pytest.approx(solved(lscp))
    median = spopt_locate.PMedian.from_cost_matrix(times.T, demand, p_facilities=3)
    found = locate("p_median", times, demand, num_posts=3)
    assert found.objective == pytest.approx(solved(median))
    center = spopt_locate.PCenter.from_cost_matrix(times.T, p_facilities=3)
    assert locate("p_center", times, demand, num_posts=3).objective == pytest.approx(solved(center))
