"""Hold the share of false alarms when many cells are tested at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def adjusted_p_values(p_value: NDArray[np.float64]) -> NDArray[np.float64]:
    """Adjust the p-values of every row by Benjamini and Hochberg.

    Rejecting what is at most q holds the expected share of false alarms among the alarms of a
    period at q, when cells are independent or rise together.

    Parameters
    ----------
    p_value
        (periods, cells); NaN where not tested.

    Returns
    -------
    ndarray
        (periods, cells) the smallest q at which the cell alarms; NaN where not tested.

    Notes
    -----
    Benjamini and Hochberg (1995), *Controlling the false discovery rate*, Journal of the Royal
    Statistical Society B 57:289-300.

    Examples
    --------
    >>> adjusted_p_values(np.array([[0.01, 0.04, 0.03, np.nan]])).round(3).tolist()
    [[0.03, 0.04, 0.04, nan]]
    """
    order = np.argsort(p_value, axis=1, kind="stable")  # NaN last
    ranked = np.take_along_axis(p_value, order, axis=1)
    num = np.isfinite(p_value).sum(axis=1, keepdims=True)
    raised = ranked * num / np.arange(1, p_value.shape[1] + 1)
    tested = np.where(np.isfinite(raised), raised, np.inf)
    least = np.minimum.accumulate(tested[:, ::-1], axis=1)[:, ::-1]
    found = np.empty_like(p_value)
    np.put_along_axis(found, order, np.minimum(least, 1.0), axis=1)
    return np.where(np.isfinite(p_value), found, np.nan)
