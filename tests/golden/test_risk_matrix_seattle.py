"""Every published or derived number of Seattle's Risk Managed Demand brief, phase one."""

import highspy
import numpy as np
import pandas as pd
import pytest
from scipy.optimize import LinearConstraint, milp

from deploy_opt.risk.call_counts import count_types
from deploy_opt.risk.likelihood import cell_tiers, clopper_pearson, likelihood_code
from deploy_opt.risk.recode import apply, stats
from deploy_opt.risk.tiers import evaluate
from deploy_opt.risk_settings import RiskSettings, first_slack
from deploy_opt.staffing import (
    cycle_relief_factor,
    minimum_posts_fte,
    shift_relief_factor,
    unavailable_hours_of,
    workload_fte,
)
from risk_town import PUBLISHED, calls_of, published_counts

FINAL = {1: 182, 2: 38, 3: 49, 4: 87}


@pytest.fixture(scope="module")
def counted():
    return count_types(calls_of(published_counts()))


def test_the_published_matrix_comes_back_with_its_margins(counted):
    matrix = evaluate(counted).matrix
    assert matrix.to_numpy().tolist() == PUBLISHED.tolist()
    assert matrix.sum(axis=1).tolist() == [117, 5, 10, 16, 208]
    assert matrix.sum().tolist() == [114, 2, 73, 95, 72]
    assert int(matrix.to_numpy().sum()) == 356


@pytest.mark.parametrize(
    ("name", "types"),
    [("seattle_like", [83, 92, 65, 116]), ("product", [8, 12, 196, 140])],
)
def test_named_maps_give_the_golden_counts(counted, name, types):
    assert evaluate(counted, {"cell_map": name}).tiers["types"].tolist() == types


def test_the_icao_map_gives_8_intolerable_208_tolerable_140_acceptable(counted):
    types = evaluate(counted, {"cell_map": "icao"}).tiers["types"]
    assert (types[1], types[2] + types[3], types[4]) == (8, 208, 140)


def test_a_free_map_written_as_rows_gives_what_the_named_one_gives(counted):
    rows = cell_tiers(RiskSettings())[::-1].tolist()
    assert evaluate(counted, {"cell_map": rows}).tiers["types"].tolist() == [83, 92, 65, 116]


@pytest.mark.parametrize("name", ["seattle_like", "icao", "product"])
def test_no_named_map_is_less_protective_where_calls_are_worse_or_likelier(name):
    assert first_slack(cell_tiers(RiskSettings(cell_map=name))[::-1].tolist()) == ""


def protective_maps():
    """Numbers of types by tier, one vector for each protective map of the 15 cells with types."""
    cells = [(row, column) for row, column in np.ndindex(5, 5) if PUBLISHED[row, column]]
    cells.sort(key=lambda cell: (cell[0] - cell[1], cell))  # a cell after all worse ones
    worse = [
        [at for at in range(place) if cells[at][0] <= row and cells[at][1] >= column]
        for place, (row, column) in enumerate(cells)
    ]
    sizes = [int(PUBLISHED[cell]) for cell in cells]
    tiers, types = [0] * len(cells), [0] * 5

    def walk(place):
        if place == len(cells):
            yield tuple(types[1:])
            return
        for tier in range(max([1, *(tiers[at] for at in worse[place])]), 5):
            tiers[place] = tier
            types[tier] += sizes[place]
            yield from walk(place + 1)
            types[tier] -= sizes[place]

    return list(walk(0))


def test_the_lost_colours_cannot_be_recovered_from_the_counts():
    vectors = protective_maps()
    assert len(vectors) == 25_570
    assert len(set(vectors)) == 17_186
    assert {(83, 92, 65, 116), (8, 12, 196, 140)} <= set(vectors)
    # 110 types went up in all, so that at least 182 - 110 stood in Tier 1 before
    assert min(vector[0] for vector in set(vectors) if vector[0] + 110 >= 182) == 72


def can_become(vectors, final, *, up, down, slack):
    """Whether initial tiers can become the final ones with so many types moved up and down."""
    model = highspy.Highs()
    model.setOptionValue("output_flag", False)
    cells = list(np.ndindex(4, 4))  # types from one tier to another

    def add(low, high, wanted):
        at = np.array([k for k, cell in enumerate(cells) if wanted(*cell)], dtype=np.int32)
        model.addRow(low, high, len(at), at, np.ones(len(at)))

    for _ in cells:
        model.addVar(0.0, highspy.kHighsInf)
    for tier in range(4):
        add(0, 0, lambda first, _, tier=tier: first == tier)
    for tier, number in enumerate(final):
        add(number, number, lambda _, last, tier=tier: last == tier)
    add(up - slack, up + slack, lambda first, last: last < first)
    add(down - slack, down + slack, lambda first, last: last > first)
    for vector in vectors:
        for tier, number in enumerate(vector):
            model.changeRowBounds(tier, number, number)
        model.run()
        yield model.getModelStatus() == highspy.HighsModelStatus.kOptimal


def test_the_recode_totals_leave_2548_initial_counts_possible():
    vectors = sorted(set(protective_maps()))
    fits = list(can_become(vectors, (182, 38, 49, 87), up=110, down=82, slack=2))
    possible = np.array(vectors)[fits]
    assert len(possible) == 2_548
    assert (possible[:, 0].min(), possible[:, 0].max()) == (72, 242)
    assert (possible[:, 3].min(), possible[:, 3].max()) == (53, 189)
    assert (83, 92, 65, 116) in {tuple(vector) for vector in possible.tolist()}


def test_likelihood_codes_at_their_edges():
    rates = [0, 0.01, 0.0100001, 0.05, 0.10, 0.25, 0.2500001, 0.4999, 0.5]
    assert likelihood_code(rates, RiskSettings()).tolist() == [1, 1, 2, 2, 3, 4, 5, 5, 5]
    gap = likelihood_code(rates, RiskSettings(gap_policy="likely")).tolist()
    assert gap == [1, 1, 2, 2, 3, 4, 4, 4, 5]


@pytest.mark.parametrize(
    ("found", "of", "low", "high"),
    [
        (0, 60, 0, 0.05963),
        (1, 60, 0.000422, 0.089399),
        (2, 60, 0.004063, 0.115281),
        (0, 300, 0, 0.012220),
        (3, 300, 0.002067, 0.028945),
    ],
)
def test_clopper_pearson_intervals(found, of, low, high):
    assert np.allclose(clopper_pearson(found, of), (low, high), atol=1.2e-6, rtol=0)


def flow():
    """A flow from 83/92/65/116 to 182/38/49/87 with 110 types up and 82 down."""
    pairs = [(start, end) for start in FINAL for end in FINAL]
    rows = [[start == tier for start, _ in pairs] for tier in FINAL]
    rows += [[end == tier for _, end in pairs] for tier in FINAL]
    rows += [[end < start for start, end in pairs], [end > start for start, end in pairs]]
    want = [83, 92, 65, 116, *FINAL.values(), 110, 82]
    found = milp(
        np.zeros(16),
        constraints=LinearConstraint(np.array(rows, dtype=float), want, want),
        integrality=np.ones(16),
    )
    return {
        pair: round(count) for pair, count in zip(pairs, found.x, strict=True) if pair[0] != pair[1]
    }


def test_the_recode_shares_are_all_of_356_types(counted):
    initial = evaluate(counted).types["tier_initial"]
    rows = []
    left = {tier: list(initial.index[initial == tier]) for tier in FINAL}
    for (start, end), count in flow().items():
        rows += [(left[start].pop(), end, "policy_other") for _ in range(count)]
    overrides = pd.DataFrame(rows, columns=["call_type", "tier", "reason"])
    recoded = apply(initial, overrides)
    assert recoded["tier_final"].value_counts().to_dict() == FINAL
    table = stats(recoded)
    assert table["types"].to_dict() == {
        "up": 110, "down": 82, "none": 164, "manual": 0, "changed": 192
    }  # fmt: skip
    shares = (100 * table["share"]).round(2)
    assert (shares["down"], shares["up"], shares["changed"]) == (23.03, 30.90, 53.93)
    tiers = evaluate(counted, overrides=overrides).tiers
    assert (100 * tiers["share_types"]).round(2).tolist() == [51.12, 10.67, 13.76, 24.44]
    assert round((38 + 49 + 87) / 356, 4) == round(1 - tiers.loc[1, "share_types"], 4) == 0.4888


@pytest.mark.parametrize(
    ("fte", "hours", "low", "high", "alternative"),
    [(31, 53_733, 52_867, 54_600, 77_376), (8, 13_867, 13_000, 14_733, 19_968)],
)
def test_fte_figures_imply_their_hours(fte, hours, low, high, alternative):
    assert workload_fte(hours) == pytest.approx(fte, abs=1e-3)
    assert workload_fte(low) == pytest.approx(fte - 0.5, abs=1e-3)
    assert workload_fte(high) == pytest.approx(fte + 0.5, abs=1e-3)
    assert workload_fte(alternative, formula="capacity_plus20") == pytest.approx(fte)


def test_three_year_totals_if_that_is_what_was_meant():
    for fte, total in ((31, 161_200), (8, 41_600)):
        assert workload_fte(total / 3) == pytest.approx(fte)
        assert workload_fte(total / 3, formula="period_total", years=3) == pytest.approx(3 * fte)


def test_round_the_clock_restatement():
    for hours, low, high in ((53_733, 43.9, 54.3), (13_867, 11.3, 14.0)):
        ends = [workload_fte(hours, relief_factor=factor) for factor in (1.7, 2.1)]
        assert ends == pytest.approx([low, high], abs=0.051)


def test_shift_relief_factors():
    factors = [round(shift_relief_factor(away), 3) for away in (0, 300, 400, 600)]
    assert factors == [1.404, 1.640, 1.738, 1.973]
    assert [round(unavailable_hours_of(factor)) for factor in (1.7, 2.1)] == [362, 690]
    assert cycle_relief_factor(4, 2) == 1.5
    assert [round(minimum_posts_fte(1, unavailable_hours=away), 2) for away in (0, 400)] == [
        4.21,
        5.21,
    ]


def test_seattle_staff_follows_from_calls_with_those_hours():
    """Three years of Tier 2 and 3 calls with 53,733 and 13,867 h a year need 31 and 8 FTE."""
    years = 1095 / 365.25
    counts = pd.DataFrame(
        [("tier 2", 4, 4), ("tier 2", 1, 996), ("tier 3", 3, 40), ("tier 3", 1, 960)],
        columns=["call_type", "severity", "n"],
    )
    calls = calls_of(counts)
    of_type = calls["call_type"].map({"tier 2": 53_733, "tier 3": 13_867})
    calls["unit_hours"] = of_type * years / 1000
    fte = evaluate(count_types(calls)).fte
    assert fte["fte"].round(2).tolist() == [31.0, 8.0]
    assert fte["hours_per_year"].round().tolist() == [53_733, 13_867]
