"""Put the questions of several services side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.errors import FaultList
from deploy_opt.plan.joint.question import Question

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deploy_opt.plan.joint.question import Budget


def combined(questions: Sequence[Question], budgets: tuple[Budget, ...]) -> Question:
    """Ask several questions at once, over the same areas, points and hours.

    Parameters
    ----------
    questions
        Questions whose unit types have different names; their own budgets are left out.
    budgets
        The budgets of all their types.

    Raises
    ------
    InputError
        Where areas, demand points or hours differ.
    """
    first = questions[0]
    faults = FaultList()
    for rank, other in enumerate(questions[1:], start=2):
        where = f"question {rank}"
        same = {
            "areas": first.area_ids == other.area_ids,
            "demand points": np.array_equal(first.point_area, other.point_area)
            and np.array_equal(first.point_share, other.point_share),
            "hours": np.array_equal(first.profile_of_hour, other.profile_of_hour)
            and first.cyclic == other.cyclic,
        }
        for name, agrees in same.items():
            if not agrees:
                faults.add(where, f"other {name} than the first question", f"the same {name}")
    faults.raise_if_any()
    return Question(
        first.area_ids,
        first.point_area,
        first.point_share,
        first.profile_of_hour,
        tuple(kind for question in questions for kind in question.types),
        tuple(each for question in questions for each in question.classes),
        budgets,
        cyclic=first.cyclic,
        corrected=all(question.corrected for question in questions),
    )
