"""What a solve gives back: its outcome is a value, with bound and gap."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Status = Literal["optimal", "limit", "infeasible"]


@dataclass(frozen=True, slots=True)
class SolveReport:
    """How a solve ended.

    Attributes
    ----------
    status
        ``optimal``: the asked gap was reached or everything was searched; ``limit``: a limit
        stopped it first, the best found is given; ``infeasible``: nothing satisfies the rules.
    objective
        Value of the answer, in the units of the model; NaN when infeasible.
    bound
        What no answer can be better than.
    gap
        abs(bound - objective) / max(abs(objective), 1e-12); inf when infeasible.
    asked_gap
        Gap that was asked for.
    solver, version
        What solved it.
    nodes, iterations
        Work done: branch-and-bound nodes, LP iterations or search moves.
    parts
        Further figures by name, such as ``hull_bound``, ``location_bound``, ``link_loss``.
    notes
        What a reader must know, in words: floors not reached, the tabulated range.
    """

    status: Status
    objective: float
    bound: float
    gap: float
    asked_gap: float
    solver: str
    version: str
    nodes: int = 0
    iterations: int = 0
    parts: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
