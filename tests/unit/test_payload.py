import base64
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import MultiPolygon, Polygon, box

from deploy_opt.report.payload import (
    NO_VALUE,
    base64_text,
    clipped_lines,
    code_calls,
    half_points,
    line_deltas,
    points,
    polygon_deltas,
    safe_json,
    shares,
    whole,
)

SHARES = st.floats(0, 1, allow_nan=False)


@given(SHARES)
def test_shown_points_are_the_usual_rounding_of_the_share(share):
    shown = int(points(half_points(np.array([share])))[0])
    assert abs(shown - 100 * share) <= 0.5 + 1e-6
    assert shown == int(np.floor(100 * share + 0.5 + 5e-10))


@given(SHARES, SHARES)
def test_coding_keeps_the_order_of_shares(first, second):
    low, high = half_points(np.array(sorted([first, second])))
    assert low <= high


@given(SHARES)
def test_a_share_comes_back_within_half_a_step(share):
    back = float(shares(half_points(np.array([share])))[0])
    assert abs(back - share) <= 0.0025 + 1e-9


def test_a_missing_share_stays_missing():
    codes = half_points(np.array([np.nan, 0.5]))
    assert codes.tolist() == [NO_VALUE, 100]
    assert points(codes).tolist() == [-1, 50]
    assert np.isnan(shares(codes)[0])


def test_a_share_that_floating_point_leaves_just_below_a_step_is_not_lost():
    assert points(half_points(np.array([0.29, 0.57, 0.58]))).tolist() == [29, 57, 58]


def test_calls_come_back_within_a_fifth_of_a_percent_of_the_busiest_hour():
    rates = np.random.default_rng(1).gamma(0.7, size=(20, 168))
    coded = code_calls(rates)
    error = np.abs(coded.calls - rates).max(axis=1)
    assert (error <= rates.max(axis=1) * 0.0021).all()


def test_an_area_without_calls_has_none():
    coded = code_calls(np.zeros((2, 24)))
    assert coded.calls.sum() == 0
    assert coded.step.tolist() == [0.0, 0.0]


def test_half_is_rounded_up_on_both_sides_of_zero():
    assert [whole(value) for value in (0.5, 1.5, -0.5, -1.5)] == [1, 2, 0, -1]


def test_bytes_are_written_row_by_row():
    text = base64_text(np.array([[1, 2], [3, 255]], dtype=np.uint8).T)
    assert list(base64.b64decode(text)) == [1, 3, 2, 255]


def test_json_in_a_script_cannot_end_it():
    hostile = "</script><!--\u2028&"
    text = safe_json({"name": hostile})
    assert "<" not in text
    assert "\u2028" not in text
    assert json.loads(text) == {"name": hostile}


def test_json_in_a_script_holds_no_nan():
    with pytest.raises(ValueError, match="JSON compliant"):
        safe_json([float("nan")])


def decoded(flat, origin):
    places = np.cumsum(np.array(flat).reshape(-1, 2), axis=0) / 1e5
    return places + np.array(origin)


def test_a_ring_is_its_first_corner_and_the_moves_to_the_next():
    square = box(10.0, 50.0, 10.001, 50.001)
    ((ring,),) = polygon_deltas(square, (10.0, 50.0))
    assert len(ring) == 8
    assert sorted(map(tuple, decoded(ring, (10.0, 50.0)).round(5).tolist())) == [
        (10.0, 50.0), (10.0, 50.001), (10.001, 50.0), (10.001, 50.001),
    ]  # fmt: skip


def test_holes_and_islands_are_kept_apart():
    outer = box(0, 0, 1, 1).exterior
    holed = Polygon(outer, [box(0.2, 0.2, 0.4, 0.4).exterior])
    coded = polygon_deltas(MultiPolygon([holed, box(2, 2, 3, 3)]), (0.0, 0.0))
    assert [len(rings) for rings in coded] == [2, 1]


@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1)), min_size=2, max_size=20))
def test_a_line_comes_back_to_a_metre(corners):
    line = np.array(corners)
    (flat,) = line_deltas([line], (0.25, -0.5))
    back = decoded(flat, (0.25, -0.5))
    for corner in line:
        assert np.abs(back - corner).max(axis=1).min() <= 0.51e-5


def test_a_line_of_one_corner_is_left_out():
    assert line_deltas([np.zeros((1, 2))], (0.0, 0.0)) == []


def test_roads_are_cut_to_the_land():
    road = np.array([[-1.0, 0.5], [3.0, 0.5]])
    pieces = clipped_lines([road, np.array([[5.0, 5.0], [6.0, 6.0]])], box(0, 0, 1, 1))
    assert [piece.tolist() for piece in pieces] == [[[0.0, 0.5], [1.0, 0.5]]]
    assert clipped_lines([np.zeros((1, 2))], box(0, 0, 1, 1)) == []
