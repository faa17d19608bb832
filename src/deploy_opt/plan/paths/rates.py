"""Calling rates behind the sample paths of a forecast: what of their spread is more than chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.units import HOURS_PER_DAY

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST_VARIANCE = 1.0
_LEAST = 1e-12


def path_rates(
    calls: NDArray[np.int32], rates: NDArray[np.float64], day_of_hour: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Estimate the rates at which the calls of every path came in.

    A path counts calls: 0 or 1 in most areas and hours. That chance is in the loss formula of the
    plan already; a plan against the counts would count it twice and follow noise. What a plan can
    prepare for are the factors behind the counts, which `demand.predictive.draw_paths` draws: one
    that the city shares for a day, one for an hour, one of an area for the whole plan. Each in
    turn is taken as gamma of mean 1 and of the variance v by which a path's calls N spread beyond
    Poisson about the E that are expected, ``sum((N - E)^2 - E) / sum(E^2)`` over all paths, and
    estimated by ``1 + sqrt(v) (N - E) / sqrt(E + v E^2)``: its mean given N, stretched so that the
    factors of the paths spread by v (Louis 1984, *Journal of the American Statistical Association*
    79; the means alone spread too little). Where paths differ by chance alone v is 0, and all
    rates are the forecast's. For hours the calls of the path's day, for areas those of the path's
    hours are given: only shares are judged, and E (1 - share) is due to chance.

    Parameters
    ----------
    calls
        Calls on each path, shape (paths, areas, hours).
    rates
        Expected calls per hour, shape (areas, hours).
    day_of_hour
        0-based day of each hour, shape (hours,).

    Returns
    -------
    numpy.ndarray
        Calls per hour, shape (paths, areas, hours).
    """
    city = calls.sum(axis=1, dtype=np.float64)
    expected = np.broadcast_to(rates.sum(axis=0), city.shape)
    days = np.zeros((int(day_of_hour.max()) + 1, len(day_of_hour)))
    days[day_of_hour, np.arange(len(day_of_hour))] = 1.0
    of_day = _factors(city @ days.T, expected @ days.T)
    level = _ratio(city @ days.T, expected @ days.T)[:, day_of_hour]
    in_day = _ratio(expected, (expected @ days.T)[:, day_of_hour])
    of_hour = _factors(city, expected * level, in_day)
    of_area = calls.sum(axis=2, dtype=np.float64)
    mean = _ratio(city, expected) @ rates.T
    in_all = _ratio(mean, mean.sum(axis=1, keepdims=True))
    own = [_factors(of_area[:, [a]], mean[:, [a]], in_all[:, [a]]) for a in range(rates.shape[0])]
    factors = np.hstack(own)[:, :, None] * (of_day[:, day_of_hour] * of_hour)[:, None, :]
    return np.asarray(factors * rates, dtype=np.float64)


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    result = np.zeros(np.broadcast_shapes(part.shape, whole.shape))
    np.divide(part, whole, out=result, where=whole > 0)
    return result


def _factors(
    calls: NDArray[np.float64],
    expected: NDArray[np.float64],
    share: NDArray[np.float64] | float = 0.0,
) -> NDArray[np.float64]:
    """Give the factor of each path and cell; `share` is the cell's in a total that is given."""
    squares = float((expected**2).sum())
    if squares <= 0:
        return np.ones_like(calls)
    chance, beyond = expected * (1.0 - share), calls - expected
    variance = float(np.clip((beyond**2 - chance).sum() / squares, 0.0, _MOST_VARIANCE))
    spread = np.sqrt(np.maximum(chance + variance * expected**2, _LEAST))
    return np.asarray(np.maximum(1.0 + np.sqrt(variance) * beyond / spread, 0.0))


def planning_paths(rates: NDArray[np.float64], number: int) -> NDArray[np.int64]:
    """Choose paths that stand for all: the middle ones of equal shares, ranked by their calls.

    Parameters
    ----------
    rates
        Rates of all paths, shape (paths, areas, hours).
    number
        Paths wanted; all where there are fewer.

    Returns
    -------
    numpy.ndarray
        Rows, from few calls to many.

    Examples
    --------
    >>> planning_paths(np.arange(6.0)[:, None, None], 3).tolist()
    [1, 3, 5]
    """
    order = np.argsort(rates.sum(axis=(1, 2)), kind="stable")
    kept = min(number, len(order))
    middle = ((np.arange(kept) + 0.5) * len(order) / kept).astype(np.int64)
    return np.asarray(order[middle], dtype=np.int64)


def about_the_mean(paths: NDArray[np.float64], rates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale every area and hour so that the mean over the paths is the forecast's.

    Few paths miss the forecast's mean by chance, and a plan against them would follow that.

    Parameters
    ----------
    paths
        Rates, shape (paths, areas, hours).
    rates
        The forecast's, shape (areas, hours).
    """
    mean = paths.mean(axis=0)
    scale = np.ones_like(rates)
    np.divide(rates, mean, out=scale, where=mean > 0)
    return np.asarray(paths * scale, dtype=np.float64)


def planning_rates(
    calls: NDArray[np.int32], rates: NDArray[np.float64], number: int
) -> NDArray[np.float64]:
    """Give the rates of the paths to plan against, chosen from every second one.

    Parameters
    ----------
    calls
        Calls on all paths, shape (paths, areas, hours); hours from a midnight on.
    rates
        Expected calls per hour, shape (areas, hours).
    number
        Paths wanted.

    Returns
    -------
    numpy.ndarray
        Shape (number, areas, hours); their mean is the forecast's.
    """
    own = path_rates(calls, rates, _days(rates))[::2]
    return about_the_mean(own[planning_paths(own, number)], rates)


def judging_rates(calls: NDArray[np.int32], rates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the rates of the paths that no plan was made against; as `planning_rates`."""
    return about_the_mean(path_rates(calls, rates, _days(rates))[1::2], rates)


def _days(rates: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.arange(rates.shape[1], dtype=np.int64) // HOURS_PER_DAY
