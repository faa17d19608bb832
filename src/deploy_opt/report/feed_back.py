"""What feeding busy fractions back to the model found: rounds, table and words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Round:
    """One plan with what model and simulation say of it.

    Attributes
    ----------
    number
        0 = the plan of the run.
    units
        Units on duty, shape (hours, posts).
    factor
        What the model's offered load was multiplied by in each hour, shape (hours,).
    model, simulated
        Share in time; the latter with its half-width.
    half_width
        Half-width of the simulated share, 95 %.
    busy_apart
        Mean distance of the busy fractions over the unit-hours, with this round's factor.
    gain
        Simulated share less that of the run's plan on the same calls, with lo and hi.
    """

    number: int
    units: NDArray[np.int64]
    factor: NDArray[np.float64]
    model: float
    simulated: float
    half_width: float
    busy_apart: float
    gain: tuple[float, float, float]

    @property
    def apart(self) -> float:
        """Simulation less model, points."""
        return 100 * (self.simulated - self.model)

    @property
    def better(self) -> bool:
        """Whether the interval of the gain lies above 0."""
        return self.gain[1] > 0


@dataclass(frozen=True, slots=True, eq=False)
class FedBack:
    """What feeding back found.

    Attributes
    ----------
    rounds
        The run's plan, and one plan a round.
    tried
        The best of the rounds with its gain on calls that no round has seen; None: no round's
        plan was better in its own simulation.
    """

    rounds: tuple[Round, ...]
    tried: Round | None

    @property
    def kept(self) -> Round:
        """The plan to use."""
        surely = self.tried is not None and self.tried.better
        return self.tried if surely and self.tried is not None else self.rounds[0]


def rounds_table(found: tuple[Round, ...]) -> pd.DataFrame:
    """List the rounds (``loop_back.csv``); shares 0 to 1, disagreement in points."""
    return pd.DataFrame(
        [
            {
                "round": each.number,
                "model_in_time": each.model,
                "simulated_in_time": each.simulated,
                "half_width": each.half_width,
                "disagreement_points": each.apart,
                "busy_apart": each.busy_apart,
                "least_factor": float(each.factor.min()),
                "most_factor": float(each.factor.max()),
                "gain": each.gain[0],
                "gain_lo": each.gain[1],
                "gain_hi": each.gain[2],
            }
            for each in found
        ]
    )


def rounds_lines(fed: FedBack) -> list[str]:
    """Say what each round found and which plan is kept, one fact a line."""
    found = fed.rounds
    lines = [
        f"Round {each.number}: model {each.model:.2%}, simulation {each.simulated:.2%} "
        f"(± {100 * each.half_width:.2f}): {each.apart:+.2f} points apart; busy fractions "
        f"{100 * each.busy_apart:.2f} points apart."
        + (
            f" Against the run's plan: {100 * each.gain[0]:+.2f} points "
            f"({100 * each.gain[1]:+.2f} to {100 * each.gain[2]:+.2f})."
            if each.number
            else ""
        )
        for each in found
    ]
    last, first = found[-1], found[0]
    if len(found) == 1:
        return [
            *lines,
            "Model and simulation agree on how busy the units are; nothing to feed back.",
        ]
    lines.append(
        f"Disagreement before {abs(first.apart):.2f} points, after {abs(last.apart):.2f}; busy "
        f"fractions before {100 * first.busy_apart:.2f}, after {100 * last.busy_apart:.2f}."
    )
    if fed.tried is None:
        lines.append("Kept: the run's plan; no other is surely better in the simulation.")
        return lines
    gain, low, high = (100 * value for value in fed.tried.gain)
    end = "kept" if fed.tried.better else "not sure, so the run's plan is kept"
    lines.append(
        f"Round {fed.tried.number}'s plan on calls that no round has seen: {gain:+.2f} points "
        f"({low:+.2f} to {high:+.2f}): {end}."
    )
    return lines
