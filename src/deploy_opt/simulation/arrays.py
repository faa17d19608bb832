"""What the event loop reads and writes: few arrays, most of them records, by what they are about.

Records keep the number of arrays small, and with it the time to compile the loop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, DTypeLike, NDArray

    from deploy_opt.simulation.grid import Grid

    Records = np.recarray[Any, Any]

NO_HOSPITAL = -1
"""Hospital of a call that transports nobody."""

DISPATCH = ("closest", "reserve", "district_first", "dmexclp")
"""Rules that choose the unit; the loop knows them by position."""

RELOCATION = ("home", "dmexclp", "compliance")
"""Rules that choose where an idle unit stands; the loop knows them by position."""

FLEET: Mapping[str, DTypeLike] = {
    "unit_type": np.int64,
    "home": np.int64,
    "district": np.int64,
    "mutual_aid": np.bool_,
}
"""Of a unit: type, node of its first home, district (-1 = none), a neighbour's or not."""

SPELLS: Mapping[str, DTypeLike] = {
    "unit": np.int64,
    "from_s": np.float64,
    "to_s": np.float64,
    "home": np.int64,
}
"""A spell on duty, and the node of its home."""

BREAKS: Mapping[str, DTypeLike] = {
    "unit": np.int64,
    "from_s": np.float64,
    "length_s": np.float64,
}
"""A break, due at `from_s`."""

LEGS: Mapping[str, DTypeLike] = {
    "due_at": np.float64,  # when a unit can be chosen, s
    "node": np.int64,
    "lane": np.int64,  # rank of the priority known then, 0 first
    "district": np.int64,  # -1 = none
    "helped": np.bool_,  # units of other districts may come
    "kind": np.int64,  # column of `able`
    "first": np.int64,  # first leg of the same call
    "places": np.int64,  # how many legs the call has
    "waits": np.bool_,  # waits when nobody is free; else it goes without
    "together": np.bool_,  # work begins when every unit of the call is there
    "follows": np.bool_,  # is sent once the place before it has a unit
    "on_scene": np.float64,
    "handover": np.float64,
    "hospital": np.int64,  # node, or NO_HOSPITAL
    "turnout_s": np.float64,  # from the choice to the wheels, at a post
    "turnout_on_road_s": np.float64,
    "drive_factor": np.float64,  # multiplies the drive to the scene
}
"""A unit that a call asks for; by `due_at`, a call's legs adjoin."""

CLOSED: Mapping[str, DTypeLike] = {
    "node": np.int64,
    "from_s": np.float64,
    "to_s": np.float64,
}
"""A hospital that diverts."""

UNIT_STATE: Mapping[str, DTypeLike] = {
    "leg": np.int64,  # what it works on, -1 = idle
    "resting": np.bool_,
    "rest_due": np.float64,  # seconds of break still to take
    "rank": np.int64,  # its row in `idle`, -1 = none
    "home": np.int64,  # of its present spell
    "post": np.int64,  # where it is to stand now
    "from_node": np.int64,  # its last way; it stands at to_node after reach_at
    "to_node": np.int64,
    "left_at": np.float64,
    "reach_at": np.float64,
    "on_until": np.float64,  # end of duty; -inf before the first
    "free_since": np.float64,
    "drive_s": np.float64,
    "drive_km": np.float64,
    "moves": np.int64,  # to posts that are not its home
}

IDLE: Mapping[str, DTypeLike] = {"unit": np.int64, "to_node": np.int64, "reach_at": np.float64}
"""A unit that may be sent, with what the choice looks at first."""

LEG_STATE: Mapping[str, DTypeLike] = {
    "next_waiting": np.int64,  # the leg behind it in the queue, -1 = none
    "given_up": np.bool_,  # went without a unit
    "work_s": np.float64,  # time on scene still to come when its unit arrives
    "unit": np.int64,  # -1 = nobody
    "dispatched": np.float64,
    "enroute": np.float64,
    "arrived": np.float64,
    "cleared": np.float64,
    "hospital": np.int64,
    "diverted": np.int64,  # how often it lost its unit to another call
}

LANES: Mapping[str, DTypeLike] = {"head": np.int64, "tail": np.int64}
"""First and last waiting leg of a priority, -1 = none."""


def records(fields: Mapping[str, DTypeLike], num_rows: int, **values: ArrayLike) -> Records:
    """Lay columns out as records.

    Parameters
    ----------
    fields
        Name and type of each field.
    num_rows
        Rows.
    values
        Value of every field: one, or shape (rows,).
    """
    table = np.recarray(num_rows, dtype=list(fields.items()))
    for name in fields:
        table[name] = values[name]
    return table


class Roads(NamedTuple):
    """How long and how far it is.

    Attributes
    ----------
    times_s
        Drive times, s, shape (periods, nodes, nodes), by end and then start (the choice of a unit
        reads one row); inf = no road.
    period_of_hour
        Period of each hour of the cycle that begins at second 0, shape (hours,).
    grid
        Coordinates of the nodes, and which is nearest to a point.
    distances_km
        Road lengths, shape (nodes, nodes), or (0, 0) when unknown.
    return_speed_factor
        Speed of idle units as a share of the speed to calls.
    """

    times_s: NDArray[np.floating]
    period_of_hour: NDArray[np.int64]
    grid: Grid
    distances_km: NDArray[np.float64]
    return_speed_factor: float


class Rules(NamedTuple):
    """How units are chosen and where they stand.

    Attributes
    ----------
    dispatch, relocation
        Positions in `DISPATCH` and `RELOCATION`.
    longest_idle
        Of units equally near the longest idle goes, else the lowest.
    turnout_s, turnout_on_road_s
        Mean turnout that the dispatcher reckons with.
    some_divert
        Whether any unit may be taken from its call.
    diverts
        Whether a unit on its way to a call of the row's lane is taken for one of the column's,
        shape (lanes, lanes).
    interrupts
        Whether one that works on a call of the row's lane is; the rest of the work waits.
    reserve, reserve_lane
        Units that stay free for calls before `reserve_lane`.
    help_lane
        Calls of lanes before it get units of other districts.
    helps
        Whether units of the column's district help the row's, shape (districts, districts).
    node_post
        Row in `cover` of each node, -1 = none, shape (nodes,).
    posts
        Candidate posts, nodes, shape (posts,); the first rows of `cover`.
    cover
        Whether a post reaches a node in time, shape (periods, rows, nodes).
    demand
        Weight of the nodes, shape (nodes,).
    free_again
        Powers of the busy fraction q: q^k, shape (units + 1,).
    standard_s
        Time within which `dmexclp` dispatch looks for the unit least needed where it is.
    levels
        Posts to hold with m free units, nodes in the order of need, -1 = none,
        shape (types, most free + 1, ranks).
    most_moves
        Most units that one change of the free units moves.
    """

    dispatch: int
    relocation: int
    longest_idle: bool
    turnout_s: float
    turnout_on_road_s: float
    some_divert: bool
    diverts: NDArray[np.bool_]
    interrupts: NDArray[np.bool_]
    reserve: int
    reserve_lane: int
    help_lane: int
    helps: NDArray[np.bool_]
    node_post: NDArray[np.int64]
    posts: NDArray[np.int64]
    cover: NDArray[np.bool_]
    demand: NDArray[np.float64]
    free_again: NDArray[np.float64]
    standard_s: float
    levels: NDArray[np.int64]
    most_moves: int


class Case(NamedTuple):
    """Everything that the loop reads.

    Attributes
    ----------
    roads, rules
        Times and rules.
    fleet, spells, breaks
        Records of `FLEET` (one per unit), `SPELLS` and `BREAKS` (by start).
    legs
        Records of `LEGS`.
    able
        Whether a unit type answers a kind of leg, shape (types, kinds).
    hospitals
        Nodes, shape (hospitals,).
    closed
        Records of `CLOSED`.
    """

    roads: Roads
    rules: Rules
    fleet: Records
    spells: Records
    breaks: Records
    legs: Records
    able: NDArray[np.bool_]
    hospitals: NDArray[np.int64]
    closed: Records


class State(NamedTuple):
    """Everything that the loop writes.

    Attributes
    ----------
    agenda
        When each unit finishes, is back from a break or arrives, s; inf = nothing ahead: the tree
        of module `agenda`.
    idle, num_idle
        Records of `IDLE` of the units without a call, in any order, and how many they are, shape
        (1,). All units when some may be taken from their call.
    units, legs, lanes
        Records of `UNIT_STATE`, `LEG_STATE` and `LANES`.
    reached_by, spare, short
        Room to work in: units that reach each node; units free to move; posts not held.
    """

    agenda: NDArray[np.float64]
    idle: Records
    num_idle: NDArray[np.int64]
    units: Records
    legs: Records
    lanes: Records
    reached_by: NDArray[np.int64]
    spare: NDArray[np.bool_]
    short: NDArray[np.bool_]


def at_start(case: Case) -> State:
    """Put every unit at its home, off duty, and every leg unanswered."""
    home = case.fleet["home"]
    units = records(
        UNIT_STATE,
        home.size,
        leg=-1,
        resting=False,
        rest_due=0.0,
        rank=np.arange(home.size),
        home=home,
        post=home,
        from_node=home,
        to_node=home,
        left_at=-np.inf,
        reach_at=-np.inf,
        on_until=-np.inf,
        free_since=-np.inf,
        drive_s=0.0,
        drive_km=0.0,
        moves=0,
    )
    unanswered = records(
        LEG_STATE,
        1,
        next_waiting=-1,
        given_up=False,
        work_s=0.0,
        unit=-1,
        dispatched=np.nan,
        enroute=np.nan,
        arrived=np.nan,
        cleared=np.nan,
        hospital=NO_HOSPITAL,
        diverted=0,
    )
    legs = unanswered.repeat(case.legs.size).view(np.recarray)
    legs["work_s"] = case.legs["on_scene"]
    return State(
        np.full(2 << (home.size - 1).bit_length(), np.inf),
        records(IDLE, home.size, unit=np.arange(home.size), to_node=home, reach_at=-np.inf),
        np.array([home.size]),
        units,
        legs,
        records(LANES, len(case.rules.diverts), head=-1, tail=-1),
        np.zeros(case.rules.demand.size, dtype=np.int64),
        np.zeros(home.size, dtype=np.bool_),
        np.zeros(case.rules.levels.shape[2], dtype=np.bool_),
    )
