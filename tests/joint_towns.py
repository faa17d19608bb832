"""Towns for the tests of the joint plan: small enough to try every crew and every position."""

import itertools

import numpy as np

from deploy_opt.plan.joint.question import Budget, CallClass, Layer, Partner, Question, UnitType
from deploy_opt.plan.joint.rows import pool_model
from deploy_opt.plan.shifts import ShiftColumns

# Three posts in a row: each reaches its own side, the middle one the near half of either side too.
SECONDS = np.array(
    [
        # west  west  mid   east  east
        [100, 200, 400, 900, 990],
        [280, 500, 100, 280, 500],
        [990, 900, 400, 200, 100],
    ],
    dtype=np.float32,
)
AREAS = ("west", "mid", "east")
POINT_AREA = np.array([0, 0, 1, 2, 2])
POINT_SHARE = np.array([0.5, 0.5, 1.0, 0.5, 0.5])


def shifts_of(*spans, hours):
    """Make shift columns of (first hour, hour after the last) within the plan."""
    first, after = np.array(spans).T
    hour = np.arange(hours)
    return ShiftColumns(first, after - first, (hour >= first[:, None]) & (hour < after[:, None]))


def _kind(name, columns, by_profile, *, cost, capacity, **rules):
    shape = (columns.on_duty.shape[1], by_profile.shape[1])
    lower, upper = np.zeros(shape, dtype=np.int64), np.full(shape, capacity, dtype=np.int64)
    rules = {"busy_cap": 1.0, "max_moves": None, **rules}
    return UnitType(name, columns, by_profile, lower, upper, cost, **rules)


def tiny_question(*, limit=2400.0, split=None, capacity=2, corrected=True, **rules):
    """Ask for three posts, ALS and BLS units, six hours and four shifts; the later hours are slow.

    Without caps, floors and limits on moves; `rules` are further fields of both unit types.
    `split` gives ALS and BLS a budget each.
    """
    columns = shifts_of((0, 4), (2, 6), (0, 3), (3, 6), hours=6)
    by_profile = np.stack([SECONDS, 1.3 * SECONDS]).astype(np.float32)
    level = np.array([0.6, 0.8, 1.0, 1.4, 1.2, 0.7])
    als = np.array([0.3, 0.6, 0.2])[:, None] * level
    bls = np.array([[0.9, 0.8, 0.7, 0.5, 0.5, 0.5], [0.6] * 6, [0.2, 0.3, 0.4, 0.8, 0.9, 0.8]])
    classes = (
        CallClass("als", als, 1.0, ("als",), (Layer(240.0, 0.6), Layer(420.0, 0.4)), 1.0),
        CallClass("bls", bls, 0.8, ("bls", "als"), (Layer(300.0, 0.6), Layer(600.0, 0.4)), 0.3),
    )
    budgets = (Budget("ems", limit, ("als", "bls")),)
    if split is not None:
        budgets = (Budget("als", split[0], ("als",)), Budget("bls", split[1], ("bls",)))
    return Question(
        AREAS,
        POINT_AREA,
        POINT_SHARE,
        np.array([0, 0, 0, 1, 1, 1]),
        (
            _kind("als", columns, by_profile, cost=110.0, capacity=capacity, **rules),
            _kind("bls", columns, by_profile, cost=80.0, capacity=capacity, **rules),
        ),
        classes,
        budgets,
        cyclic=False,
        corrected=corrected,
    )


def paired_question(*, limit=2000.0, partner_limit_s=300.0, capacity=2, corrected=True, **rules):
    """Ask for three posts, patrols and co-responder teams, four hours and three shifts.

    A crisis call needs a team and a patrol beside it, which it keeps for half an hour.
    """
    columns = shifts_of((0, 2), (2, 4), (1, 3), hours=4)
    by_profile = SECONDS[None]
    police = np.array([[1.0, 0.8, 0.5, 0.4], [0.6, 0.6, 0.9, 0.9], [0.3, 0.6, 0.9, 1.0]])
    crisis = np.array([[0.5, 0.4, 0.2, 0.1], [0.3] * 4, [0.1, 0.2, 0.4, 0.6]])
    beside = Partner(("patrol",), partner_limit_s, busy_h=0.5)
    classes = (
        CallClass("police", police, 0.6, ("patrol",), (Layer(210.0, 0.6), Layer(420.0, 0.4)), 0.4),
        CallClass("crisis", crisis, 1.0, ("coresponder",), (Layer(500.0),), 0.8, beside),
    )
    return Question(
        AREAS,
        POINT_AREA,
        POINT_SHARE,
        np.zeros(4, dtype=np.int64),
        (
            _kind("patrol", columns, by_profile, cost=130.0, capacity=capacity, **rules),
            _kind("coresponder", columns, by_profile, cost=95.0, capacity=capacity, **rules),
        ),
        classes,
        (Budget("all", limit, ("patrol", "coresponder")),),
        cyclic=False,
        corrected=corrected,
    )


def placements(lower, upper):
    """Give every way to put units at posts within the bounds, shape (ways, posts)."""
    return np.array(list(itertools.product(*map(range, lower, np.add(upper, 1)))))


def best_values(model):
    """Try every position: for each hour the best value by its types' units on duty."""
    result = []
    for hour in range(model.num_hours):
        ways = [placements(kind.lower[hour], kind.upper[hour]) for kind in model.kinds]
        best = np.full([int(kind.most[hour]) + 1 for kind in model.kinds], -np.inf)
        for units in itertools.product(*ways):
            number = tuple(int(of_type.sum()) for of_type in units)
            if all(n < most for n, most in zip(number, best.shape, strict=True)):
                value = model.hour(hour, number).value(units)
                best[number] = max(best[number], value)
        result.append(best)
    return result


def every_crews(kind, limit):
    """Give all crews of a type that cost at most `limit` and that its posts hold."""
    unit_hours = kind.columns.unit_hours
    most = [int(limit / kind.cost_per_h / hours) for hours in unit_hours]
    ways = np.array(list(itertools.product(*(range(k + 1) for k in most))))
    staffing = ways @ kind.columns.on_duty.astype(np.int64)
    kept = (staffing <= kind.most).all(axis=1) & (ways @ unit_hours * kind.cost_per_h <= limit)
    return ways[kept]


def best_of_all(question):
    """Try every crew within the budgets at its best positions; floors are not looked at.

    Returns
    -------
    tuple
        The best worth of calls reached, and its units on duty by type, shape (types, hours).
    """
    most = [min(b.limit for b in question.budgets if k.name in b.types) for k in question.types]
    crews = [every_crews(kind, limit) for kind, limit in zip(question.types, most, strict=True)]
    chosen = [at.ravel() for at in np.meshgrid(*(np.arange(len(c)) for c in crews), indexing="ij")]
    staffing, cost = [], []
    for kind, ways, at in zip(question.types, crews, chosen, strict=True):
        staffing.append((ways @ kind.columns.on_duty.astype(np.int64))[at])
        cost.append((ways @ kind.columns.unit_hours * kind.cost_per_h)[at])
    within = np.ones(len(chosen[0]), dtype=bool)
    for budget in question.budgets:
        paid = [kind.name in budget.types for kind in question.types]
        within &= sum(c for c, p in zip(cost, paid, strict=True) if p) <= budget.limit + 1e-9
    total = np.where(within, 0.0, -np.inf)
    for pool in question.pools:
        for hour, best in enumerate(best_values(pool_model(question, pool))):
            total += best[tuple(staffing[index][:, hour] for index in pool.types)]
    winner = int(np.argmax(total))
    return float(total[winner]), np.stack([of_type[winner] for of_type in staffing])
