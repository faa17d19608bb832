"""Branch and cut on which side of the city serves an item."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial.distance import cdist

from deploy_opt.plan.districting.reduce import TOLERANCE, Pairs, reached_items

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.districting.cut_bound import DistrictProgram

NODE_ROUNDS = 3
"""Solves of a node, cuts being added between them."""
NODE_GAIN = 1e-4
"""Gain of a node's bound by its cuts, as a share, below which it is branched on."""
SERVED = 0.01
"""Share from which a centre counts as serving an item."""
MOST_CENTRES = 4
"""Centres of an item whose pairs are tried as the two sides."""
CANDIDATES = 8
"""Branches that are tried out at a node before one is taken."""
TRIAL_ITERATIONS = 40
"""Simplex iterations of a trial."""
ALIKE = 2
"""Branches tried out of those whose sides hold the same shares, which tend to be one question."""
LEAST_SCORE = 1e-3
"""Share of the open gap that a side is taken to gain at least."""
WHOLE = 1e-6
"""Distance from 0 or 1 within which a share is whole."""


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A part of the question: some pairs are ruled out.

    Attributes
    ----------
    bound
        No plan of this part has fewer call-minutes.
    is_open
        Pairs that may be used, packed bits.
    basis
        Basis to solve from.
    """

    bound: float
    is_open: NDArray[np.uint8]
    basis: object


@dataclass(frozen=True, slots=True, eq=False)
class Explored:
    """What branching proves.

    Attributes
    ----------
    bound
        No connected districts within the band have fewer call-minutes.
    centre_of
        Centre of each item in a better plan than the known one, shape (items,); None: none
        was met.
    best_min
        Call-minutes of the best plan known.
    nodes, cuts, iterations
        Nodes solved, separator cuts added, simplex iterations.
    """

    bound: float
    centre_of: NDArray[np.int64] | None
    best_min: float
    nodes: int
    cuts: int
    iterations: int


@dataclass(frozen=True, slots=True, eq=False)
class Branch:
    """Two sides that exclude each other: an item is served from inside a set of centres or not.

    Attributes
    ----------
    item
        The item.
    inside
        The set, rows of the centres, shape (centres,).
    """

    item: int
    inside: NDArray[np.bool_]


class Tree:
    """The search: open nodes, the best plan, the program that all nodes share.

    Parameters
    ----------
    program
        The root, tightened.
    best_min
        Call-minutes of the known plan.
    gap
        Share of the best plan's travel that need not be proven.
    """

    def __init__(self, program: DistrictProgram, best_min: float, *, gap: float) -> None:
        self.program = program
        self.best_min = best_min
        self.gap = gap
        self.centre_of: NDArray[np.int64] | None = None
        self.distance = _centre_distances(program.pairs)

    @property
    def target(self) -> float:
        """Bound from which a node need not be looked into."""
        return self.best_min * (1 - max(self.gap, TOLERANCE))

    def solve(self, node: Node) -> tuple[float, NDArray[np.float64] | None]:
        """Solve a node with its cuts: its bound and its shares; None where it is closed."""
        program = self.program
        size = program.open.size
        program.open_only(np.unpackbits(node.is_open, count=size).astype(np.bool_))
        program.restore(node.basis)
        bound, turn = node.bound, 0
        while True:
            turn += 1
            found = program.solve(cutoff=self.target)
            if found.x is None:
                return self.target, None
            value = program.proven(found)
            gained, bound = value - bound, max(bound, value)
            if bound >= self.target:
                return self.target, None
            share = program.shares(found.x)
            program.open_only(self.settled(program.affordable(found, value, self.best_min)))
            whole = bool((np.abs(share - np.round(share)) < WHOLE).all())
            weak = turn >= NODE_ROUNDS or (turn > 1 and gained < NODE_GAIN * bound)
            if weak and not whole:
                return bound, share
            if not program.add_violated(share):
                if not whole:
                    return bound, share
                self.take(share)
                return self.target, None

    def take(self, share: NDArray[np.float64]) -> None:
        """Take a whole answer that breaks no cut, which is a plan, if it is the best so far."""
        cost = float((self.program.pairs.cost * np.round(share)).sum())
        if cost < self.best_min:
            self.best_min = cost
            self.centre_of = self.program.pairs.centres[np.argmax(share, axis=0)]

    def settled(self, is_open: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Close what the closing of other pairs rules out, shape (columns,).

        A centre that may not serve its own item is none, and items are reached only through open
        ones.
        """
        program = self.program
        table = np.zeros(program.pairs.allowed.shape, dtype=np.bool_)
        table[program.centre, program.item] = is_open
        rows = np.unique(program.centre[is_open != program.open])
        left = reached_items(program.pairs, rows, table[rows])
        left[left @ program.pairs.workload_h < program.pairs.lower_h * (1 - TOLERANCE)] = False
        table[rows] = left
        return table[program.centre, program.item]

    def children(self, bound: float, share: NDArray[np.float64]) -> list[Node]:
        """Try some branches out on the node just solved; give the two sides of the best."""
        program = self.program
        start, is_open = program.basis(), program.open
        best: tuple[float, list[tuple[float, NDArray[np.bool_]]]] = (-1.0, [])
        for branch in candidates(program.pairs, share, self.distance):
            sides, gains = [], []
            for inside in (branch.inside, ~branch.inside):
                closing = (program.item == branch.item) & inside[program.centre]
                side = self.settled(is_open & ~closing)
                program.open_only(side)
                program.restore(start)
                found = program.solve(cutoff=self.target, iteration_limit=TRIAL_ITERATIONS)
                program.open_only(is_open)
                reached = bound
                if found.status in {"cut off", "infeasible"}:
                    gains.append(self.target - bound)
                    continue
                if found.status == "optimal":
                    reached = max(bound, program.proven(found))
                gains.append(min(max(found.objective - bound, 0.0), self.target - bound))
                sides.append((reached, side))
            least = LEAST_SCORE * (self.target - bound)
            score = float(np.prod(np.maximum(gains, least)))
            if score > best[0]:
                best = (score, sides)
            if len(sides) < 2:
                break
        program.restore(start)
        return [Node(reached, np.packbits(side), start) for reached, side in best[1]]


def explore(
    program: DistrictProgram,
    bound: float,
    best_min: float,
    *,
    gap: float,
    node_limit: int,
    work_limit: float = np.inf,
) -> Explored:
    """Branch, the part with the lowest bound first, until the gap is closed or nodes run out.

    Every branch puts one item to either side of the city: it is served from a centre inside a
    set, or from one outside. Both sides only close pairs, so that all nodes share one program and
    its cuts. The item and the set are chosen by strong branching (Achterberg, Koch & Martin 2005,
    *Operations Research Letters* 33, 42-54).

    Parameters
    ----------
    program
        The root, tightened.
    bound, best_min
        Proven at the root; call-minutes of the known plan.
    gap
        Share of the best plan's travel that need not be proven.
    node_limit
        Most nodes.
    work_limit
        Most simplex iterations times pairs in the program.

    Returns
    -------
    Explored
    """
    tree = Tree(program, best_min, gap=gap)
    before, begun = program.num_cuts, program.iterations
    most = work_limit / max(program.open.size, 1)
    root = Node(bound, np.packbits(program.open), program.basis())
    heap, serial, nodes = [(bound, 0, root)], 0, 0
    while heap and nodes < node_limit and heap[0][0] < tree.target:
        if program.iterations - begun >= most:
            break
        _, _, node = heapq.heappop(heap)
        nodes += 1
        value, share = tree.solve(node)
        if share is None:
            continue
        for child in tree.children(value, share):
            serial += 1
            heapq.heappush(heap, (child.bound, serial, child))
    proven = min([tree.target, *(entry[0] for entry in heap)])
    return Explored(
        max(proven, min(bound, tree.best_min)), tree.centre_of, tree.best_min, nodes,
        program.num_cuts - before, program.iterations,
    )  # fmt: skip


def candidates(
    pairs: Pairs, share: NDArray[np.float64], distance: NDArray[np.float64]
) -> list[Branch]:
    """List the branches worth a trial: evenly shared items with much work, of unlike shares.

    Two centres that share an item stand for the two sides; every other centre belongs to the
    nearer of them.

    Parameters
    ----------
    pairs
        Centres, items, workloads.
    share
        Share of each item that a centre serves, shape (centres, items).
    distance
        How unlike centres are, shape (centres, centres).
    """
    found = _splits(pairs, share, distance, least=SERVED) or _splits(
        pairs, share, distance, least=WHOLE
    )
    taken: list[Branch] = []
    per_share: dict[float, int] = {}
    items: set[int] = set()
    for _, inside, item, one, other in found:
        if item not in items and per_share.get(inside, 0) < ALIKE:
            items.add(item)
            per_share[inside] = per_share.get(inside, 0) + 1
            taken.append(Branch(item, _side(distance, one, other)))
        if len(taken) == CANDIDATES:
            break
    return taken


def _splits(
    pairs: Pairs, share: NDArray[np.float64], distance: NDArray[np.float64], *, least: float
) -> list[tuple[float, float, int, int, int]]:
    """List (score, share inside, item, the two centres) of items shared between centres."""
    found: list[tuple[float, float, int, int, int]] = []
    weight = pairs.workload_h + TOLERANCE * pairs.upper_h
    for item in np.flatnonzero((share > least).sum(axis=0) > 1).tolist():
        serving = np.flatnonzero(share[:, item] > least)
        order = np.argsort(-share[serving, item], kind="stable")[:MOST_CENTRES]
        for one, other in combinations(serving[order].tolist(), 2):
            inside = float(share[_side(distance, one, other), item].sum())
            score = -max(inside * (1 - inside), 0.0) * float(weight[item])
            found.append((score, round(inside, 3), item, one, other))
    found.sort()
    return found


def _side(distance: NDArray[np.float64], one: int, other: int) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = distance[one] < distance[other]
    inside[one], inside[other] = True, False
    return inside


def _centre_distances(pairs: Pairs) -> NDArray[np.float64]:
    """Measure how unlike centres are: the difference of their costs, summed over the items."""
    dear = np.where(pairs.allowed, pairs.cost, pairs.cost.max(initial=0.0))
    distances: NDArray[np.float64] = cdist(dear, dear, "cityblock")
    return distances
