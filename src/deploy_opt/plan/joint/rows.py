"""The demand rows of a pool: calls by class, layer and covering set, for each speed profile."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from deploy_opt.plan.joint.loads import TypeBusy, chain_curve, type_busy
from deploy_opt.plan.joint.pool_hour import NO_PARTNER, Geometry, PoolHour

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.joint.question import Pool, Question, UnitType


@dataclass(frozen=True, slots=True, eq=False)
class PoolModel:
    """The weekly covering problem of a pool.

    Attributes
    ----------
    kinds
        Its unit types, in the pool's order.
    rates
        Per class: expected calls per hour, shape (areas, hours).
    class_weight
        Worth of a call of each class.
    chain_types
        Types of each chain, positions in `kinds`.
    chain_loads
        Offered load of each chain, erlangs, shape (chains, hours).
    geometries, geometry_of_hour
        One for each speed profile in use; which one holds in each hour.
    corrected
        See `question.Question`.
    frozen
        Units on duty of each type at which busy fractions are held, shape (types, hours), as in
        textbook expected covering; None lets them follow the units on duty.
    """

    kinds: tuple[UnitType, ...]
    rates: tuple[NDArray[np.float64], ...]
    class_weight: tuple[float, ...]
    chain_types: tuple[tuple[int, ...], ...]
    chain_loads: NDArray[np.float64]
    geometries: tuple[Geometry, ...]
    geometry_of_hour: NDArray[np.int64]
    corrected: bool
    frozen: NDArray[np.int64] | None = None
    _weights: dict[int, dict[int, NDArray[np.float64]]] = field(
        default_factory=dict, init=False, repr=False
    )

    @property
    def num_hours(self) -> int:
        """Hours of the plan."""
        return len(self.geometry_of_hour)

    def geometry(self, hour: int) -> Geometry:
        """Give the legs that hold at an hour."""
        return self.geometries[int(self.geometry_of_hour[hour])]

    def weights(self, hour: int) -> NDArray[np.float64]:
        """Give the expected worth of the calls of each leg, shape (legs,)."""
        which = int(self.geometry_of_hour[hour])
        if which not in self._weights:  # all its hours at once: one product for each class
            hours = np.flatnonzero(self.geometry_of_hour == which)
            shares = self.geometries[which].area_share
            parts = zip(shares, self.rates, self.class_weight, strict=True)
            found = sum(p.T @ (w * r[:, hours]) for p, r, w in parts)
            self._weights[which] = dict(zip(hours.tolist(), np.transpose(found), strict=True))
        return np.array(self._weights[which][hour], dtype=np.float64)

    def busy(self, hour: int, units: tuple[int, ...]) -> TypeBusy:
        """Compute how busy each type is at its units on duty."""
        loads = self.chain_loads[:, hour].tolist()
        return type_busy(list(zip(self.chain_types, loads, strict=True)), units)

    def curves(self, hour: int, units: tuple[int, ...]) -> NDArray[np.float64]:
        """Give the cover of each chain by its number of covering units.

        Returns
        -------
        numpy.ndarray
            Shape (chains, all units + 1); a chain's own units and more give its last value.
        """
        held = units if self.frozen is None else tuple(self.frozen[:, hour].tolist())
        busy = self.busy(hour, held)
        result = np.empty((len(self.chain_types), sum(units) + 1))
        for row, types in enumerate(self.chain_types):
            curve = chain_curve(types, held, busy, corrected=self.corrected)
            if self.frozen is not None:
                curve = 1.0 - (1.0 - curve[min(1, len(curve) - 1)]) ** np.arange(result.shape[1])
            result[row, : len(curve)] = curve
            result[row, len(curve) :] = curve[-1]
        return result

    def hour(self, hour: int, units: tuple[int, ...]) -> PoolHour:
        """Set up the covering problem of an hour at the units on duty of each type."""
        geometry = self.geometry(hour)
        return PoolHour(
            geometry,
            self.weights(hour),
            self.curves(hour, units),
            tuple(kind.lower[hour] for kind in self.kinds),
            tuple(kind.upper[hour] for kind in self.kinds),
        )

    def value(self, units: tuple[NDArray[np.int64], ...]) -> NDArray[np.float64]:
        """Compute the expected worth of the calls reached, by hour.

        Parameters
        ----------
        units
            For each type its units at each post, shape (hours, posts of the type).

        Returns
        -------
        numpy.ndarray
            Shape (hours,).
        """
        result = np.zeros(self.num_hours)
        for hour in range(self.num_hours):
            here = tuple(of_type[hour] for of_type in units)
            number = tuple(int(row.sum()) for row in here)
            result[hour] = self.hour(hour, number).value(here)
        return result

    def reached(self, units: tuple[NDArray[np.int64], ...]) -> NDArray[np.float64]:
        """Compute the share of each class's calls reached, by area and hour.

        Layers count by their worth; the classes' weights are left out.

        Returns
        -------
        numpy.ndarray
            Shape (classes, areas, hours).
        """
        result = np.zeros((len(self.rates), *self.rates[0].shape))
        for hour in range(self.num_hours):
            here = tuple(of_type[hour] for of_type in units)
            problem = self.hour(hour, tuple(int(row.sum()) for row in here))
            cover = problem.reached(here)
            for row, share in enumerate(self.geometry(hour).area_share):
                result[row, :, hour] = share @ cover
        return result


def pool_model(question: Question, pool: Pool) -> PoolModel:
    """Lay out the demand rows of a pool.

    Parameters
    ----------
    question
        The joint plan's question.
    pool
        One of its pools.

    Returns
    -------
    PoolModel
    """
    kinds = tuple(question.types[index] for index in pool.types)
    classes = tuple(question.classes[index] for index in pool.classes)
    names = [kind.name for kind in kinds]
    chains: dict[tuple[int, ...], NDArray[np.float64]] = {}

    def chain_of(answered_by: tuple[str, ...]) -> int:
        types = tuple(sorted(names.index(name) for name in answered_by))
        chains.setdefault(types, np.zeros(question.num_hours))
        return list(chains).index(types)

    legs: list[_Legs] = []
    for index, call_class in enumerate(classes):
        first = chain_of(call_class.answered_by)
        _add_load(chains, first, call_class.loads)
        second = None
        if call_class.partner is not None:
            second = chain_of(call_class.partner.answered_by)
            busy = call_class.calls * call_class.partner.busy_h
            _add_load(chains, second, busy)
        for layer in call_class.layers:
            legs.append(_Legs(index, first, layer.drive_limit_s, layer.worth, second))
            if call_class.partner is not None:
                legs[-1] = replace(legs[-1], partner_limit_s=call_class.partner.drive_limit_s)
    types = tuple(chains)
    used, geometry_of_hour = np.unique(question.profile_of_hour, return_inverse=True)
    return PoolModel(
        kinds,
        tuple(np.asarray(c.rates, dtype=np.float64) for c in classes),
        tuple(c.weight for c in classes),
        types,
        np.stack(list(chains.values())) if chains else np.zeros((0, question.num_hours)),
        tuple(_geometry(question, kinds, legs, types, int(p)) for p in used),
        np.asarray(geometry_of_hour, dtype=np.int64).ravel(),
        question.corrected,
    )


def _add_load(
    chains: dict[tuple[int, ...], NDArray[np.float64]], index: int, load: NDArray[np.float64]
) -> None:
    key = list(chains)[index]
    chains[key] = chains[key] + load


@dataclass(frozen=True, slots=True)
class _Legs:
    """One class and layer: its calls at every demand point.

    Attributes
    ----------
    call_class
        Position of the class.
    chain
        Chain of the first unit.
    limit_s, worth
        Limit on its drive and what keeping it is worth.
    partner
        Chain of the second unit; None = none.
    partner_limit_s
        Limit on its drive.
    """

    call_class: int
    chain: int
    limit_s: float
    worth: float
    partner: int | None = None
    partner_limit_s: float = 0.0


def _geometry(
    question: Question,
    kinds: tuple[UnitType, ...],
    legs: list[_Legs],
    chains: tuple[tuple[int, ...], ...],
    profile: int,
) -> Geometry:
    """Merge the demand points of each class and layer that the same posts reach."""
    ends = np.cumsum([kind.by_profile.shape[1] for kind in kinds])
    begins = np.concatenate([[0], ends[:-1]])
    num_areas, share, area = len(question.area_ids), question.point_share, question.point_area

    def reach(chain: int, limit_s: float) -> NDArray[np.bool_]:
        rows = np.zeros((int(ends[-1]), len(share)), dtype=bool)
        for kind in chains[chain]:
            times = kinds[kind].by_profile[profile]
            rows[begins[kind] : ends[kind]] = times <= limit_s
        return rows

    covers: list[NDArray[np.bool_]] = []
    chain: list[int] = []
    partner: list[int] = []
    parts: list[tuple[int, NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]] = []
    merged: dict[tuple[int, int, bytes], int] = {}
    for leg in legs:
        first = reach(leg.chain, leg.limit_s)
        both = first
        if leg.partner is not None:
            second = reach(leg.partner, leg.partner_limit_s)
            both = np.vstack([first, second])
        live = first.any(axis=0) & (share > 0)
        if leg.partner is not None:
            live &= second.any(axis=0)
        at = np.flatnonzero(live)
        packed = np.packbits(both[:, at], axis=0)
        _, where, group = np.unique(packed, axis=1, return_index=True, return_inverse=True)
        # sets of another layer that the same posts reach are the same rows
        rows = np.empty(len(where), dtype=np.int64)
        for rank, point in enumerate(at[where].tolist()):
            key = (leg.call_class, leg.chain, packed[:, where[rank]].tobytes())
            if key not in merged:
                merged[key] = len(chain)
                covers.append(first[:, point])
                chain.append(leg.chain)
                partner.append(NO_PARTNER)
                if leg.partner is not None:
                    partner[-1] = len(chain)
                    covers.append(second[:, point])
                    chain.append(leg.partner)
                    partner.append(len(chain) - 2)
            rows[rank] = merged[key]
        parts.append((leg.call_class, area[at], rows[group.ravel()], share[at] * leg.worth))
    size = len(chain)
    whole = np.stack(covers, axis=1) if covers else np.zeros((int(ends[-1]), 0), dtype=bool)
    share_of = [sparse.csr_array((num_areas, size))] * (1 + max((p[0] for p in parts), default=-1))
    for index, at_area, at_leg, value in parts:
        found = sparse.coo_array((value, (at_area, at_leg)), shape=(num_areas, size)).tocsr()
        share_of[index] = share_of[index] + found
    of_type = [whole[a:b] for a, b in zip(begins, ends, strict=True)]
    seen = tuple(np.flatnonzero(rows.any(axis=0)) for rows in of_type)
    return Geometry(
        seen,
        tuple(
            np.ascontiguousarray(rows[:, at], dtype=np.float64)
            for rows, at in zip(of_type, seen, strict=True)
        ),
        np.asarray(chain, dtype=np.int64),
        np.asarray(partner, dtype=np.int64),
        tuple(share_of),
    )
