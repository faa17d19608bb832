"""Published optima of public location problems."""

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from deploy_opt.plan.locate import locate
from deploy_opt.plan.sites.hypercube_search import search_on_hypercube

REAL_DATA = os.environ.get("DEPLOY_OPT_REAL_DATA", "")

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not REAL_DATA, reason="DEPLOY_OPT_REAL_DATA names no data folder"),
]


def folder(name):
    return Path(REAL_DATA) / name


def rows(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def road_network(name):
    """Shortest paths of an OR-Library network; the last line of a repeated edge wins."""
    text = (folder("location_benchmarks") / "pmed" / f"{name}.txt").read_text().split()
    nodes, edges, posts = map(int, text[:3])
    length = np.zeros((nodes, nodes))
    for start, end, cost in zip(text[3::3], text[4::3], text[5::3], strict=False):
        length[int(start) - 1, int(end) - 1] = length[int(end) - 1, int(start) - 1] = float(cost)
    assert len(text) == 3 * (edges + 1)
    return dijkstra(csr_array(length)), posts


@pytest.mark.parametrize("number", range(1, 11))
def test_pmed_median_and_centre_are_proven(number):
    (known,) = [
        row
        for row in rows(folder("location_benchmarks") / "pmed" / "pmed_optima.csv")
        if row["instance"] == f"pmed{number}"
    ]
    times, posts = road_network(f"pmed{number}")
    demand = np.ones(len(times))
    median = locate("p_median", times, demand, num_posts=posts)
    assert median.objective == float(known["pmedian_opt"])
    assert median.bound == pytest.approx(median.objective, rel=1e-9)
    assert median.report.status == "optimal"
    center = locate("p_center", times, demand, num_posts=posts)
    assert center.objective == center.bound == float(known["pcenter_opt"])


@pytest.mark.slow
@pytest.mark.parametrize("number", [11, 12, 13, 14, 15, 18, 19, 20])
def test_larger_pmed_medians_are_proven(number):
    known = rows(folder("location_benchmarks") / "pmed" / "pmed_optima.csv")[number - 1]
    times, posts = road_network(f"pmed{number}")
    found = locate("p_median", times, np.ones(len(times)), num_posts=posts)
    assert found.objective == float(known["pmedian_opt"])
    assert found.report.status == "optimal"


@pytest.mark.parametrize("size", [324, 402, 500])
def test_sjc_covers_within_800_m_are_the_published_ones(size):
    place = folder("location_benchmarks") / "sjc"
    points = np.loadtxt(place / f"SJC{size}.txt", skiprows=1, usecols=(0, 1, 2))
    metres = np.hypot(*(points[:, None, :2] - points[None, :, :2]).transpose(2, 0, 1))
    known = [row for row in rows(place / "optima_r800m.csv") if int(row["n"]) == size]
    assert known
    for row in known:
        found = locate("mclp", metres, points[:, 2], num_posts=int(row["p"]), standard_s=800)
        assert found.objective == found.bound == float(row["covered_demand"])
    all_covered = min(int(row["p"]) for row in known if float(row["covered_pct"]) == 100)
    fewest = locate("lscp", metres, points[:, 2], standard_s=800)
    assert fewest.objective == all_covered


@pytest.fixture(scope="module")
def utrecht():
    """Siren minutes from the 21 bases, and the share of inhabitants of each postal code."""
    nodes = rows(folder("utrecht") / "nodes_Utrecht_2021.csv")
    matrix = {
        row["postal code"]: row for row in rows(folder("utrecht") / "siren_driving_matrix_2022.csv")
    }
    codes = [row["postal code"] for row in nodes]
    bases = [
        row["Base Locations"]
        for row in rows(folder("utrecht") / "RAVU_base_locations_Utrecht_2021.csv")
    ]
    minutes = np.array([[float(matrix[base][code]) for code in codes] for base in bases])
    return bases, minutes, np.array([float(row["inhabitants"]) for row in nodes])


@pytest.mark.parametrize(
    ("units", "q", "optimum"),
    [
        (23, 0.6, 0.88418257),
        (20, 0.6, 0.85694913),
        (24, 0.6, 0.89134679),
        (19, 0.3, 0.96656603),
        (19, 0.4, 0.94095887),
        (19, 0.5, 0.90250859),
        (19, 0.6, 0.84650712),
        (19, 0.7, 0.77077602),
    ],
)
def test_utrecht_expected_cover_is_the_known_optimum(utrecht, units, q, optimum):
    _, minutes, share = utrecht
    found = locate(
        "mexclp", minutes, share, num_units=units, busy_fraction=q, standard_s=12, gap=1e-9
    )
    assert found.objective == pytest.approx(optimum, abs=5e-9)
    assert found.bound == pytest.approx(optimum, abs=1e-8)
    assert found.units.sum() == units


@pytest.mark.parametrize(("units", "stored"), [(20, 0.85644088), (23, None), (24, 0.89073112)])
def test_no_stored_utrecht_plan_is_better(utrecht, units, stored):
    bases, minutes, share = utrecht
    plan = rows(folder("utrecht") / f"Base_Locations_Ambulances_MEXCLP_21_22_{units}.csv")
    at = np.zeros(len(bases))
    for row in plan:
        at[bases.index(row["Base"])] += 1
    value = share @ (1 - 0.6 ** (at @ (minutes <= 12)))
    found = locate("mexclp", minutes, share, num_units=units, busy_fraction=0.6, standard_s=12)
    if stored is None:
        assert value == pytest.approx(found.objective, abs=1e-12)
    else:
        assert value == pytest.approx(stored, abs=5e-9)
        assert found.objective > value


def test_san_francisco_stores_are_those_of_the_published_example():
    place = folder("location_benchmarks") / "spopt_san_francisco"
    table = rows(place / "SF_network_distance_candidateStore_16_censusTract_205_new.csv")
    stores = list(dict.fromkeys(row["name"] for row in table))
    tracts = list(dict.fromkeys(row["DestinationName"] for row in table))
    metres = np.full((len(stores), len(tracts)), np.inf)
    people = np.zeros(len(tracts))
    for row in table:
        tract = tracts.index(row["DestinationName"])
        metres[stores.index(row["name"]), tract] = float(row["distance"])
        people[tract] = float(row["demand"])
    cover = locate("mclp", metres, people, num_posts=4, standard_s=5000)
    assert 100 * cover.covered.mean() == pytest.approx(89.756, abs=5e-4)
    median = locate("p_median", metres, people, num_posts=4)
    assert median.objective / people.sum() == pytest.approx(2982.1268579890657, rel=1e-12)


def jemss(name):
    text = (folder("jemss_expected") / "expected.json").read_text(encoding="utf-8")
    return json.loads(text)[name]


def test_jemss_cover_cases_open_the_expected_posts():
    checked = 0
    for case in jemss("mclp")["cases"]:
        cover = csr_array(np.array(case["cover"]))
        for expected in case["expect"]:
            found = locate("mclp", cover, case["demand"], num_posts=expected["n"])
            assert found.units.tolist() == expected["x"]
            assert found.objective == expected.get("obj", found.objective)
            checked += 1
    assert checked == 6


def test_jemss_nested_cases_open_posts_in_the_expected_order():
    cases = jemss("nested_mclp")["cases"]
    for case in cases:
        cover = csr_array(np.array(case["cover"]))
        found = locate("nested_mclp", cover, case["demand"], level_weights=case["weights"])
        assert (found.chosen + 1).tolist() == case["order"]
        if "obj_by_our_arithmetic" in case:
            assert found.objective == pytest.approx(case["obj_by_our_arithmetic"])
    assert len(cases) == 3


def test_jemss_small_expected_cover_solves_on_its_road_network():
    """Upstream checks only that this solves: here every placement is tried."""
    arcs = json.loads((folder("jemss_expected") / "mexclp_small_inputs.json").read_text())
    table = arcs["arcs"]["arcs"]["rows"]
    days = np.zeros((6, 6))
    for row in table:
        start, end = int(row["fromNode"]) - 1, int(row["toNode"]) - 1
        days[start, end] = days[end, start] = float(row["mode_1"])
    times = dijkstra(csr_array(days)) * 86_400
    demand = np.arange(1.0, 7.0)
    standard = float(np.median(times[times > 0]))
    found = locate(
        "mexclp", times, demand, num_units=3, busy_fraction=0.4, capacity=2, standard_s=standard
    )
    reached = (times <= standard).astype(float)
    best = 0.0
    for code in range(3**6):
        units = np.array([code // 3**k % 3 for k in range(6)])
        if units.sum() == 3:
            best = max(best, float(demand @ (1 - 0.4 ** (units @ reached))))
    assert found.objective == pytest.approx(best)


def test_utrecht_swaps_on_the_hypercube_reach_the_cover_of_the_last_search(utrecht):
    """From the MEXCLP plan at q = .6 (.963) to at least .9815, as measured outside this code."""
    _, minutes, share = utrecht
    rate, service_h = 6.3, 0.2136 * 19 / 6.3
    begin = locate("mexclp", minutes, share, num_units=19, busy_fraction=0.6, standard_s=12)
    at = np.repeat(np.arange(len(minutes)), begin.units)
    found = search_on_hypercube(minutes * 60, share * rate, at, service_h, standard_s=720.0)
    assert found.start_cover == pytest.approx(0.963, abs=3e-3)
    assert found.fleet.cover >= 0.9815
    assert found.fleet.by_unit.mean() == pytest.approx(0.2136, abs=1e-3)
    assert found.finished
