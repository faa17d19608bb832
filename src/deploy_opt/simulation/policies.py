"""How units are chosen and where they wait: the rules of a service as one value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from deploy_opt.errors import FaultList, nearest
from deploy_opt.simulation.arrays import DISPATCH, RELOCATION, Rules

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    from deploy_opt.simulation.arrays import Records, Roads

LEVEL_COLUMNS = ("unit_type", "num_free", "rank", "node")


@dataclass(frozen=True, slots=True)
class Response:
    """Units that a call class asks for.

    Attributes
    ----------
    responders
        Unit types that may fill each place, one entry per unit sent; the first transports.
    together
        Work on scene begins when all units that come are there (a patrol unit and a clinician).
    waits
        Whether each place waits when nobody is free, else it goes without; None = all wait.
    in_turn
        A place is sent once the one before it has a unit (a patrol once there is a team), so that
        none waits on scene for a unit that is not on its way.
    """

    responders: tuple[Collection[str], ...]
    together: bool = False
    waits: tuple[bool, ...] | None = None
    in_turn: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules of dispatch and relocation.

    Attributes
    ----------
    dispatch
        ``closest``: the unit that arrives first. ``reserve``: as closest, but calls from priority
        `reserve_from` on wait while no more than `reserve` units are free for them.
        ``district_first``: the closest of the call's district, then of others. ``dmexclp``: of
        the units within `standard_s` the one whose leaving costs least expected cover
        (Jagtenberg, Bhulai and van der Mei 2017), the closest when none is in time.
    relocation
        ``home``: back to the unit's own post. ``dmexclp``: a unit that becomes free goes to the
        post where it adds most expected cover (Jagtenberg, Bhulai and van der Mei 2015).
        ``compliance``: for each number of free units, `levels` says which posts they hold.
    reserve, reserve_from
        See ``reserve``.
    help_before
        Calls of a priority number below it get help from other districts; None = all.
    divert
        Pairs of priorities (lower call, higher call): a unit on its way to the first is sent to
        the second instead when it is the closest.
    interrupt
        The same for a unit that works on the first already; what is left of the work waits for a
        unit. For work that officers start themselves.
    help_from
        District -> districts whose units help it; None = all help all.
    posts, demand, standard_s, busy_fraction
        For ``dmexclp``: candidate posts (nodes), weight of every node, standard of the drive in s
        and the busy fraction q; a node with k free units in reach is covered with 1 - q^k.
    levels
        For ``compliance``: unit_type, num_free, rank, node.
    most_moves
        For ``compliance``: most units moved when the number of free units changes.
    """

    dispatch: Literal["closest", "reserve", "district_first", "dmexclp"] = "closest"
    relocation: Literal["home", "dmexclp", "compliance"] = "home"
    reserve: int = 0
    reserve_from: float = np.inf
    help_before: float | None = None
    divert: Collection[tuple[float, float]] = ()
    interrupt: Collection[tuple[float, float]] = ()
    help_from: Mapping[str, Collection[str]] | None = None
    posts: ArrayLike = ()
    demand: ArrayLike | None = None
    standard_s: float | None = None
    busy_fraction: float | None = None
    levels: pd.DataFrame | None = field(default=None, compare=False)
    most_moves: int = 1

    @property
    def weighs_cover(self) -> bool:
        """Whether it needs posts, demand, a standard and a busy fraction."""
        return "dmexclp" in {self.dispatch, self.relocation}


def check_policy(policy: Policy, num_nodes: int, faults: FaultList) -> None:
    """Note what is wrong or missing in a policy."""
    named = (("dispatch", policy.dispatch, DISPATCH), ("relocation", policy.relocation, RELOCATION))
    for name, value, allowed in named:
        if value not in allowed:
            choices = " or ".join(allowed)
            faults.add(f"policy: {name}", repr(value), choices, nearest(str(value), allowed))
    if policy.reserve < 0 or policy.most_moves < 1:
        faults.add("policy: reserve, most_moves", "one that is too small", "at least 0, at least 1")
    for name, pairs in (("divert", policy.divert), ("interrupt", policy.interrupt)):
        if any(not low > high for low, high in pairs):
            expected = "pairs from a lower priority (a greater number) to a higher one"
            faults.add(f"policy: {name}", f"{sorted(pairs)}", expected)
    if policy.weighs_cover:
        _check_cover(policy, num_nodes, faults)
    if policy.relocation == "compliance":
        _check_levels(policy.levels, num_nodes, faults)


def _check_cover(policy: Policy, num_nodes: int, faults: FaultList) -> None:
    posts = np.asarray(policy.posts, dtype=np.float64).ravel()
    inside = (posts >= 0) & (posts < num_nodes) & (posts == np.floor(posts))
    if not posts.size or not inside.all():
        faults.add("policy: posts", f"{posts.size} posts", f"nodes 0 to {num_nodes - 1}")
    demand = np.empty(0) if policy.demand is None else np.asarray(policy.demand, dtype=np.float64)
    if demand.shape != (num_nodes,) or not (np.isfinite(demand) & (demand >= 0)).all():
        faults.add("policy: demand", f"shape {demand.shape}", f"weights of {num_nodes} nodes")
    if policy.standard_s is None or not policy.standard_s > 0:
        faults.add("policy: standard_s", f"{policy.standard_s}", "seconds above 0")
    if policy.busy_fraction is None or not 0 <= policy.busy_fraction < 1:
        faults.add("policy: busy_fraction", f"{policy.busy_fraction}", "a share in [0, 1)")


def _check_levels(levels: pd.DataFrame | None, num_nodes: int, faults: FaultList) -> None:
    missing = [c for c in LEVEL_COLUMNS if levels is None or c not in levels]
    if levels is None or missing or levels.empty:
        faults.add("policy: levels", f"no {', '.join(missing) or 'rows'}", "a compliance table")
        return
    good = levels["node"].between(0, num_nodes - 1) & (levels["num_free"] >= 1)
    good &= levels["rank"] >= 1
    if not good.all():
        expected = f"nodes 0 to {num_nodes - 1}, num_free and rank from 1"
        faults.add("policy: levels", f"{int((~good).sum())} wrong rows", expected)


def make_rules(  # noqa: PLR0913 - the parts of a case, one each
    policy: Policy,
    *,
    roads: Roads,
    spells: Records,
    types: Collection[str],
    districts: Sequence[object],
    priorities: NDArray[np.float64],
    turnout_s: float,
    turnout_on_road_s: float,
    longest_idle: bool,
) -> Rules:
    """Turn a checked policy into the arrays of the loop.

    Parameters
    ----------
    policy, roads, spells
        The policy and the parts of the case it acts on.
    types, districts
        Unit types and districts by number.
    priorities
        Priorities of the lanes, ascending.
    turnout_s, turnout_on_road_s
        Mean turnout at a post and on the road.
    longest_idle
        Of units equally near the longest idle goes.
    """
    num_nodes = roads.times_s.shape[1]
    diverts, interrupts = (
        _pairs(priorities, chosen) for chosen in (policy.divert, policy.interrupt)
    )
    posts = np.asarray(policy.posts, dtype=np.int64).ravel() if policy.weighs_cover else np.empty(0)
    rows = np.concatenate([posts, np.setdiff1d(spells["home"], posts)]).astype(np.int64)
    node_post = np.full(num_nodes, -1, dtype=np.int64)
    node_post[rows[::-1]] = np.arange(rows.size)[::-1]
    standard_s = np.inf if policy.standard_s is None else policy.standard_s
    within = np.empty((1, 0, 0), dtype=np.bool_)
    if policy.weighs_cover:
        within = roads.times_s[:, :, rows].transpose(0, 2, 1) <= standard_s
    demand = np.zeros(num_nodes) if policy.demand is None else np.asarray(policy.demand, np.float64)
    q = policy.busy_fraction or 0.0
    help_before = np.inf if policy.help_before is None else policy.help_before
    return Rules(
        dispatch=DISPATCH.index(policy.dispatch),
        relocation=RELOCATION.index(policy.relocation),
        longest_idle=longest_idle,
        turnout_s=turnout_s,
        turnout_on_road_s=turnout_on_road_s,
        some_divert=bool(diverts.any() or interrupts.any()),
        diverts=diverts,
        interrupts=interrupts,
        reserve=policy.reserve,
        reserve_lane=int(np.searchsorted(priorities, policy.reserve_from)),
        help_lane=int(np.searchsorted(priorities, help_before)),
        helps=_helpers(policy.help_from, districts),
        node_post=node_post,
        posts=posts.astype(np.int64),
        cover=np.array(within, dtype=np.bool_, order="C"),
        demand=np.array(demand),
        free_again=q ** np.arange(spells.size + 1, dtype=np.float64),
        standard_s=float(standard_s),
        levels=_level_table(policy.levels, list(types)),
        most_moves=policy.most_moves,
    )


def _pairs(
    priorities: NDArray[np.float64], chosen: Collection[tuple[float, float]]
) -> NDArray[np.bool_]:
    table = np.zeros((priorities.size, priorities.size), dtype=np.bool_)
    for low, high in chosen:
        table[np.ix_(priorities == low, priorities == high)] = True
    return table


def _helpers(
    help_from: Mapping[str, Collection[str]] | None, districts: Sequence[object]
) -> NDArray[np.bool_]:
    if help_from is None:
        return np.ones((len(districts), len(districts)), dtype=np.bool_)
    chosen = [[there in help_from.get(str(here), ()) for there in districts] for here in districts]
    return np.array(chosen, dtype=np.bool_).reshape(len(districts), len(districts))


def _level_table(levels: pd.DataFrame | None, types: list[str]) -> NDArray[np.int64]:
    if levels is None:
        return np.full((len(types), 1, 1), -1, dtype=np.int64)
    of_fleet = levels[levels["unit_type"].isin(types)]
    most, ranks = (max(of_fleet[name].max(), 0) for name in ("num_free", "rank"))
    table = np.full((len(types), int(most) + 1, int(ranks)), -1, dtype=np.int64)
    kind = of_fleet["unit_type"].map(types.index).to_numpy(dtype=np.int64)
    rank = of_fleet["rank"].to_numpy(dtype=np.int64) - 1
    table[kind, of_fleet["num_free"].to_numpy(dtype=np.int64), rank] = of_fleet["node"]
    return table
