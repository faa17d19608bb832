"""What a fire plan is asked: stations, companies by kind, risk classes with their forces, rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.errors import FaultList, nearest
from deploy_opt.standard_profiles import load_profile

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Need:
    """A part of an effective force: so many companies of these kinds in time.

    Attributes
    ----------
    kinds
        Kinds of company that count.
    companies
        How many are needed together, at least 1.
    """

    kinds: tuple[str, ...]
    companies: int


@dataclass(frozen=True, slots=True, eq=False)
class RiskClass:
    """Calls of one risk, with the force that critical tasking asks for.

    Attributes
    ----------
    name
        Such as ``low``, ``moderate``, ``high``.
    calls
        Expected calls at each demand row, shape (rows,).
    force
        Every need must be met: ``(Need(("engine",), 2), Need(("engine", "truck"), 3))`` is three
        companies of which two are engines.
    weight
        Worth of a call of this risk.
    force_limit_s
        Travel limit of the whole force, s; None = the standard's. High-rise calls have their own.
    busy_h
        Hours that a call commits each company sent.
    """

    name: str
    calls: NDArray[np.float64]
    force: tuple[Need, ...]
    weight: float = 1.0
    force_limit_s: float | None = None
    busy_h: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class CompanyKind:
    """Companies of one kind: where they may stand, where they stand today.

    Attributes
    ----------
    name
        Such as ``engine`` or ``truck``.
    capacity
        Most at each station, shape (stations,).
    today
        At each station today, shape (stations,).
    locked
        Fewest at each station, shape (stations,); None = none.
    forbidden
        Stations where none may stand, shape (stations,); None = none.
    most
        Most companies of the kind; None = as many as `FireRules` allows.
    cost
        Cost of a company, for the fewest companies for a share.
    """

    name: str
    capacity: NDArray[np.int64]
    today: NDArray[np.int64]
    locked: NDArray[np.int64] | None = None
    forbidden: NDArray[np.bool_] | None = None
    most: int | None = None
    cost: float = 1.0


@dataclass(frozen=True, slots=True)
class FireStandard:
    """Travel limits of the two layers.

    Attributes
    ----------
    first_limit_s, force_limit_s
        Travel of the first-due company and of the last one of the force, s.
    target_share
        Share of calls that should be within each.
    first_kinds
        Kinds that count as first due.
    title
        Name in reports.
    """

    first_limit_s: float = 240.0
    force_limit_s: float = 480.0
    target_share: float = 0.9
    first_kinds: tuple[str, ...] = ("engine",)
    title: str = "NFPA 1710 style travel limits"


@dataclass(frozen=True, slots=True, eq=False)
class FireRules:
    """Limits over all kinds; None = none.

    Attributes
    ----------
    most_companies
        Companies in all.
    most_stations
        Stations in use.
    most_moved
        Companies that stand where today none of theirs does: arrivals summed over the stations.
    station_room
        Companies of all kinds at each station, shape (stations,).
    least_first_share, least_force_share
        Least share of the weighted calls within each layer.
    """

    most_companies: int | None = None
    most_stations: int | None = None
    most_moved: int | None = None
    station_room: NDArray[np.int64] | None = None
    least_first_share: float | None = None
    least_force_share: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class FireQuestion:
    """A checked question about fire companies.

    Attributes
    ----------
    station_ids
        Stations, in the order of every stations axis.
    times_s
        Travel from each station to each demand row, s, shape (stations, rows); inf or NaN =
        unreachable.
    row_area
        Area of each demand row, shape (rows,).
    kinds, risks
        Companies and risk classes.
    standard, rules
        See there.
    busy_fraction
        Share of the time that a company is busy, independently of the others; 0 = always free.

    Raises
    ------
    InputError
        Everything that is wrong, at once.
    """

    station_ids: tuple[str, ...]
    times_s: NDArray[np.floating]
    row_area: tuple[str, ...]
    kinds: tuple[CompanyKind, ...]
    risks: tuple[RiskClass, ...]
    standard: FireStandard = field(default_factory=FireStandard)
    rules: FireRules = field(default_factory=FireRules)
    busy_fraction: float = 0.0

    def __post_init__(self) -> None:
        faults = FaultList()
        _check_ground(self, faults)
        for kind in self.kinds:
            _check_kind(kind, len(self.station_ids), faults)
        names = [kind.name for kind in self.kinds]
        _check_names("companies", names, faults)
        _check_names("risk class", [risk.name for risk in self.risks], faults)
        for risk in self.risks:
            _check_risk(risk, len(self.row_area), names, faults, busy=self.busy_fraction > 0)
        for name in self.standard.first_kinds:
            if name not in names:
                faults.add("first_kinds", repr(name), "a kind of company", nearest(name, names))
        _check_rules(self, faults)
        faults.raise_if_any()

    @property
    def num_stations(self) -> int:
        """Stations."""
        return len(self.station_ids)

    @property
    def today(self) -> NDArray[np.int64]:
        """Companies at each station today, shape (kinds, stations)."""
        return np.stack([kind.today for kind in self.kinds]).astype(np.int64)

    @property
    def locked(self) -> NDArray[np.int64]:
        """Fewest companies at each station, shape (kinds, stations)."""
        none = np.zeros(self.num_stations, dtype=np.int64)
        return np.stack([none if k.locked is None else k.locked for k in self.kinds])

    @property
    def room(self) -> NDArray[np.int64]:
        """Most companies at each station, forbidden ones without, shape (kinds, stations)."""
        rows = [
            k.capacity if k.forbidden is None else np.where(k.forbidden, 0, k.capacity)
            for k in self.kinds
        ]
        return np.stack(rows).astype(np.int64)

    @property
    def demand(self) -> NDArray[np.float64]:
        """Weighted calls, shape (rows, risks)."""
        return np.stack([risk.weight * risk.calls for risk in self.risks], axis=1)

    def kind_rows(self, names: tuple[str, ...]) -> NDArray[np.int64]:
        """Positions of kinds by name."""
        return np.array([k for k, kind in enumerate(self.kinds) if kind.name in names])

    def limit_s(self, risk: RiskClass) -> float:
        """Travel limit of a risk's force, s."""
        return self.standard.force_limit_s if risk.force_limit_s is None else risk.force_limit_s


def fire_standard(
    profile: str = "nfpa_1710_2020",
    *,
    first_class: str = "first_engine",
    force_class: str = "full_alarm",
    first_kinds: tuple[str, ...] = ("engine",),
) -> FireStandard:
    """Read the two travel limits from a named response standard.

    Parameters
    ----------
    profile
        A shipped standard or a YAML file of one's own.
    first_class, force_class
        Its classes that limit the first company and the whole force.
    first_kinds
        Kinds that count as first due.

    Raises
    ------
    ValueError
        There is no such profile or class.

    Examples
    --------
    >>> found = fire_standard()
    >>> found.first_limit_s, found.force_limit_s, found.target_share
    (240.0, 480.0, 0.9)
    """
    read = load_profile(profile)
    first, force = read.values(first_class), read.values(force_class)
    return FireStandard(
        first_limit_s=float(first["drive_limit_s"]),
        force_limit_s=float(force["drive_limit_s"]),
        target_share=float(force.get("target_share", 0.9)),
        first_kinds=first_kinds,
        title=f"{read.title}, {read.edition}",
    )


def _check_ground(question: FireQuestion, faults: FaultList) -> None:
    shape = (len(question.station_ids), len(question.row_area))
    if question.times_s.shape != shape:
        faults.add("times_s", f"shape {question.times_s.shape}", f"{shape}: stations x rows")
    elif (question.times_s < 0).any():
        station, row = np.argwhere(question.times_s < 0)[0].tolist()
        where = f"times_s: station {question.station_ids[station]}, row {row}"
        faults.add(where, f"{question.times_s[station, row]:g} s", "times >= 0")
    if 0 in shape:
        faults.add("question", f"{shape[0]} stations and {shape[1]} rows", "at least one of each")
    _check_names("station", list(question.station_ids), faults)
    for name, given in (("kinds", question.kinds), ("risks", question.risks)):
        if not given:
            faults.add(name, "none", "at least one")
    if not 0 <= question.busy_fraction < 1:
        faults.add("busy_fraction", f"{question.busy_fraction}", "a share in [0, 1)")
    standard = question.standard
    for name in ("first_limit_s", "force_limit_s"):
        if not getattr(standard, name) > 0:
            faults.add(f"standard.{name}", f"{getattr(standard, name)}", "seconds > 0")
    if not 0 < standard.target_share <= 1:
        faults.add("standard.target_share", f"{standard.target_share}", "a share in (0, 1]")


def _check_names(what: str, names: list[str], faults: FaultList) -> None:
    for name in sorted({n for n in names if names.count(n) > 1}):
        faults.add(f"{what} {name}", "the name twice", "each name once")


def _check_kind(kind: CompanyKind, stations: int, faults: FaultList) -> None:
    given = {"capacity": kind.capacity, "today": kind.today, "locked": kind.locked}
    for name, values in given.items():
        if values is None:
            continue
        where = f"companies {kind.name}: {name}"
        read = np.asarray(values)
        if read.shape != (stations,):
            faults.add(where, f"shape {read.shape}", f"({stations},), one number a station")
        elif not (np.isfinite(read) & (read >= 0) & (read == np.round(read))).all():
            faults.add(where, "a fraction or a number below 0", "whole numbers >= 0")
    if kind.forbidden is not None and np.asarray(kind.forbidden).shape != (stations,):
        found = f"shape {np.asarray(kind.forbidden).shape}"
        faults.add(f"companies {kind.name}: forbidden", found, f"a mask of ({stations},)")
    if kind.most is not None and (kind.most < 0 or kind.most != int(kind.most)):
        faults.add(f"companies {kind.name}: most", f"{kind.most}", "a whole number >= 0")
    if not kind.cost > 0:
        faults.add(f"companies {kind.name}: cost", f"{kind.cost}", "a cost > 0")


def _check_risk(
    risk: RiskClass, rows: int, names: list[str], faults: FaultList, *, busy: bool
) -> None:
    where = f"risk class {risk.name}"
    if risk.calls.shape != (rows,):
        faults.add(where, f"calls of shape {risk.calls.shape}", f"({rows},), one number a row")
    elif not (np.isfinite(risk.calls) & (risk.calls >= 0)).all():
        faults.add(where, "a negative or missing number of calls", "calls >= 0")
    if not risk.force:
        faults.add(where, "no force", "at least one need, such as 2 engines")
    for need in risk.force:
        if need.companies < 1 or need.companies != int(need.companies):
            faults.add(where, f"a force of {need.companies}", "a whole number of at least 1")
        for name in need.kinds or ("",):
            if name not in names:
                faults.add(where, f"a force of {name!r}", "a kind of company", nearest(name, names))
    used = [name for need in risk.force for name in need.kinds]
    twice = sorted({name for name in used if used.count(name) > 1})
    if busy and twice:
        faults.add(
            where, f"{', '.join(twice)} in two needs, with busy companies",
            "each kind in one need",
            "count it in one need, or set busy_fraction to 0",
        )  # fmt: skip
    if risk.weight < 0 or risk.busy_h < 0:
        faults.add(where, "a negative weight or service time", "numbers >= 0")
    if risk.force_limit_s is not None and not risk.force_limit_s > 0:
        faults.add(f"{where}: force_limit_s", f"{risk.force_limit_s}", "seconds > 0")


def _check_rules(question: FireQuestion, faults: FaultList) -> None:
    rules = question.rules
    for name in ("most_companies", "most_stations", "most_moved"):
        value = getattr(rules, name)
        if value is not None and (value < 0 or value != int(value)):
            faults.add(f"rules.{name}", f"{value}", "a whole number >= 0")
    for name in ("least_first_share", "least_force_share"):
        value = getattr(rules, name)
        if value is not None and not 0 <= value <= 1:
            faults.add(f"rules.{name}", f"{value}", "a share in [0, 1]")
    stations = len(question.station_ids)
    if rules.station_room is not None and np.asarray(rules.station_room).shape != (stations,):
        found = f"shape {np.asarray(rules.station_room).shape}"
        faults.add("rules.station_room", found, f"({stations},), one number a station")
