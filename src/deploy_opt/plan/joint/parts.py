"""Parts of a joint question that no budget and no limit ties together, each chosen by itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from deploy_opt.plan.joint.question import Question, needs

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from deploy_opt.plan.joint.services import Laid


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Unit types that share calls, a budget or a limit on start times, and nothing with others.

    Attributes
    ----------
    types
        Positions in the whole `Question.types`, rising.
    laid
        Their question, laid out on the tables of the whole.
    """

    types: tuple[int, ...]
    laid: Laid

    def crews_of(self, crews: Sequence[NDArray[np.int64]]) -> tuple[NDArray[np.int64], ...]:
        """Take the part's crews out of those of all types."""
        return tuple(crews[kind] for kind in self.types)


def parts_of(laid: Laid) -> tuple[Part, ...]:
    """Split a question into parts whose best crews do not depend on one another.

    Types are tied by a pool (calls that overflow), by a budget and by a limit on start times or
    patterns of a role. The worth of all crews is the sum over the parts, and so is any bound.

    Parameters
    ----------
    laid
        The question laid out.

    Returns
    -------
    tuple of Part
        By their first unit type; one part where everything is tied.
    """
    groups = _groups(laid.question)
    if len(groups) == 1:
        return (Part(groups[0], laid),)
    return tuple(Part(types, _only(laid, types)) for types in groups)


def _groups(question: Question) -> list[tuple[int, ...]]:
    names = [kind.name for kind in question.types]
    ties = [set(pool.types) for pool in question.pools]
    ties += [{names.index(name) for name in budget.types} for budget in question.budgets]
    roles: dict[str, set[int]] = {}
    for rank, kind in enumerate(question.types):
        if kind.max_starts is not None or kind.max_patterns is not None:
            roles.setdefault(kind.of_role, set()).add(rank)
    group = {rank: {rank} for rank in range(len(names))}
    for tie in [*ties, *roles.values()]:
        joined = set().union(*(group[rank] for rank in tie))
        for rank in joined:
            group[rank] = joined
    return sorted({tuple(sorted(members)) for members in group.values()})


def _only(laid: Laid, types: tuple[int, ...]) -> Laid:
    """Keep some unit types with their calls, budgets, tables and floors."""
    whole = laid.question
    kept = {whole.types[rank].name for rank in types}
    question = replace(
        whole,
        types=tuple(whole.types[rank] for rank in types),
        classes=tuple(c for c in whole.classes if set(needs(c)) <= kept),
        budgets=tuple(b for b in whole.budgets if set(b.types) & kept),
    )
    pools = [rank for rank, pool in enumerate(whole.pools) if set(pool.types) <= set(types)]
    return replace(
        laid,
        question=question,
        models=tuple(laid.models[rank] for rank in pools),
        tables=tuple(laid.tables[rank] for rank in pools),
        floors=tuple(
            replace(floor, types=tuple(types.index(kind) for kind in floor.types))
            for floor in laid.floors
            if set(floor.types) <= set(types)
        ),
    )
