"""Colours of districts: neighbours differ, also to readers who see fewer colours."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Paul Tol's "light" qualitative scheme (technical note SRON/EPS/TN/09-002, issue 3.2), a quarter
# of white mixed in: labels in dark ink and roads stand out on each of them.
PALETTE = (
    "#99bfe6", "#f2a68c", "#f2e6a6", "#ffbfcc", "#b3e6ff", "#73ccb3", "#ccd966", "#bfbf40",
)  # fmt: skip
_DEUTAN = np.array(
    [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ]
)  # Machado, Oliveira and Fernandes 2009, severity 1
_PROTAN = np.array(
    [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ]
)
_TO_XYZ = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
)  # sRGB, D65


def colours_of(neighbours: NDArray[np.bool_]) -> tuple[str, ...]:
    """Choose a colour for each district so that neighbours differ most.

    District by district, those with the most neighbours first: the colour farthest from those of
    its neighbours (CIE 1976, the least of normal, protan and deutan vision), the least used one
    of those that are far enough.

    Parameters
    ----------
    neighbours
        Which districts border on one another, symmetric, shape (districts, districts).

    Returns
    -------
    tuple
        ``#rrggbb`` for each district.
    """
    number = len(neighbours)
    apart = distances()
    chosen = np.full(number, -1, dtype=np.int64)
    used = np.zeros(len(PALETTE), dtype=np.int64)
    degree = neighbours.sum(axis=1)
    for district in np.lexsort((np.arange(number), -degree)):
        around = chosen[neighbours[district] & (chosen >= 0)]
        near = apart[:, around].min(axis=1) if around.size else np.full(len(PALETTE), np.inf)
        rank = np.lexsort((np.arange(len(PALETTE)), -near, used, near <= 0))
        chosen[district] = rank[0]
        used[rank[0]] += 1
    return tuple(PALETTE[k] for k in chosen)


@cache
def distances() -> NDArray[np.float64]:
    """Give the least CIE 1976 distance between colours over three kinds of vision."""
    rgb = np.array([[int(c[k : k + 2], 16) for k in (1, 3, 5)] for c in PALETTE]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    sheets = []
    for vision in (np.eye(3), _DEUTAN, _PROTAN):
        lab = _lab(np.clip(linear @ vision.T, 0.0, 1.0))
        sheets.append(np.sqrt(((lab[:, None] - lab[None, :]) ** 2).sum(axis=2)))
    return np.asarray(np.min(sheets, axis=0))


def _lab(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    xyz = linear @ _TO_XYZ.T / _TO_XYZ.sum(axis=1)
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = f.T
    return np.column_stack([116 * y - 16, 500 * (x - y), 200 * (y - z)])
