"""How likely a type's worst outcome is: code, interval, tier of its cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from deploy_opt.risk_settings import RiskSettings

LIKELIHOOD_WORDS = {
    1: "very unlikely",
    2: "unlikely",
    3: "possible",
    4: "likely",
    5: "very likely",
}
_ICAO_INTOLERABLE = ((5, 5), (5, 4), (5, 3), (4, 5), (4, 4), (3, 5))
_ICAO_ACCEPTABLE = ((3, 1), (2, 2), (2, 1), (1, 4), (1, 3), (1, 2), (1, 1))


def likelihood_code(rate: ArrayLike, settings: RiskSettings) -> NDArray[np.int64]:
    """Code the rate of the worst outcome, 1 very unlikely to 5 very likely.

    Parameters
    ----------
    rate
        Rates 0..1, any shape; NaN gives 0.
    settings
        Cuts, each the highest rate of its code, and what happens in the gap above the last.
    """
    rates = np.asarray(rate, dtype=np.float64)
    code = 1 + np.searchsorted(np.asarray(settings.likelihood_cuts), rates, side="left")
    if settings.gap_policy == "likely":
        code = np.where(in_gap(rates, settings), 4, code)
    return np.where(np.isnan(rates), 0, code).astype(np.int64)


def in_gap(rate: ArrayLike, settings: RiskSettings) -> NDArray[np.bool_]:
    """Tell which rates lie between likely and very likely, where the brief says nothing."""
    rates = np.asarray(rate, dtype=np.float64)
    return np.asarray((rates > settings.likelihood_cuts[-1]) & (rates < settings.gap_end))


def clopper_pearson(
    found: ArrayLike, of: ArrayLike, *, confidence: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute exact intervals for shares (Clopper and Pearson 1934, *Biometrika* 26).

    Parameters
    ----------
    found, of
        Successes and trials, broadcast against each other.
    confidence
        Level.

    Returns
    -------
    tuple of numpy.ndarray
        Low and high ends; NaN where there are no trials.

    Examples
    --------
    >>> low, high = clopper_pearson(1, 60)
    >>> round(float(low), 6), round(float(high), 6)
    (0.000422, 0.089399)
    """
    from scipy.special import betaincinv

    hits, trials = np.broadcast_arrays(np.asarray(found, float), np.asarray(of, float))
    tail = (1 - confidence) / 2
    with np.errstate(invalid="ignore"):
        low = betaincinv(np.maximum(hits, 1e-300), trials - hits + 1, tail)
        high = betaincinv(hits + 1, np.maximum(trials - hits, 1e-300), 1 - tail)
    low = np.where(hits == 0, 0.0, low)
    high = np.where(hits == trials, 1.0, high)
    none = trials <= 0
    return np.where(none, np.nan, low), np.where(none, np.nan, high)


def cell_tiers(settings: RiskSettings) -> NDArray[np.int64]:
    """Lay out the tier of every cell.

    Returns
    -------
    numpy.ndarray
        Tiers 1..4, shape (likelihood 1..5, severity 1..5).

    Notes
    -----
    The brief's own colours are lost and cannot be recovered from its counts: 2,548 count vectors
    of monotone maps agree with its recode totals. ``seattle_like`` is one that agrees, no more.
    """
    if not isinstance(settings.cell_map, str):
        return np.asarray(settings.cell_map, dtype=np.int64)[::-1]
    likelihood, severity = np.meshgrid(np.arange(1, 6), np.arange(1, 6), indexing="ij")
    product = likelihood * severity
    if settings.cell_map == "product":
        first, second, third = settings.product_cuts
        return np.select([product >= first, product >= second, product >= third], [1, 2, 3], 4)
    if settings.cell_map == "icao":
        tiers = np.where(product >= settings.tolerable_cut, 2, 3)
        for cells, tier in ((_ICAO_INTOLERABLE, 1), (_ICAO_ACCEPTABLE, 4)):
            for row, column in cells:
                tiers[row - 1, column - 1] = tier
        return tiers
    return np.select(
        [
            (severity == 5)
            | ((severity == 4) & (likelihood >= 2))
            | ((severity == 3) & (likelihood >= 4)),
            (severity == 4) | ((severity == 3) & (likelihood == 3)),
            (severity == 3) | ((severity == 2) & (likelihood >= 3)),
        ],
        [1, 2, 3],
        4,
    )


def tiers_touched(
    low: NDArray[np.int64],
    high: NDArray[np.int64],
    severity: NDArray[np.int64],
    settings: RiskSettings,
) -> list[str]:
    """List the tiers that the interval of each rate touches, as ``1,2``.

    Parameters
    ----------
    low, high
        Likelihood codes of the interval's ends, shape (types,); 0 without calls.
    severity
        Worst severity, shape (types,).
    """
    cells = cell_tiers(settings)
    words = []
    for first, last, column in zip(low, high, severity, strict=True):
        tiers = sorted(set(cells[first - 1 : last, column - 1].tolist())) if first else []
        words.append(",".join(str(tier) for tier in tiers))
    return words
