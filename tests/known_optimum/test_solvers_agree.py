"""HiGHS, CBC and SCIP on the same covering models."""

import numpy as np
import pytest

from deploy_opt.plan.cover import merge_rows
from deploy_opt.plan.locations.covering import cover_model
from deploy_opt.plan.solver import solve, to_pulp


@pytest.fixture(scope="module", params=range(4))
def model(request):
    random = np.random.default_rng(request.param)
    merged = merge_rows(random.random((60, 10)) < 0.25, random.integers(1, 20, 60))
    written, _ = cover_model(merged, (np.zeros(10), np.ones(10)), 3)
    return written


def test_highs_and_cbc_agree(model):
    assert solve(model, engine="cbc", gap=1e-9).report.objective == pytest.approx(
        solve(model, engine="highs", gap=1e-9).report.objective
    )


@pytest.mark.filterwarnings("ignore")
def test_highs_and_scip_agree(model):
    pytest.importorskip("pyscipopt")
    import pulp

    problem = to_pulp(model)
    problem.solve(pulp.SCIP_PY(msg=False))
    assert pulp.value(problem.objective) == pytest.approx(
        solve(model, engine="highs", gap=1e-9).report.objective
    )
