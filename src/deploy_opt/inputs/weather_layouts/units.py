"""Units of weather values: suffixes of column names, recognition from values, limits of nature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

import numpy as np

from deploy_opt.errors import Fault, InputError
from deploy_opt.units import KPH_PER_KNOT, KPH_PER_MPH, KPH_PER_MPS, MM_PER_INCH, celsius

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd
    from numpy.typing import NDArray

    Factor = float | Callable[[NDArray[np.float64]], NDArray[np.float64]]

System = Literal["us", "metric", "tenths"]
VALUE_COLUMNS = (
    "temperature_c",
    "temperature_min_c",
    "temperature_max_c",
    "precipitation_mm",
    "snowfall_cm",
    "wind_kph",
)
SUMS = ("precipitation_mm", "snowfall_cm")
MEANS = ("temperature_c", "wind_kph")

_ZERO_CELSIUS_K = 273.15
_MM_PER_CM = 10.0
_CM_PER_INCH = MM_PER_INCH / _MM_PER_CM


@dataclass(frozen=True, slots=True)
class Quantity:
    """One weather quantity: its column, the factors of its units and the limits of nature."""

    column: str
    units: Mapping[str, Factor]
    lowest: float
    highest_h: float
    highest_day: float
    expected: str


_TEMPERATURE_UNITS: dict[str, Factor] = {
    "c": 1.0,
    "f": cast("Factor", celsius),
    "k": lambda kelvin: kelvin - _ZERO_CELSIUS_K,
    "tenth_c": 0.1,
}
_PLACE = "a temperature that occurs on Earth (-90 to 60 °C)"
QUANTITIES: dict[str, Quantity] = {
    "temperature": Quantity("temperature_c", _TEMPERATURE_UNITS, -90, 60, 60, _PLACE),
    "temperature_min": Quantity("temperature_min_c", _TEMPERATURE_UNITS, -90, 60, 60, _PLACE),
    "temperature_max": Quantity("temperature_max_c", _TEMPERATURE_UNITS, -90, 60, 60, _PLACE),
    "precipitation": Quantity(
        "precipitation_mm",
        {"mm": 1.0, "inch": MM_PER_INCH, "tenth_mm": 0.1},
        0,
        450,
        1900,
        "precipitation of 0 to 450 mm an hour, 1900 mm a day",
    ),
    "snowfall": Quantity(
        "snowfall_cm",
        {"cm": 1.0, "mm": 1 / _MM_PER_CM, "inch": _CM_PER_INCH},
        0,
        60,
        300,
        "fresh snow of 0 to 60 cm an hour, 300 cm a day",
    ),
    "wind": Quantity(
        "wind_kph",
        {
            "kph": 1.0,
            "mph": KPH_PER_MPH,
            "mps": KPH_PER_MPS,
            "kn": KPH_PER_KNOT,
            "tenth_mps": KPH_PER_MPS / 10,
        },
        0,
        420,
        420,
        "a wind speed of 0 to 420 km/h",
    ),
}
SYSTEM_UNITS: dict[System, dict[str, str]] = {
    "us": {"temperature": "f", "precipitation": "inch", "snowfall": "inch", "wind": "mph"},
    "metric": {"temperature": "c", "precipitation": "mm", "snowfall": "mm", "wind": "mps"},
    "tenths": {
        "temperature": "tenth_c",
        "precipitation": "tenth_mm",
        "snowfall": "mm",
        "wind": "tenth_mps",
    },
}
RATES = {"mm_per_h": "mm", "inch_per_h": "inch"}


def split_name(name: str) -> tuple[str, str] | None:
    """Split ``temperature_max_f`` into quantity and unit; None when it names neither.

    Rates such as ``precipitation_inch_per_h`` keep their suffix as the unit.
    """
    for quantity in sorted(QUANTITIES, key=len, reverse=True):
        unit = name.removeprefix(f"{quantity}_")
        if unit != name and (
            unit in QUANTITIES[quantity].units or (quantity == "precipitation" and unit in RATES)
        ):
            return quantity, unit
    return None


def known_names() -> list[str]:
    """List every column name with a unit suffix that a weather table may have."""
    names = [f"{q}_{unit}" for q, quantity in QUANTITIES.items() for unit in quantity.units]
    return names + [f"precipitation_{rate}" for rate in RATES]


def system_unit(quantity: str, system: System) -> str:
    """Say which unit a quantity has in a system of units of NOAA."""
    return SYSTEM_UNITS[system]["temperature" if "temperature" in quantity else quantity]


def convert(
    values: NDArray[np.float64], quantity: str, unit: str, *, hours: float
) -> NDArray[np.float64]:
    """Convert values into the unit of the quantity's column.

    Parameters
    ----------
    values
        Any shape.
    quantity, unit
        As `split_name` gives them.
    hours
        Length of the period of one value, h; turns a rate into an amount.
    """
    factor = QUANTITIES[quantity].units[RATES.get(unit, unit)]
    amount = values * hours if unit in RATES else values
    return factor(amount) if callable(factor) else amount * factor


def impossible_values(
    values: NDArray[np.float64], quantity: str, *, daily: bool
) -> NDArray[np.bool_]:
    """Mark converted values that nature does not show; a sign of a wrong unit or sentinel."""
    limits = QUANTITIES[quantity]
    highest = limits.highest_day if daily else limits.highest_h
    outside: NDArray[np.bool_] = (values < limits.lowest) | (values > highest)
    return outside


def recognise(
    values: Mapping[str, NDArray[np.float64]],
    systems: tuple[System, ...],
    *,
    where: str,
    do: str,
) -> tuple[System, str]:
    """Find the one system of units that the values of a NOAA file can be in.

    NOAA writes US temperatures as whole degrees Fahrenheit and US precipitation in hundredths of
    an inch; metric values have at most one decimal; tenths are whole numbers. A system is struck
    out when a value breaks its pattern or would be a temperature that does not occur on Earth.

    Parameters
    ----------
    values
        Quantity to its raw values as they stand in the file, nulls allowed.
    systems
        Systems that the layout may have.
    where, do
        For the fault: the file, and the option that settles it.

    Returns
    -------
    tuple
        The system, and the reason in words.

    Raises
    ------
    InputError
        When none or more than one is possible.
    """
    against = {system: pattern_break(values, system) for system in systems}
    possible = [system for system in systems if not against[system]]
    if len(possible) == 1:
        return possible[0], "; ".join(
            f"not {system}: {against[system]}" for system in systems if system != possible[0]
        )
    names = " or ".join(systems)
    if possible:
        found = f"values that may be {' or '.join(possible)}"
        raise InputError.of(where, found, f"to know the unit ({names})", do)
    reasons = "; ".join(f"not {system}: {reason}" for system, reason in against.items())
    raise InputError.of(where, f"values in no known unit ({reasons})", names, do)


def pattern_break(values: Mapping[str, NDArray[np.float64]], system: System) -> str:
    """Name a value that breaks the pattern of a system, or nothing; see `recognise`."""
    for quantity, raw in values.items():
        present = raw[~np.isnan(raw)]
        if not present.size:
            continue
        broken = _breaks_pattern(present, quantity, system)
        if broken.any():
            return f"{quantity} {present[broken][0]:g}"
    return ""


def _breaks_pattern(
    present: NDArray[np.float64], quantity: str, system: System
) -> NDArray[np.bool_]:
    unit = system_unit(quantity, system)
    converted = convert(present, quantity, unit, hours=1)
    broken = impossible_values(converted, quantity, daily=True)
    is_temperature = "temperature" in quantity
    if system == "tenths" or (system == "us" and is_temperature):
        broken |= _has_decimals(present, 0)
    if system == "metric" and (is_temperature or quantity == "precipitation"):
        broken |= _has_decimals(present, 1)
    return broken


def _has_decimals(values: NDArray[np.float64], most: int) -> NDArray[np.bool_]:
    more: NDArray[np.bool_] = np.abs(values - np.round(values, most)) > 1e-6
    return more


def impossible_faults(
    frame: pd.DataFrame, raw_names: Mapping[str, str], *, where: str, daily: bool, first_line: int
) -> list[Fault]:
    """Make one fault for each column that holds values that nature does not show.

    Parameters
    ----------
    frame
        Converted columns, in the order of the file's rows.
    raw_names
        Converted column to the name in the file.
    where
        The file.
    daily
        Whether a row is a day rather than an hour.
    first_line
        Line of the file on which the first row stands.
    """
    faults = []
    for quantity, limits in QUANTITIES.items():
        if limits.column not in frame:
            continue
        values = frame[limits.column].to_numpy(dtype=float)
        wrong = np.flatnonzero(impossible_values(values, quantity, daily=daily))
        if wrong.size:
            unit = limits.column.rsplit("_", 1)[-1]
            faults.append(
                Fault(
                    f"{where}: line {wrong[0] + first_line}, {raw_names[limits.column]}",
                    f"{values[wrong[0]]:.4g} {unit} after conversion"
                    + (f" (and {wrong.size - 1} more rows)" if wrong.size > 1 else ""),
                    limits.expected,
                    "check the unit; empty the cell if the value is a stand-in for missing",
                )
            )
    return faults
