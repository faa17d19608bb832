"""Turn names, locks and a band into a case for the search."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deploy_opt.errors import FaultList, nearest
from deploy_opt.plan.districting.case import DistrictCase
from deploy_opt.plan.districting.figures import best_centres, cut_border, join_nearest
from deploy_opt.plan.districting.reading import listed, read_districts
from deploy_opt.units import SECONDS_PER_MINUTE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.districting.reading import Places

DEFAULT_BORDER_SHARE = 0.05
"""Share of today's travel that all of today's borders are worth, by default."""


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """What is asked, with names.

    Attributes
    ----------
    case
        The case; its labels are positions in `names` as far as these reach.
    names
        Names of districts today or in locks, in natural order.
    today
        Position in `names` of each area's district today, areas without one joined to the
        nearest, shape (areas,); None: no districts today.
    locked
        Position in `names` that an area must keep, -1: free, shape (areas,); None: no locks.
    named
        Names that the case's labels stand for; fewer than its districts where some are new.
    band_words
        The band, as it was asked for.
    notes
        What a reader must know.
    """

    case: DistrictCase
    names: tuple[str, ...]
    today: NDArray[np.int64] | None
    locked: NDArray[np.int64] | None
    named: tuple[str, ...]
    band_words: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Wishes:
    """The rules of the districts asked for; see `design_districts`."""

    num_districts: int
    band: float = 0.05
    max_spread: float | None = None
    locked: Any = None
    max_moved: int | None = None
    today: Any = None
    compactness: float = 1.0
    border_price: float | None = None


def ask(places: Places, wishes: Wishes) -> Question:
    """Make the case of some places and wishes.

    Raises
    ------
    InputError
        Everything that is wrong with the wishes, at once.
    """
    faults = FaultList()
    _check_numbers(places, wishes, faults)
    ids = places.area_ids
    given = None if wishes.today is None else read_districts(wishes.today, ids, "today", faults)
    locks = None if wishes.locked is None else read_districts(wishes.locked, ids, "locked", faults)
    names = natural(_present(given))
    lock_names = natural(_present(locks))
    _check_names(wishes, names, lock_names, faults)
    faults.raise_if_any()
    if given is None:
        names = lock_names
    today, notes = (None, ()) if given is None else _today(places, given, names)
    fits = len(names) <= wishes.num_districts
    named = names if fits else lock_names
    locked = None if locks is None or not lock_names else _positions(locks, named)
    band = wishes.band if wishes.max_spread is None else wishes.max_spread / 2
    mean_h = float(places.workload_h.sum()) / wishes.num_districts
    case = DistrictCase(
        area_ids=ids,
        workload_h=places.workload_h,
        travel_min=places.travel_min,
        border_km=places.border_km,
        num_districts=wishes.num_districts,
        lower_h=mean_h * (1 - band),
        upper_h=mean_h * (1 + band),
        border_price=_price(places, wishes, today, len(names)),
        today=today if fits else None,
        locked=locked,
        max_moved=wishes.max_moved if today is not None else None,
    )
    return Question(
        case,
        names,
        today,
        None if locks is None or not lock_names else _positions(locks, names),
        named,
        _band_words(wishes),
        (*places.notes, *notes, *_spread_note(wishes)),
    )


def natural(names: set[str]) -> tuple[str, ...]:
    """Sort names with the numbers in them as numbers.

    Examples
    --------
    >>> natural({"10", "9", "B2"})
    ('9', '10', 'B2')
    """

    def key(name: str) -> list[tuple[int, int, str]]:
        parts = re.findall(r"\d+|\D+", name)
        return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]

    return tuple(sorted(names, key=lambda name: (key(name), name)))


def _check_numbers(places: Places, wishes: Wishes, faults: FaultList) -> None:
    number = wishes.num_districts
    if not 1 <= number <= places.num_areas:
        faults.add(
            "districts: num_districts", str(number), f"1 to {places.num_areas}, the areas there are"
        )
    for name, value in (("band", wishes.band), ("max_spread", wishes.max_spread)):
        if value is not None and not value >= 0:
            faults.add(f"districts: {name}", f"{value}", "a share >= 0, such as 0.05")
    if not wishes.compactness >= 0:
        faults.add("districts: compactness", f"{wishes.compactness}", "a number >= 0")
    if wishes.max_moved is not None and (wishes.max_moved < 0 or wishes.today is None):
        faults.add(
            "districts: max_moved",
            f"{wishes.max_moved}" + (" without today" if wishes.today is None else ""),
            "a number >= 0 of areas that may leave their district of today",
            "give today" if wishes.today is None else "",
        )


def _check_names(
    wishes: Wishes, names: tuple[str, ...], lock_names: tuple[str, ...], faults: FaultList
) -> None:
    number = wishes.num_districts
    unknown = [name for name in lock_names if names and name not in names]
    for name in unknown:
        faults.add("districts: locked", f"district {name}", listed(names), nearest(name, names))
    if len(lock_names) > number:
        faults.add(
            "districts: locked", f"{len(lock_names)} districts: {listed(lock_names)}",
            f"at most num_districts = {number} of them",
        )  # fmt: skip
    if wishes.max_moved is not None and len(names) > number:
        faults.add(
            "districts: max_moved", f"{len(names)} districts today but num_districts = {number}",
            "as many districts as today, or more",
        )  # fmt: skip


def _present(given: NDArray[np.object_] | None) -> set[str]:
    return set() if given is None else {name for name in given if name is not None}


def _positions(given: NDArray[np.object_], names: tuple[str, ...]) -> NDArray[np.int64]:
    position = {name: at for at, name in enumerate(names)}
    return np.array([position.get(name, -1) for name in given], dtype=np.int64)


def _today(
    places: Places, given: NDArray[np.object_], names: tuple[str, ...]
) -> tuple[NDArray[np.int64] | None, tuple[str, ...]]:
    """Give today's districts with areas without one joined to the nearest, and a note of them."""
    if not names:
        return None, ()
    known = _positions(given, names)
    joined = join_nearest(
        known, places.border_km, places.travel_min, places.times_s / SECONDS_PER_MINUTE, len(names)
    )
    notes = tuple(
        f"area {places.area_ids[i]} has no district today: counted with {names[joined[i]]},"
        " the adjacent one nearest in time"
        for i in np.flatnonzero(known < 0)
    )
    return joined, notes


def _price(
    places: Places, wishes: Wishes, today: NDArray[np.int64] | None, num_today: int
) -> float:
    """Give the call-minutes per km of border; nan where it must wait for first districts."""
    if wishes.border_price is not None:
        return wishes.border_price
    if wishes.compactness == 0:
        return 0.0
    if today is None:
        return float("nan")
    return wishes.compactness * fair_price(places, today, num_today)


def fair_price(places: Places, labels: NDArray[np.int64], num_districts: int) -> float:
    """Give 5 % of the travel of some districts per km of their border; 0 without borders."""
    _, travel = best_centres(places.travel_min, labels, num_districts)
    _, border_km = cut_border(places.border_km, labels)
    total = float(travel.sum())
    return DEFAULT_BORDER_SHARE * total / border_km if border_km > 0 and np.isfinite(total) else 0.0


def _band_words(wishes: Wishes) -> str:
    if wishes.max_spread is None:
        return f"every district's workload within {wishes.band:.3g} of the mean, as a share of it"
    return f"largest less smallest workload at most {wishes.max_spread:.3g} of the mean"


def _spread_note(wishes: Wishes) -> tuple[str, ...]:
    if wishes.max_spread is None:
        return ()
    asked = f"largest less smallest workload <= {wishes.max_spread:.3g} of the mean"
    return (f"{asked} was solved as +-{wishes.max_spread / 2:.3g} around it, which is stricter",)
