"""Clean a road graph: simple arcs, one strong component."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList, InputError
from deploy_opt.inputs.geometry import local_metres

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEAST_KEPT = 0.5


def simple_arcs(
    nodes: pd.DataFrame, arcs: pd.DataFrame, where: str
) -> tuple[pd.DataFrame, list[str]]:
    """Turn ids into positions, drop loops and keep one arc for each pair and road class.

    Parameters
    ----------
    nodes
        node_id, lon, lat.
    arcs
        from_node, to_node (ids), siren_s, regular_s, road_class [, length_m].
    where
        The file, for faults.

    Returns
    -------
    tuple
        from_node, to_node (positions), road_class, length_m, siren_s, regular_s, each the least
        of the repeated arcs; a straight line is the length where the file has none. And notes.

    Raises
    ------
    InputError
        When an arc ends at an unknown node.
    """
    index = pd.Index(nodes["node_id"])
    ends = {name: index.get_indexer(arcs[name]) for name in ("from_node", "to_node")}
    faults = FaultList()
    for name, found in ends.items():
        wrong = np.flatnonzero(found < 0)
        if wrong.size:
            row = int(wrong[0])
            text = f"{arcs[name].iloc[row]!r} ({wrong.size} such rows)"
            faults.add(f"{where}: row {row + 1}, {name}", text, "a node of the nodes table")
    faults.raise_if_any()
    if "length_m" not in arcs:
        lon, lat = (nodes[name].to_numpy(dtype=float) for name in ("lon", "lat"))
        metres = local_metres(lon, lat, (float(lon.mean()), float(lat.mean())))
        straight = np.hypot(*(metres[ends["from_node"]] - metres[ends["to_node"]]).T)
        arcs = arcs.assign(length_m=straight)
    table = arcs.assign(**ends)
    loops = table["from_node"] == table["to_node"]
    table = table[~loops]
    key = ["from_node", "to_node", "road_class"]
    values = ["length_m", "siren_s", "regular_s"]
    simple = table.groupby(key, sort=True, as_index=False)[values].min()
    repeated = len(table) - len(simple)
    notes = []
    if loops.any() or repeated:
        notes.append(
            f"roads: {int(loops.sum()):,} loops dropped; {repeated:,} repeated arcs, the fastest "
            "kept"
        )
    return simple, notes


def largest_component(
    arcs: pd.DataFrame, num_nodes: int, where: str
) -> tuple[NDArray[np.bool_], list[str]]:
    """Mark the nodes of the largest strong component, and say what is dropped.

    Parameters
    ----------
    arcs
        from_node, to_node (positions).
    num_nodes
        Number of nodes.
    where
        The file, for faults.

    Returns
    -------
    tuple
        Which nodes are in it, shape (nodes,), and notes.

    Raises
    ------
    InputError
        When it holds less than half of the nodes, or only one.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    ends = (arcs["from_node"].to_numpy(), arcs["to_node"].to_numpy())
    graph = coo_matrix((np.ones(len(arcs)), ends), (num_nodes, num_nodes))
    num, label = connected_components(graph, connection="strong")
    kept = np.asarray(label == np.argmax(np.bincount(label)))
    share = float(kept.mean())
    if kept.sum() < 2 or share < _LEAST_KEPT:
        found = (
            f"a road graph in {num:,} parts; the largest that one can drive around in holds "
            f"{kept.sum():,} of {num_nodes:,} nodes ({share:.0%})"
        )
        do = "check that two-way streets stand in the arcs in both directions"
        raise InputError.of(where, found, "at least half of the nodes in one part", do)
    notes = []
    if num > 1:
        notes.append(
            f"roads: {num:,} strong components; the largest is kept with {kept.sum():,} of "
            f"{num_nodes:,} nodes ({share:.1%})"
        )
    return kept, notes
