"""Rules over companies and stations, each as rows with its words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from deploy_opt.plan.engines.model_builder import ModelBuilder
    from deploy_opt.plan.fire_cover.question import FireQuestion


def add_rules(
    builder: ModelBuilder,
    question: FireQuestion,
    columns: NDArray[np.int64],
    stations: list[str],
) -> tuple[dict[str, NDArray[np.int64]], NDArray[np.int64], NDArray[np.int64]]:
    """Add every rule but the least shares.

    Parameters
    ----------
    builder
        Holds the columns already.
    question
        The question.
    columns
        Columns x, shape (kinds, stations).
    stations
        Names of the stations in the model's text.

    Returns
    -------
    tuple
        Rule in words -> its rows, the columns of open stations and those of arrivals; the latter
        two are empty where no rule needs them.
    """
    rules: dict[str, NDArray[np.int64]] = {}

    def add(
        words: str, of: NDArray[np.int64], *, lower: float = -np.inf, upper: float = np.inf
    ) -> None:
        rows = builder.rows([f"rule_{len(rules)}"], lower=lower, upper=upper)
        builder.terms(np.repeat(rows, of.size), of.ravel(), 1.0)
        rules[words] = rows

    for words, of, lower, upper in _kind_rules(question, columns):
        add(words, of, lower=lower, upper=upper)
    limits = question.rules
    if limits.station_room is not None:
        for j, room in enumerate(np.asarray(limits.station_room).tolist()):
            words = f"{question.station_ids[j]}: room for {room} companies of all kinds"
            add(words, columns[:, j], upper=room)
    if limits.most_companies is not None:
        add(f"at most {limits.most_companies} companies", columns, upper=limits.most_companies)
    opened = arrivals = np.zeros(0, dtype=np.int64)
    if limits.most_stations is not None:
        opened = builder.columns([f"open_{name}" for name in stations], upper=1.0, integer=True)
        rooms = np.maximum(question.room, question.locked)
        for k, of in enumerate(columns):
            rows = builder.rows([f"open_{k}_{name}" for name in stations], upper=0.0)
            builder.terms(rows, of, 1.0)
            builder.terms(rows, opened, -rooms[k].astype(np.float64))
        add(f"at most {limits.most_stations} stations in use", opened, upper=limits.most_stations)
    if limits.most_moved is not None:
        names = [f"moved_{k}_{name}" for k in range(len(columns)) for name in stations]
        arrivals = builder.columns(names)
        rows = builder.rows([f"row_{name}" for name in names], upper=question.today.ravel())
        builder.terms(rows, columns.ravel(), 1.0)
        builder.terms(rows, arrivals, -1.0)
        words = f"at most {limits.most_moved} companies where none of theirs stands today"
        add(words, arrivals, upper=limits.most_moved)
    return rules, opened, arrivals


def _kind_rules(
    question: FireQuestion, columns: NDArray[np.int64]
) -> Iterator[tuple[str, NDArray[np.int64], float, float]]:
    """List the rules over one kind each: words, columns, limits of their sum."""
    for kind, of in zip(question.kinds, columns, strict=True):
        locked = np.zeros(of.size) if kind.locked is None else kind.locked
        closed = np.zeros(of.size, bool) if kind.forbidden is None else kind.forbidden
        for j in np.flatnonzero(locked > 0).tolist():
            station, least, room = question.station_ids[j], float(locked[j]), kind.capacity[j]
            yield f"{kind.name}: locked holds {least:.0f} at {station}", of[[j]], least, np.inf
            if closed[j]:
                yield f"{kind.name}: {station} is forbidden", of[[j]], -np.inf, 0.0
            if least > room:
                words = f"{kind.name}: capacity of {room:.0f} at {station}"
                yield words, of[[j]], -np.inf, float(room)
        if kind.most is not None:
            words = f"{kind.name}: at most {kind.most} companies"
            yield words, of, -np.inf, float(kind.most)
