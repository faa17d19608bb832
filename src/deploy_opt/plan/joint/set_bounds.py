"""What crews of a set of open shifts can be worth, kept for every search over such sets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.errors import InfeasibleError
from deploy_opt.plan.joint.crews import CrewSearch
from deploy_opt.plan.joint.crews_apart import Apart, CrewsApart
from deploy_opt.plan.joint.open_shifts import OpenShifts
from deploy_opt.plan.joint.pooled_bound import PooledBound
from deploy_opt.plan.joint.tables import FEW_HOURS
from deploy_opt.plan.joint.worths import can_part, worths_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from deploy_opt.plan.joint.services import Laid

    Open = Sequence[NDArray[np.bool_]]

_SHARE_OF_A_SET = 0.02
"""Work of a pooled bound, as a share of a relaxation's."""


_FEW_NUMBERS = 400


@dataclass(frozen=True, slots=True, eq=False)
class SetBound:
    """A bound on the crews of a set of open shifts.

    Attributes
    ----------
    bound
        What no such crews can be worth, missing units counted at their price.
    crews
        By type, shape (shifts of the type,): the relaxation's.
    prices
        Worth that a unit of each budget adds, shape (budgets,); None where none was asked for.
    """

    bound: float
    crews: tuple[NDArray[np.float64], ...]
    prices: NDArray[np.float64] | None = None


class SetBounds:
    """Bounds of sets of open shifts; limits on their number do not matter here.

    Where every type answers its own calls alone (`worths.can_part`), crews of alike types are
    pooled for a quick bound (`pooled_bound.PooledBound`), and types that budgets alone tie together
    have integer programs of their own (`crews_apart.CrewsApart`). The relaxation of the crew
    master is for all questions. Tables are to be sharp before.

    Parameters
    ----------
    laid
        The question laid out.
    close
        Relative excess of prices at which a relaxation stops adding points.

    Attributes
    ----------
    search
        Exchanges over all shifts; searches over fewer share its values.
    parts
        Whether every type answers its own calls alone.
    is_small
        Whether the plan is of a day with few units: branch and bound over all crews is quick.
    sets
        Sets that were bounded.
    work
        Work done, in relaxations.
    """

    def __init__(self, laid: Laid, close: float) -> None:
        self._laid, self._close = laid, close
        self.search = CrewSearch(laid.question, laid.tables, laid.floors, laid.price)
        self._master = OpenShifts(laid.question, laid.tables, laid.floors, laid.price)
        self.parts = can_part(laid)
        self.is_small = laid.question.num_hours <= FEW_HOURS and all(
            np.prod(np.asarray(most) + 1) <= _FEW_NUMBERS
            for tables in laid.tables
            for most in tables.most
        )
        self._pooled: PooledBound | None = None
        self._apart: CrewsApart | None = None
        self._quick: dict[bytes, SetBound | None] = {}
        self._full: dict[bytes, tuple[SetBound | None, float]] = {}
        self.sets = 0
        self.work = 0.0

    def quick(self, open_: Open, cutoff: float) -> SetBound | None:
        """Bound a set; None where no crews hold the locked units.

        Parameters
        ----------
        open_
            By type, shape (shifts of the type,); alike for alike types of a role.
        cutoff
            Bound that is low enough.
        """
        if not self.parts:
            return self.relaxed(open_, cutoff)
        key = _key(open_)
        if key not in self._quick:
            pooled, _ = self._programs()
            found = pooled.solve(open_)
            self._quick[key] = (
                None if found is None else SetBound(found.bound, found.crews, found.prices)
            )
            self.sets += 1
            self.work += _SHARE_OF_A_SET
        return self._quick[key]

    def relaxed(self, open_: Open, cutoff: float) -> SetBound | None:
        """Bound a set by the master's relaxation; arguments as `quick`."""
        key = _key(open_)
        if key in self._full:
            found, sought = self._full[key]
            if found is None or found.bound <= cutoff or found.bound > sought:
                return found
        self.sets += not self.parts
        self.work += 1.0
        self._master.shut = ~np.concatenate(open_)
        try:
            relaxed = self._master.below(cutoff, self._close)
        except InfeasibleError:
            self._full[key] = None, cutoff
            return None
        found = SetBound(relaxed.bound, relaxed.crews)
        self._full[key] = found, cutoff
        return found

    def apart(self, open_: Open, cutoff: float, close: float) -> Apart | None:
        """Choose whole crews of a set type by type, for a question that parts.

        Parameters
        ----------
        open_, cutoff
            As `quick`.
        close
            Worth by which the bound may be loose.
        """
        quick = self.quick(open_, cutoff)
        if quick is None or quick.prices is None:
            return None
        self.work += 1.0
        _, apart = self._programs()
        return apart.choose(open_, quick.prices, cutoff=cutoff, close=close)

    def _programs(self) -> tuple[PooledBound, CrewsApart]:
        if self._pooled is None or self._apart is None:
            worths = worths_of(self._laid)
            self._pooled = PooledBound(self._laid.question, worths)
            self._apart = CrewsApart(self._laid.question, worths)
        return self._pooled, self._apart


def _key(open_: Open) -> bytes:
    return b"".join(np.packbits(of).tobytes() for of in open_)
