import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from deploy_opt import locate as public_locate
from deploy_opt.errors import InfeasibleError, InputError
from deploy_opt.plan.locate import ALIASES, PROBLEMS, locate
from deploy_opt.seeds import stream

# three posts on a line of four homes, one minute apart:  A . h0 . h1 B h2 . h3 . C
TIMES_S = np.array([[60.0, 120, 240, 300], [180, 60, 60, 180], [420, 300, 120, 60]])
DEMAND = np.array([4.0, 1, 2, 5])


def city(posts=30, rows=200):
    """A city of whole-second drives, too large to enumerate and quick to solve."""
    random = stream(8, "tests", "city")
    place = random.random((posts + rows, 2)) * 1200
    gap = place[:posts, None, :] - place[None, posts:, :]
    return np.round(np.abs(gap).sum(axis=2)), random.integers(1, 20, rows).astype(float)


def test_one_post_covers_the_middle_and_two_cover_the_ends():
    one = locate("mclp", TIMES_S, DEMAND, num_posts=1, standard_s=180)
    assert (one.chosen.tolist(), one.objective, one.gap) == ([1], 12.0, 0.0)
    two = locate("mclp", TIMES_S, DEMAND, num_posts=2, standard_s=60)
    assert (two.chosen.tolist(), two.objective) == ([0, 2], 9.0)
    assert two.covered.tolist() == [True, False, False, True]
    assert two.share.tolist() == [1.0, 0.0, 0.0, 1.0]
    assert two.post_of_row.tolist() == [0, 0, 2, 2]


def test_the_library_offers_locate_at_its_door():
    assert public_locate is locate


def test_a_matrix_a_cover_and_blocks_of_posts_give_the_same_answer():
    dense = locate("mclp", TIMES_S, DEMAND, num_posts=2, standard_s=100)
    cover = sparse.csr_array(TIMES_S <= 100)
    given = locate("mclp", cover, DEMAND, num_posts=2)
    blocks = locate("mclp", iter([TIMES_S[:1], TIMES_S[1:]]), DEMAND, num_posts=2, standard_s=100)
    as_coo = locate("mclp", cover.tocoo(), DEMAND, num_posts=2)
    for other in (given, blocks, as_coo):
        assert other.chosen.tolist() == dense.chosen.tolist()
        assert other.objective == dense.objective
        assert other.covered.tolist() == dense.covered.tolist()
    assert given.post_of_row.tolist() == [0, 1, 1, -1] or given.post_of_row[3] == 2


def test_frames_and_plain_lists_are_read_as_whole_matrices():
    frame = pd.DataFrame(TIMES_S, index=list("ABC"), columns=list("wxyz"))
    homes = pd.Series(DEMAND, index=list("wxyz"))
    for times in (frame, TIMES_S.tolist(), TIMES_S.astype(int), [TIMES_S[:1], TIMES_S[1:]]):
        found = locate("mclp", times, homes, num_posts=2, standard_s=100)
        assert found.chosen.tolist() == [0, 2]
        assert locate("p_median", times, homes, num_posts=2).objective == 900.0


def test_blocks_serve_problems_on_times_too():
    blocks = iter([TIMES_S[:2], TIMES_S[2:]])
    found = locate("p_median", blocks, DEMAND, num_posts=2)
    assert found.objective == locate("p_median", TIMES_S, DEMAND, num_posts=2).objective == 900.0


def test_single_precision_times_are_read_as_they_are():
    found = locate("p_center", TIMES_S.astype(np.float32), DEMAND, num_posts=2)
    assert (found.chosen.tolist(), found.objective) == ([0, 2], 120.0)


def test_a_desktop_name_is_the_same_problem():
    for alias, name in ALIASES.items():
        needs = {"num_posts": 2} if name != "lscp" else {}
        needs |= {"capacity": 6.0} if name == "capacitated" else {}
        first = locate(alias, TIMES_S, DEMAND, standard_s=180, **needs)
        second = locate(name, TIMES_S, DEMAND, standard_s=180, **needs)
        assert first.objective == second.objective


def test_units_stand_for_posts_where_each_post_holds_one():
    assert locate("mclp", TIMES_S, DEMAND, num_units=1, standard_s=180).chosen.tolist() == [1]


def test_locked_and_forbidden_posts_are_kept_as_positions_and_as_masks():
    by_position = locate(
        "mclp", TIMES_S, DEMAND, num_posts=2, standard_s=180, locked=[0], forbidden=[1]
    )
    by_mask = locate(
        "mclp", TIMES_S, DEMAND, num_posts=2, standard_s=180,
        locked=np.array([True, False, False]), forbidden=np.array([False, True, False]),
    )  # fmt: skip
    assert by_position.chosen.tolist() == by_mask.chosen.tolist() == [0, 2]


def test_no_post_covers_nothing():
    found = locate("mclp", TIMES_S, DEMAND, num_posts=0, standard_s=180)
    assert (found.chosen.size, found.objective, found.covered.any()) == (0, 0.0, False)
    assert found.post_of_row.tolist() == [-1] * 4


def test_a_city_without_demand_needs_nothing():
    nobody = np.zeros(4)
    assert locate("mclp", TIMES_S, nobody, num_posts=1, standard_s=1).objective == 0
    assert locate("lscp", TIMES_S, nobody, standard_s=1).objective == 0
    assert locate("p_median", TIMES_S, nobody, num_posts=2).units.sum() == 2
    assert locate("p_median", TIMES_S, nobody, num_posts=2, locked=[2]).units[2] == 1
    assert locate("p_center", TIMES_S, nobody, num_posts=2, locked=[2]).units.tolist() == [1, 0, 1]


def test_every_post_open_leaves_nothing_to_decide():
    found = locate("p_median", TIMES_S, DEMAND, num_posts=3)
    assert (found.objective, found.report.status) == (720.0, "optimal")


def test_units_stack_at_one_post_up_to_its_capacity():
    stacked = locate("mexclp", TIMES_S[:1], DEMAND, num_units=3, standard_s=300, busy_fraction=0.5)
    assert stacked.units.tolist() == [3]
    assert stacked.objective == pytest.approx(12 * (1 - 0.5**3))
    assert stacked.share.tolist() == [0.875] * 4
    spread = locate(
        "mexclp", TIMES_S, DEMAND, num_units=3, standard_s=300, busy_fraction=0.5, capacity=1
    )
    assert spread.units.tolist() == [1, 1, 1]


def test_posts_without_a_limit_serve_all_they_cover():
    times, demand = city()
    free = locate("mclp", times, demand, num_posts=5, standard_s=200)
    unlimited = locate("capacitated", times, demand, num_posts=5, standard_s=200, capacity=np.inf)
    assert unlimited.objective == pytest.approx(free.objective)
    whole = locate(
        "capacitated", times, demand, num_posts=5, standard_s=200, capacity=1e9, single_source=True
    )
    assert whole.objective == pytest.approx(free.objective)


def test_rarely_free_units_keep_an_honest_bound_when_deep_terms_are_left_out():
    cover = sparse.csr_array(np.ones((2, 3)))
    found = locate("mexclp", cover, [1.0, 2, 3], num_units=400, busy_fraction=0.9)
    assert found.objective == pytest.approx(6 * (1 - 0.9**400), rel=1e-12)
    assert found.objective <= found.bound <= 6.0 * (1 + 1e-7)
    assert found.report.status == "optimal"


def test_uncoverable_demand_is_named_and_demand_of_nobody_is_not():
    with pytest.raises(InfeasibleError, match="demand rows 2, 3: no allowed post reaches"):
        locate("lscp", TIMES_S, [1, 1, 1, 1], standard_s=180, forbidden=[1, 2])
    found = locate("lscp", TIMES_S, [1, 1, 1, 0], standard_s=240, forbidden=[1, 2])
    assert found.chosen.tolist() == [0]


def test_many_unreachable_rows_are_counted_not_listed():
    with pytest.raises(InfeasibleError, match=r"demand rows 0, 1, .*, 9 and 15 more"):
        locate("lscp", np.full((2, 25), 99.0), np.ones(25), standard_s=1)


@pytest.mark.parametrize("problem", ["p_median", "p_center"])
def test_rows_that_no_road_reaches_are_named(problem):
    islands = np.array([[10.0, np.inf, np.nan], [np.inf, 10, np.inf]])
    with pytest.raises(InfeasibleError, match="demand rows 2: no allowed post can reach"):
        locate(problem, islands, [1, 1, 1], num_posts=2)
    with pytest.raises(InfeasibleError, match="1 posts cannot reach all of them"):
        locate(problem, islands, [1, 1, 0], num_posts=1)
    assert locate(problem, islands, [1, 1, 0], num_posts=2).chosen.tolist() == [0, 1]


def faults(**changes):
    given = {"problem": "mclp", "times_s": TIMES_S, "demand": DEMAND, "num_posts": 1,
             "standard_s": 180.0} | changes  # fmt: skip
    with pytest.raises(InputError) as error:
        locate(**given)
    return {fault.where: str(fault) for fault in error.value.faults}


def test_every_fault_is_told_at_once():
    told = faults(
        demand=[1, -2, np.nan, 4], num_posts=9, busy_fraction=1.0, gap=-1, time_limit_s=0,
        locked=[1], forbidden=[1, 7],
    )  # fmt: skip
    assert set(told) == {
        "demand: row 1", "forbidden", "num_posts", "busy_fraction", "gap", "time_limit_s",
    }  # fmt: skip
    assert "2 in all" in told["demand: row 1"]


@pytest.mark.parametrize(
    ("changes", "where", "words"),
    [
        ({"problem": "p_medain"}, "problem", "did you mean 'p_median'"),
        ({"num_posts": None}, "num_posts", "'mclp' needs it"),
        ({"standard_s": None}, "standard_s", "or a sparse cover matrix"),
        ({"standard_s": np.nan}, "standard_s", "seconds >= 0"),
        ({"demand": [1, 2]}, "demand", r"expected shape (4,)"),
        ({"num_posts": 4}, "num_posts", "at most 3, the posts that may open"),
        ({"num_posts": 1, "locked": [0, 1]}, "num_posts", "at least 2, the locked posts"),
        ({"num_posts": -1}, "num_posts", "a whole number"),
        ({"num_posts": 1.5}, "num_posts", "a whole number"),
        ({"locked": [1], "forbidden": [1]}, "locked", "also forbidden"),
        ({"locked": [0.5]}, "locked", "row positions 0..2"),
        ({"times_s": -TIMES_S}, "times_s: post 0, row 0", "12 negative times"),
        ({"times_s": np.zeros(4)}, "times_s", "(posts, rows)"),
        (
            {"problem": "p_median", "times_s": sparse.csr_array(TIMES_S)},
            "times_s",
            "drive times, s",
        ),
        ({"problem": "p_center", "num_posts": 0}, "num_posts", "at least 1"),
        (
            {"problem": "mexclp", "num_units": 9, "busy_fraction": 0.3, "capacity": 2},
            "capacity",
            "room for 2 units",
        ),
        (
            {"problem": "mexclp", "num_units": 1, "busy_fraction": 0.3, "locked": [0, 1]},
            "num_units",
            "at least 2",
        ),
        ({"problem": "capacitated", "capacity": [1, 2]}, "capacity", "shape (3,)"),
        ({"problem": "nested_mclp", "level_weights": [1] * 4}, "level_weights", "at most 3"),
        ({"problem": "nested_mclp", "level_weights": [-1]}, "level_weights: row 0", "-1"),
    ],
)
def test_a_fault_says_where_and_what(changes, where, words):
    assert words in faults(**changes)[where]


@pytest.mark.parametrize("problem", sorted(PROBLEMS))
def test_a_limit_still_gives_a_usable_answer_with_an_honest_bound(problem):
    times, demand = city()
    needs = {"standard_s": 200.0}
    if problem == "lscp":
        needs = {"standard_s": 500.0}
    elif problem == "mexclp":
        needs |= {"num_units": 8, "busy_fraction": 0.4}
    elif problem == "nested_mclp":
        needs |= {"level_weights": [1.0, 1.0, 1.0]}
    else:
        needs |= {"num_posts": 4}
    if problem == "capacitated":
        needs |= {"capacity": 150.0}
    full = locate(problem, times, demand, **needs)
    short = locate(problem, times, demand, node_limit=0, gap=0.0, **needs)
    sign = -1 if problem in {"lscp", "p_median", "p_center"} else 1
    assert full.report.status == "optimal"
    assert sign * short.bound >= sign * full.objective - 1e-6
    if short.chosen.size:
        assert sign * short.objective <= sign * full.objective + 1e-6


def test_a_clock_that_has_run_out_gives_an_outcome_not_an_error():
    times, demand = city()
    for problem in ("p_median", "p_center", "capacitated", "nested_mclp", "mclp"):
        found = locate(
            problem, times, demand, num_posts=4, standard_s=200, capacity=100.0,
            level_weights=[1, 2, 3], time_limit_s=1e-9,
        )  # fmt: skip
        assert found.report.status in {"optimal", "limit"}


def test_an_unfinished_search_for_reachable_posts_leaves_the_plan_empty():
    times, demand = city(60, 400)
    times = np.where(times > 420, np.inf, times)
    for problem in ("p_median", "p_center"):
        found = locate(problem, times, demand, num_posts=6, time_limit_s=1e-9)
        assert found.report.status == "limit"
        assert found.chosen.size == 0


def test_the_same_question_has_the_same_answer_twice():
    times, demand = city()
    first, second = (locate("mclp", times, demand, num_posts=6, standard_s=150) for _ in range(2))
    assert first.chosen.tobytes() == second.chosen.tobytes()
    assert first.report == second.report
