"""How far a programme's slots hang on the weights of its need measure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from deploy_opt.plan.programme.allocate import allocate_slots, slots_moved
from deploy_opt.plan.programme.question import need_measure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from deploy_opt.plan.programme.question import NeedColumn, PreventionQuestion
    from deploy_opt.plan.solver import Limits

FACTORS = {"half": 0.5, "double": 2.0, "dropped": 0.0}
"""What each weight is multiplied by, one at a time."""


def weight_sensitivity(
    question: PreventionQuestion, slots: NDArray[np.int64], *, limits: Limits | None = None
) -> pd.DataFrame:
    """Change one weight at a time and give the slots out again.

    Parameters
    ----------
    question
        The question.
    slots
        Its answer, shape (areas,).
    limits
        When each solve stops.

    Returns
    -------
    pandas.DataFrame
        One line per column and change (half, double, dropped), then ``police records`` alone:
        column, change, status (``solved``, or ``refused`` where police records would be left
        alone), rank_correlation of the need by area (Spearman), slots_moved, jaccard of the areas
        that get any, need_lost (share of the need, by the question's own measure, that the other
        slots reach less). Police alone is there to compare and is never a plan.
    """
    base, own = question.need, question.reached(slots)
    lines = []
    for name, change, columns in _measures(question.columns):
        line: dict[str, object] = {"column": name, "change": change}
        used = [column for column in columns if column.weight > 0]
        alone = change != "alone" and all(column.source == "police" for column in used)
        if not used or alone:
            lines.append({**line, "status": "refused"})
            continue
        need = need_measure(columns)
        other = allocate_slots(question, need=need, limits=limits).slots
        either = ((slots > 0) | (other > 0)).sum()
        both = ((slots > 0) & (other > 0)).sum()
        lines.append(
            {
                **line,
                "status": "solved",
                "rank_correlation": _rank_correlation(base, need),
                "slots_moved": slots_moved(slots, other),
                "jaccard": float(both / either) if either else 1.0,
                "need_lost": own - question.reached(other),
            }
        )
    found = pd.DataFrame(lines, columns=["column", "change", "status", *_FIGURES])
    return found.astype(dict.fromkeys(_FIGURES, "float64"))


_FIGURES = ("rank_correlation", "slots_moved", "jaccard", "need_lost")


def _measures(
    columns: tuple[NeedColumn, ...],
) -> Iterator[tuple[str, str, tuple[NeedColumn, ...]]]:
    for column in columns:
        if column.weight > 0:
            for change, factor in FACTORS.items():
                yield (
                    column.name,
                    change,
                    tuple(
                        replace(c, weight=c.weight * (factor if c is column else 1.0))
                        for c in columns
                    ),
                )
    police = tuple(c for c in columns if c.source == "police" and c.weight > 0)
    if police:
        yield "police records", "alone", police


def _rank_correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Spearman's; NaN where all areas are alike."""
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    return float(stats.spearmanr(one, other).statistic)
