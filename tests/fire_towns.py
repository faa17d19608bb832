"""Towns for the tests of fire cover: small enough to try every placement."""

import itertools

import numpy as np

from deploy_opt.plan.fire import (
    CompanyKind,
    FireQuestion,
    FireRules,
    FireStandard,
    Need,
    RiskClass,
    score_companies,
)
from deploy_opt.seeds import stream

STANDARD = FireStandard(first_limit_s=300.0, force_limit_s=600.0)


def random_town(number, *, stations=5, rows=16, busy=0.0, standard=STANDARD, needs=None, **rules):
    """Scatter stations and demand rows on a square of 1,000 s; engines and trucks, two risks."""
    random = stream(number, "tests", "fire")
    place = random.random((stations + rows, 2)) * 1000
    times_s = np.abs(place[:stations, None] - place[None, stations:]).sum(axis=2)
    none = np.zeros(stations - 2, dtype=np.int64)
    engines = CompanyKind("engine", np.full(stations, 2), np.r_[1, 1, none])
    trucks = CompanyKind("truck", np.ones(stations, np.int64), np.r_[1, 0, none], most=2)
    low, high = (random.integers(0, 9, rows).astype(float) for _ in range(2))
    two, three = needs or (
        (Need(("engine",), 2),),
        (Need(("engine",), 2), Need(("truck",), 1)),
    )
    risks = (RiskClass("low", low, two), RiskClass("high", high, three, weight=3.0))
    areas = tuple(f"A{row % 4}" for row in range(rows))
    names = tuple(f"S{j + 1}" for j in range(stations))
    return FireQuestion(
        names, times_s, areas, (engines, trucks), risks, standard, FireRules(**rules), busy
    )


def placements(question):
    """Give every placement that rooms, kinds' numbers and the total allow."""
    rooms = question.room
    every = itertools.product(*(range(room + 1) for room in rooms.ravel().tolist()))
    most = question.rules.most_companies
    for flat in every:
        placed = np.array(flat).reshape(rooms.shape)
        kinds = zip(question.kinds, placed, strict=True)
        within = all(kind.most is None or of.sum() <= kind.most for kind, of in kinds)
        if within and (most is None or placed.sum() <= most):
            yield placed


def best_by_trial(question, weights=(0.5, 0.5)):
    """Try every placement: the most weighted calls that any of them covers."""
    total = float(question.demand.sum())
    return max(
        total * (weights[0] * score.first_share + weights[1] * score.force_share)
        for score in (score_companies(question, placed) for placed in placements(question))
    )


def row_town():
    """Draw three stations in a row with one engine each at most, and four streets.

    Street 0 is the west's alone; 1 lies between west and middle; 2 between middle and east; 3 is
    the east's alone. An engine is first due within 240 s and counts for the force within 480 s.
    """
    times_s = np.array(
        [
            [100.0, 200.0, 500.0, 900.0],
            [400.0, 220.0, 230.0, 470.0],
            [900.0, 600.0, 200.0, 100.0],
        ]
    )
    engine = CompanyKind("engine", np.ones(3, np.int64), np.array([1, 0, 1]))
    house = RiskClass("house", np.array([4.0, 3.0, 2.0, 1.0]), (Need(("engine",), 2),), busy_h=0.5)
    return ("West", "Middle", "East"), times_s, ("a", "a", "b", "b"), engine, house
