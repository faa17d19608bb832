"""How far a plan can be from the best, by its bounds."""

from __future__ import annotations


class Gaps:
    """Gaps of a plan that carries its values and bounds.

    Attributes
    ----------
    value
        Of the plan.
    free_value
        Without limits on posts, moves and areas, at the plan's units on duty.
    hull_bound
        What no crews can be worth by the concave hulls of the hours' values.
    location_bound
        What no positions can be worth at the plan's units on duty.
    """

    __slots__ = ()
    value: float
    free_value: float
    hull_bound: float
    location_bound: float

    @property
    def mix_gap(self) -> float:
        """How far other crews could be above the tables' value at the plan's units on duty."""
        return max(self.hull_bound / max(self.free_value, 1e-12) - 1.0, 0.0)

    @property
    def location_gap(self) -> float:
        """How far other positions could be above those found, at the plan's units on duty."""
        return max(self.location_bound / max(self.free_value, 1e-12) - 1.0, 0.0)

    @property
    def link_loss(self) -> float:
        """Share of the free value that limits on posts, moves and areas cost."""
        return max(1.0 - self.value / max(self.free_value, 1e-12), 0.0)
