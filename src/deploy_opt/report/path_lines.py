"""How plans fare on sample paths that were kept from them, in numbers and in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deploy_opt.plan.paths.robust import PathFigures

LATE, REACHED = "late_calls_on_kept_paths", "reached_on_kept_paths"


@dataclass(frozen=True, slots=True)
class PathMetric:
    """One figure of one plan, as a row of metrics.csv takes it.

    Attributes
    ----------
    metric, arm, statistic, population, unit
        As in metrics.csv.
    value
        The figure.
    calls
        Calls behind it.
    """

    metric: str
    arm: str
    statistic: str
    population: str
    unit: str
    value: float
    calls: float


def path_metrics(figures: PathFigures | None) -> Iterator[PathMetric]:
    """Give late calls and calls reached, over all kept paths and over each plan's worst."""
    if figures is None:
        return
    every = f"{figures.paths} sample paths kept from the plan"
    worst = f"the worst {figures.worst_share:.0%} of {every}"
    for row, arm in enumerate(figures.names):
        for column, population in enumerate((every, worst)):
            calls = float(figures.calls[row, column])
            late, reached = figures.late[row, column], figures.reached[row, column]
            yield PathMetric(LATE, arm, "mean", population, "calls", float(late), calls)
            yield PathMetric(REACHED, arm, "share", population, "share", float(reached), calls)


def path_sentences(figures: PathFigures | None) -> tuple[str, ...]:
    """Say what planning against paths brings where it was not looked at.

    Parameters
    ----------
    figures
        None: no sentence.
    """
    if figures is None:
        return ()
    at = {name: row for row, name in enumerate(figures.names)}
    reached, late = 100.0 * figures.reached, figures.late
    plan, mean, today = at["plan"], at["plan_on_the_mean"], at["baseline"]
    aim = "the average over" if figures.against == "mean" else "the worst of"
    words = (
        f"Planned for {aim} sample paths of the forecast. On the {figures.paths} paths kept from "
        f"it, in the worst {figures.worst_share:.0%} the plan reaches {reached[plan, 1]:.1f} % "
        f"({late[plan, 1]:.1f} late), the plan for the forecast's mean {reached[mean, 1]:.1f} % "
        f"({late[mean, 1]:.1f}), today {reached[today, 1]:.1f} % ({late[today, 1]:.1f}); over "
        f"all {reached[plan, 0]:.1f} %, {reached[mean, 0]:.1f} % and {reached[today, 0]:.1f} %."
    )
    return (words,)
