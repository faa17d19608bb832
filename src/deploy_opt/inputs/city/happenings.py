"""Lists what happens in the sample city: matches, concerts, parades."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import numpy as np

from deploy_opt.inputs.city.clock import END, HISTORY_START, all_days
from deploy_opt.inputs.city.draws import uniform
from deploy_opt.inputs.city.places import ARENA, STADIUM
from deploy_opt.seeds import stream

_VISITORS = ("Lakers Bay", "Port Ellery", "Câmara", "Kingsford", "Västra", "Tarrant", "Millhaven")
_ACTS = ("The Tin Owls", "Noémie Vale", "Harbour Brass", "Old Lanterns", "Sólstice", "Big Quarry")


class Happening(NamedTuple):
    """One public event with its place and crowd."""

    name: str
    start: dt.datetime
    end: dt.datetime
    x_km: float
    y_km: float
    attendance: int
    category: str


def _at(day: dt.date, hour: float, length_h: float) -> tuple[dt.datetime, dt.datetime]:
    start = dt.datetime.combine(day, dt.time()) + dt.timedelta(hours=hour)
    return start, start + dt.timedelta(hours=length_h)


def make_happenings(seed: int) -> list[Happening]:
    """List the events of the calendar in order of their start.

    Parameters
    ----------
    seed
        The city's seed: picks dates, visitors and crowds.

    Returns
    -------
    list of Happening
        Start and end are naive local wall times.
    """
    rng = stream(seed, "city", "happenings")
    found: list[Happening] = []
    for day in all_days():
        pick, crowd, who = uniform(rng, 3)
        if day.weekday() in {2, 5} and 3 <= day.month <= 10:
            evening = day.weekday() == 2
            if pick < (0.22 if evening else 0.55):
                start, end = _at(day, 19.5 if evening else 15.0, 2.0)
                name = f"Alder Falls v {_VISITORS[int(who * len(_VISITORS))]}"
                attendance = int(round((0.35 + 0.62 * crowd) * STADIUM.size, -2))
                place = (STADIUM.x_km, STADIUM.y_km)
                found.append(Happening(name, start, end, *place, attendance, "match"))
        elif day.weekday() in {3, 4} and pick < 0.17:
            start, end = _at(day, 20.0, 3.0)
            name = f"{_ACTS[int(who * len(_ACTS))]} in concert"
            attendance = int(round((0.4 + 0.58 * crowd) * ARENA.size, -2))
            found.append(Happening(name, start, end, ARENA.x_km, ARENA.y_km, attendance, "concert"))
    for year in range(HISTORY_START.year, END.year + 1):
        for month, day_of_month, hour, name, attendance in (
            (3, 17, 12.0, "St. Brigid parade", 15_000),
            (7, 4, 20.0, "Harbor fireworks", 40_000),
            (9, 20, 9.0, "Two Bridges run", 8_000),
            (12, 6, 17.0, "Winter lights", 12_000),
        ):
            date = dt.date(year, month, day_of_month)
            if HISTORY_START <= date < END:
                start, end = _at(date, hour, 3.0)
                found.append(Happening(name, start, end, 5.75, 2.0, attendance, "festival"))
    return sorted(found, key=lambda one: (one.start, one.name))


def crowd_reach(
    happening: Happening, centres: np.ndarray[tuple[int, int], np.dtype[np.float64]]
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Weigh an event's pull on each area: 1 at the venue, nothing beyond 1.6 km."""
    away = np.hypot(centres[:, 0] - happening.x_km, centres[:, 1] - happening.y_km)
    return np.where(away < 1.6, np.exp(-((away / 0.8) ** 2)), 0.0)
