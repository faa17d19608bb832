"""Response layers: cover, expected response and survival from one family of demand rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse

from deploy_opt.errors import FaultList
from deploy_opt.plan.cover import cover_within

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


class LayeredRows(NamedTuple):
    """Demand rows, once for each response limit.

    Attributes
    ----------
    cover
        CSR of ones, shape (posts, limits x rows): the first block holds the first limit.
    weights
        Demand times the layer's worth, shape (limits x rows,).
    """

    cover: sparse.csr_array
    weights: NDArray[np.float64]


def response_layers(
    times_s: NDArray[np.floating],
    demand: ArrayLike,
    *,
    layers_s: ArrayLike,
    layer_weights: ArrayLike,
) -> LayeredRows:
    """Write a step function of the response as covering rows.

    A call of demand d answered after t seconds is worth d times the sum of D_l over the limits
    tau_l with t <= tau_l. So ``locate("mexclp", rows.cover, rows.weights, ...)`` maximises

    - cover, with one limit and D = 1;
    - survival s(t), as a step function, with D_l = s(tau_l) - s(tau_l+1) and s = 0 beyond the last
      (Erkut, Ingolfsson and Erdogan 2008, *Naval Research Logistics* 55);
    - the response time saved, with D_l = tau_l+1 - tau_l (`time_layers`): its optimum has the
      least expected response, times rounded up to the next limit;

    and any weighted sum of them. `locate` merges rows that the same posts cover, whatever their
    layer; every problem on cover takes these rows.

    Parameters
    ----------
    times_s
        Drive times, s, shape (posts, rows); inf = unreachable.
    demand
        Weight of each row, shape (rows,).
    layers_s
        Response limits, s, rising, shape (limits,).
    layer_weights
        Worth D_l >= 0 of each limit, shape (limits,).

    Returns
    -------
    LayeredRows

    Raises
    ------
    InputError
        Limits that do not rise, negative worths, shapes that do not fit.

    Examples
    --------
    >>> rows = response_layers(
    ...     np.array([[60.0, 500.0]]), [1.0, 2.0], layers_s=[300, 600], layer_weights=[0.6, 0.4]
    ... )
    >>> rows.cover.toarray().tolist(), rows.weights.tolist()
    ([[1.0, 0.0, 1.0, 1.0]], [0.6, 1.2, 0.4, 0.8])
    """
    limits = np.atleast_1d(np.asarray(layers_s, dtype=np.float64))
    worth = np.atleast_1d(np.asarray(layer_weights, dtype=np.float64))
    calls = np.asarray(demand, dtype=np.float64)
    times = np.asarray(times_s)
    faults = FaultList()
    if limits.ndim != 1 or not limits.size or not (np.diff(limits) > 0).all():
        faults.add("layers_s", f"{limits.tolist()}", "limits, s, each above the one before")
    if worth.shape != limits.shape or not (worth >= 0).all():
        faults.add("layer_weights", f"{worth.tolist()}", f"{limits.size} numbers >= 0")
    if times.ndim != 2 or calls.shape != times.shape[1:]:
        faults.add("demand", f"shape {calls.shape}", f"one for each row of times {times.shape}")
    faults.raise_if_any()
    blocks: list[Any] = [cover_within(times, float(limit)) for limit in limits]
    cover = sparse.csr_array(sparse.hstack(blocks, format="csr"))
    return LayeredRows(cover, np.outer(worth, calls).ravel())


def time_layers(times_s: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the limits and worths that make covering exactly the response time saved.

    With a limit at every distinct time, ``sum over layers of D_l (1 - q^n_l)`` is the time saved
    against a call that nobody free can reach, counted at the longest finite time.

    Parameters
    ----------
    times_s
        Drive times, s, shape (posts, rows); inf = unreachable.

    Returns
    -------
    tuple
        `layers_s` and `layer_weights` of `response_layers`: every distinct finite time but the
        longest, and the distance to the next.
    """
    times = np.asarray(times_s, dtype=np.float64)
    distinct = np.unique(times[np.isfinite(times)])
    return distinct[:-1], np.diff(distinct)
