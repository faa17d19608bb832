"""Whether the times of a road map fit its lengths: minutes read as seconds make every plan good."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.errors import InputError
from deploy_opt.units import KPH_PER_MPS, SECONDS_PER_UNIT

if TYPE_CHECKING:
    from numpy.typing import NDArray

ALLOWED_KPH = (3.0, 300.0)
USUAL_KPH = (8.0, 160.0)


def middle_kph(length_m: NDArray[np.float64], siren_s: NDArray[np.float64]) -> float:
    """Speed of the middle arc, km/h, of those with a length and a time; NaN where none has."""
    timed = (siren_s > 0) & (length_m > 0)
    if not timed.any():
        return float("nan")
    return float(np.median(length_m[timed] / siren_s[timed]) * KPH_PER_MPS)


def fitting_unit(kph: float, time_unit: str) -> str | None:
    """Find the unit of time at which the middle arc has the speed of a road.

    Parameters
    ----------
    kph
        Its speed with times taken to be in `time_unit`, km/h.
    time_unit
        s, min, h or days.

    Returns
    -------
    str or None
        The unit; None where none fits.

    Examples
    --------
    >>> fitting_unit(45.0, "s"), fitting_unit(2700.0, "s"), fitting_unit(0.75, "min")
    ('s', 'min', 's')
    """
    low, high = USUAL_KPH
    for unit, seconds in SECONDS_PER_UNIT.items():
        if low <= kph * SECONDS_PER_UNIT[time_unit] / seconds <= high:
            return unit
    return None


def check_speeds(
    length_m: NDArray[np.float64], siren_s: NDArray[np.float64], time_unit: str
) -> None:
    """Refuse times that fit the lengths of the roads in another unit only.

    Parameters
    ----------
    length_m, siren_s
        By arc, m and s.
    time_unit
        Unit that the file's times were taken to be in.

    Raises
    ------
    InputError
        When the middle arc is slower than 3 or faster than 300 km/h, and another unit of time
        gives it the speed of a road.
    """
    kph = middle_kph(length_m, siren_s)
    if np.isnan(kph) or ALLOWED_KPH[0] <= kph <= ALLOWED_KPH[1]:
        return
    fits = fitting_unit(kph, time_unit)
    if fits is None:  # a drawing rather than a map: no unit would make it one
        return
    side = "faster" if kph > ALLOWED_KPH[1] else "slower"
    found = f"half of the arcs {side} than {kph:,.3g} km/h, with times in {time_unit}"
    expected = f"{ALLOWED_KPH[0]:g} to {ALLOWED_KPH[1]:g} km/h"
    do = f"inputs.roads.time_unit: {fits}"
    raise InputError.of("inputs.roads: times of the arcs", found, expected, do)
