"""How busy the units are, and how often one of those that cover a call is free: loss formulas."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def erlang_b(load: ArrayLike, max_units: int) -> NDArray[np.float64]:
    """Compute the share of calls that find every unit busy, for every number of units.

    Erlang's loss formula by its stable recursion ``B(0) = 1``,
    ``B(n) = a B(n-1) / (n + a B(n-1))`` (Erlang 1917, *Elektroteknikeren* 13).

    Parameters
    ----------
    load
        Offered load a, erlangs = calls per hour x hours per call, >= 0; any shape.
    max_units
        Largest number of units n.

    Returns
    -------
    numpy.ndarray
        B(n, a), shape ``load.shape + (max_units + 1,)``.

    Examples
    --------
    >>> erlang_b(2.0, 3).round(4).tolist()
    [1.0, 0.6667, 0.4, 0.2105]
    """
    return np.exp(_log_erlang_b(load, max_units))


def _log_erlang_b(load: ArrayLike, max_units: int) -> NDArray[np.float64]:
    offered = np.asarray(load, dtype=np.float64)
    if not (np.isfinite(offered) & (offered >= 0)).all():
        raise InputError.of("load", "a negative or infinite load", "erlangs, at least 0")
    result = np.zeros((*offered.shape, max_units + 1))
    with np.errstate(divide="ignore"):
        log_load = np.log(offered)
    for n in range(1, max_units + 1):
        before = result[..., n - 1]
        result[..., n] = log_load + before - np.log(n + offered * np.exp(before))
    return result


def busy_fraction(load: ArrayLike, max_units: int) -> NDArray[np.float64]:
    """Compute the mean busy fraction of the units, for every number of units on duty.

    Calls that find all units busy go elsewhere, so ``q(n) = a (1 - B(n, a)) / n < 1`` for every
    load: the loss form. The ratio ``a / n`` of textbook MEXCLP passes 1 in a busy hour.

    Parameters
    ----------
    load
        Offered load a, erlangs; any shape.
    max_units
        Largest number of units n.

    Returns
    -------
    numpy.ndarray
        q(n), shape ``load.shape + (max_units + 1,)``; 1 for n = 0, as nobody is free. It falls
        strictly in n while the load is above 0.

    Examples
    --------
    >>> busy_fraction(2.0, 3).round(4).tolist()
    [1.0, 0.6667, 0.6, 0.5263]
    """
    blocked = erlang_b(load, max_units)
    offered = np.asarray(load, dtype=np.float64)[..., None]
    result = np.ones_like(blocked)
    # a (1 - B(n)) / n and a / (n + a B(n-1)) are the same number; this form cannot cancel
    result[..., 1:] = offered / (np.arange(1, max_units + 1) + offered * blocked[..., :-1])
    return result


def cover_curve(load: float, num_units: int, *, corrected: bool = True) -> NDArray[np.float64]:
    """Compute the chance that at least one of m covering units is free, for every m.

    With `corrected`, units are alike but not independent: of n units in a loss system, m given
    ones are all busy with probability ``B(n, a) / B(n - m, a) = q(n) q(n-1) .. q(n-m+1)`` (Palm
    and Jacobaeus). The increments are Larson's (1975) correction factors in their loss form times
    ``(1 - q) q^(k-1)``; Batta, Dolan and Krishnamurthy (1989) put them into the covering model.
    Without it, units are busy independently: ``1 - q(n)^m``, as in MEXCLP (Daskin 1983), which
    promises too much in busy hours.

    Parameters
    ----------
    load
        Offered load a, erlangs.
    num_units
        Units on duty n.
    corrected
        Whether to use the correction.

    Returns
    -------
    numpy.ndarray
        Cover by m = 0..n covering units, shape (num_units + 1,): increasing and concave, and
        nowhere lower with one more unit on duty. Kept for the next call, so not to be written to.

    Examples
    --------
    >>> cover_curve(2.0, 3).round(4).tolist()
    [0.0, 0.4737, 0.6842, 0.7895]
    >>> cover_curve(2.0, 3, corrected=False).round(4).tolist()
    [0.0, 0.4737, 0.723, 0.8542]
    """
    return _cover_curve(float(load), int(num_units), bool(corrected))


@lru_cache(maxsize=16384)
def _cover_curve(load: float, num_units: int, corrected: bool) -> NDArray[np.float64]:  # noqa: FBT001  (a key of the cache)
    fraction = busy_fraction(load, num_units)
    factors = fraction[:0:-1] if corrected else np.full(num_units, fraction[-1])
    all_busy = np.concatenate([[1.0], np.cumprod(factors)])
    curve = np.asarray(1.0 - all_busy, dtype=np.float64)
    curve.setflags(write=False)
    return curve
