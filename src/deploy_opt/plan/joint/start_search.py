"""Crews with few start times and few patterns for each role: which ones, and a bound.

A choice of start times is a set of allowed shifts. More allowed shifts are never worth less, so
a bound over the shifts that a part of the search still allows bounds every choice in it: branch
and bound over the choices (`set_bounds.SetBounds` bounds a set). The crews of a choice come from
integer programs of each type where budgets alone tie the types together, from the master's
relaxation, rounded and exchanged, where types share calls, and for a short plan of few units as
without the rule.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.errors import InfeasibleError
from deploy_opt.plan.joint.crews import CrewSearch
from deploy_opt.plan.joint.floors import lock_words
from deploy_opt.plan.joint.master import CLOSE
from deploy_opt.plan.joint.set_bounds import SetBound, SetBounds
from deploy_opt.units import HOURS_PER_DAY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from deploy_opt.plan.engines.outcomes import Limits
    from deploy_opt.plan.joint.question import Question, UnitType
    from deploy_opt.plan.joint.services import Chosen, Laid
    from deploy_opt.plan.shifts import ShiftColumns

    Crews = Sequence[NDArray[np.int64]]
    Sets = tuple[NDArray[np.bool_], ...]

_ROUNDED = 1e9
"""A gap that no crews miss: they are rounded and exchanged, not polished."""
_CLOSE_SHARE = 0.1
"""Share of the asked gap at which a relaxation of the search stops adding points."""


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """The unit types of a role may use few of the options that their shifts fall into.

    Attributes
    ----------
    kinds
        Positions in `Question.types`.
    option
        By type: option of each shift, shape (shifts of the type,).
    num_options
        Options that there are.
    at_most
        Options that may be used.
    words
        The rule, in words.
    """

    kinds: tuple[int, ...]
    option: tuple[NDArray[np.int64], ...]
    num_options: int
    at_most: int
    words: str

    def used(self, crews: Sequence[NDArray[np.number]]) -> NDArray[np.float64]:
        """Sum the crews of each option over the role; `crews` by type of the whole question."""
        summed = np.zeros(self.num_options)
        for kind, option in zip(self.kinds, self.option, strict=True):
            summed += np.bincount(option, weights=crews[kind], minlength=self.num_options)
        return summed


def start_of(columns: ShiftColumns) -> NDArray[np.int64]:
    """Give the hour of the day at which each shift starts, shape (shifts,)."""
    return np.asarray(columns.start_hour % HOURS_PER_DAY, dtype=np.int64)


def pattern_of(columns: ShiftColumns) -> NDArray[np.int64]:
    """Give days in a row and hours a day of each shift, shape (shifts, 2)."""
    days = np.ones_like(columns.length_h) if columns.days is None else columns.days
    return np.column_stack([days, columns.length_h]).astype(np.int64)


def rules_of(question: Question) -> tuple[Rule, ...]:
    """List the limits on start times and patterns that leave a choice, role by role."""
    roles: dict[str, list[int]] = {}
    for rank, kind in enumerate(question.types):
        roles.setdefault(kind.of_role, []).append(rank)
    found = []
    for role, members in roles.items():
        kinds = [question.types[rank] for rank in members]
        ends = np.cumsum([len(kind.columns.length_h) for kind in kinds])[:-1]
        for at_most, options, what in (
            (kinds[0].max_starts, [start_of(k.columns) for k in kinds], "start times"),
            (kinds[0].max_patterns, [pattern_of(k.columns) for k in kinds], "patterns"),
        ):
            every = np.concatenate(options)
            distinct, option = np.unique(every, axis=0, return_inverse=True)
            if at_most is not None and len(distinct) > at_most:
                words = f"at most {at_most} of {len(distinct)} {what} of {role}"
                of_type = tuple(np.split(option.reshape(-1), ends))
                found.append(Rule(tuple(members), of_type, len(distinct), at_most, words))
    return tuple(found)


def within(rules: Sequence[Rule], crews: Crews) -> bool:
    """Say whether crews keep the rules."""
    return all((r.used(crews) > 0).sum() <= r.at_most for r in rules)


@dataclass(frozen=True, slots=True, eq=False)
class _Node:
    """A part of the search: options still allowed and options that are kept, by rule."""

    allowed: Sets
    kept: Sets
    relaxed: SetBound


class StartSearch:
    """Branch and bound over the start times and patterns of a joint plan.

    Parameters
    ----------
    laid
        The question laid out, with limits on start times or patterns.
    limits
        Gap at which to stop, and most relaxations (`Limits.node_limit`).
    choose
        Gives crews without such limits: question laid out, limits, crews to improve.
    write
        Writes down crews: question, exchanges over its shifts, crews, score with bound, work.
    bounds
        Bounds that a search with other limits over the same shifts found.
    """

    def __init__(
        self,
        laid: Laid,
        limits: Limits,
        choose: Callable[[Laid, Limits, Sequence[Crews]], Chosen],
        write: Callable[..., Chosen],
        *,
        bounds: SetBounds | None = None,
    ) -> None:
        self.laid, self.limits, self._choose, self._write = laid, limits, choose, write
        self.rules = rules_of(laid.question)
        self._bounds = bounds or set_bounds(laid, limits)
        self._crews = self._bounds.search
        by_day = all(
            k.columns.days is None for k in laid.question.types
        )  # weekly programs are hard
        self._is_apart = self._bounds.parts and by_day and not self._bounds.is_small
        self._best: tuple[float, Chosen] | None = None
        self._tried: dict[bytes, float] = {}
        self._sets, self._work = self._bounds.sets, self._bounds.work

    def run(self, starts: Sequence[Crews]) -> Chosen:
        """Choose crews; of `starts`, those that keep the rules are never better.

        Raises
        ------
        InfeasibleError
            No choice puts the locked units on duty.
        """
        tried, ceiling = list(starts), np.inf
        if not all(of_pool.is_sharp for of_pool in self.laid.tables):  # values change but once
            rounded = replace(self.limits, gap=_ROUNDED)
            free = self._choose(_without_rules(self.laid), rounded, starts)
            tried.append(free.crews)
            ceiling = free.bound - self._lost(free)
        kept = [crews for crews in tried if within(self.rules, crews)]
        every = tuple(np.ones(rule.num_options, dtype=bool) for rule in self.rules)
        root = self._relax(every)
        if root is not None:
            for crews in kept:
                used = [rule.used(crews) for rule in self.rules]
                self._try(self._fullest(every, used, root), (crews,))
            self._dive(every, root)
            ceiling = min(ceiling, self._branch(every, root))
        if self._best is None:
            raise InfeasibleError([*lock_words(self.laid.question), *(r.words for r in self.rules)])
        score, chosen = self._best
        lost = self._lost(chosen)
        return replace(
            chosen,
            bound=max(ceiling, score) + lost,
            work={**chosen.work, "start_sets": self._bounds.sets - self._sets},
        )

    def _branch(self, every: Sets, root: SetBound) -> float:
        """Search the choices, the most promising first, and bound them all."""
        none = tuple(np.zeros_like(allowed) for allowed in every)
        heap: list[tuple[float, int, _Node]] = [(-root.bound, 0, _Node(every, none, root))]
        ended, made = -np.inf, 0
        while heap and not self._full():
            if -heap[0][0] <= self._cutoff():
                break
            node = heapq.heappop(heap)[2]
            rank = self._rule_to_split(node)
            if rank is None:
                ended = max(ended, min(node.relaxed.bound, self._try(node.allowed, (), full=True)))
                continue
            self._try(self._fullest(node.kept, self._use(node.relaxed), node.relaxed, node), ())
            for child in self._children(node, rank):
                made += 1
                heapq.heappush(heap, (-child.relaxed.bound, made, child))
        return max(ended, max((-item[0] for item in heap), default=-np.inf))

    def _children(self, node: _Node, rank: int) -> list[_Node]:
        """Keep the most used option that is not kept yet, or rule it out."""
        use = self._use(node.relaxed)[rank]
        here = int(np.argmax(np.where(node.allowed[rank] & ~node.kept[rank], use, -1.0)))
        kept = _changed(node.kept, rank, here, value=True)
        children = []
        if kept[rank].sum() < self.rules[rank].at_most:
            children.append(replace(node, kept=kept))
        else:
            only = tuple(kept[k] if k == rank else a for k, a in enumerate(node.allowed))
            children += self._node(only, kept, node.relaxed.bound)
        left = _changed(node.allowed, rank, here, value=False)
        return children + self._node(left, node.kept, node.relaxed.bound)

    def _node(self, allowed: Sets, kept: Sets, above: float) -> list[_Node]:
        relaxed = self._relax(allowed)
        if relaxed is None:
            return []
        return [_Node(allowed, kept, replace(relaxed, bound=min(relaxed.bound, above)))]

    def _rule_to_split(self, node: _Node) -> int | None:
        excess = [
            int(allowed.sum()) - rule.at_most
            for rule, allowed in zip(self.rules, node.allowed, strict=True)
        ]
        rank = int(np.argmax(excess))
        return rank if excess[rank] > 0 else None

    def _dive(self, every: Sets, root: SetBound) -> None:
        """Drop the least used option and solve again until the rules are kept."""
        node = _Node(every, tuple(np.zeros_like(a) for a in every), root)
        while (rank := self._rule_to_split(node)) is not None:
            use = self._use(node.relaxed)[rank]
            least = int(np.argmin(np.where(node.allowed[rank], use, np.inf)))
            left = _changed(node.allowed, rank, least, value=False)
            found = self._node(left, node.kept, node.relaxed.bound)
            if not found:
                return
            node = found[0]
        self._try(node.allowed, ())

    def _fullest(
        self,
        kept: Sets,
        use: Sequence[NDArray[np.float64]],
        relaxed: SetBound,
        node: _Node | None = None,
    ) -> Sets:
        """Keep as many options as the rules allow: kept ones, then used, then used relaxed."""
        result = []
        for rank, rule in enumerate(self.rules):
            first = kept[rank] if node is not None else use[rank] > 0
            open_ = node.allowed[rank] if node is not None else np.ones_like(first)
            by_use = self._use(relaxed)[rank]
            order = np.lexsort((np.arange(rule.num_options), -by_use, ~first, ~open_))
            chosen = np.zeros(rule.num_options, dtype=bool)
            chosen[order[: rule.at_most]] = True
            result.append(chosen & open_)
        return tuple(result)

    def _try(self, sets: Sets, starts: Sequence[Crews], *, full: bool = False) -> float:
        """Find the crews of a choice, if it can be better than the best: its bound.

        With `full` the bound is that of whole crews even where rounded ones come nowhere near.
        """
        key = b"".join(chosen.tobytes() for chosen in sets)
        known = self._tried.get(key)
        if known is not None and not starts and not (full and known > self._cutoff()):
            return known
        relaxed = self._relax(sets)
        if relaxed is None:
            return -np.inf
        bound = relaxed.bound
        if bound > self._cutoff() or starts:
            bound = min(bound, self._evaluate(sets, starts, full=full))
        self._tried[key] = bound
        return bound

    def _evaluate(self, sets: Sets, starts: Sequence[Crews], *, full: bool) -> float:
        """Choose the crews of a set: a bound on them."""
        open_ = self._open(sets)
        laid = _with_shifts(_without_rules(self.laid), open_)
        search = CrewSearch(laid.question, laid.tables, laid.floors, laid.price, alike=self._crews)
        given = [[c[of] for c, of in zip(crews, open_, strict=True)] for crews in starts]
        if self._is_apart:
            return self._evaluate_apart(laid, search, open_, given)
        relaxed = self._bounds.relaxed(open_, self._cutoff())
        if relaxed is None:
            return -np.inf
        if relaxed.bound <= self._cutoff() and not given:
            return relaxed.bound
        inner = [of_type[of] for of_type, of in zip(relaxed.crews, open_, strict=True)]
        tried = [search.exchange(crews) for crews in (search.round(inner), *given)]
        crews, score, _ = max(tried, key=lambda found: found[1])
        if score < self._near() and not full:
            return relaxed.bound
        if not (self._bounds.is_small or self._bounds.parts):
            self._keep(self._write(laid.question, search, crews, (score, relaxed.bound), {}), open_)
            return relaxed.bound
        try:
            found = self._choose(laid, replace(self.limits, gap=_ROUNDED), (crews, *given))
            self._keep(found, open_)
            if found.bound - self._lost(found) > self._cutoff():
                found = self._choose(laid, self.limits, (found.crews,))
                self._keep(found, open_)
        except InfeasibleError:
            return -np.inf
        return found.bound - self._lost(found)

    def _evaluate_apart(
        self,
        laid: Laid,
        search: CrewSearch,
        open_: Sequence[NDArray[np.bool_]],
        given: Sequence[Crews],
    ) -> float:
        """Choose the crews of a set type by type, then exchange."""
        close = _CLOSE_SHARE * self._slack()
        found = self._bounds.apart(open_, self._cutoff(), close)
        if found is None:
            return -np.inf
        ways = list(given)
        if found.crews is not None:
            ways.append([c[of] for c, of in zip(found.crews, open_, strict=True)])
        for way in ways:
            crews, score, _ = search.exchange(way)
            self._keep(self._write(laid.question, search, crews, (score, found.bound), {}), open_)
        return found.bound

    def _keep(self, found: Chosen, open_: Sequence[NDArray[np.bool_]]) -> None:
        score = found.value - self._lost(found)
        if self._best is None or score > self._best[0]:
            crews = []
            for of_type, of in zip(found.crews, open_, strict=True):
                every = np.zeros(len(of), dtype=np.int64)
                every[of] = of_type
                crews.append(every)
            self._best = (score, replace(found, crews=tuple(crews)))

    def _relax(self, sets: Sets) -> SetBound | None:
        return self._bounds.quick(self._open(sets), self._cutoff())

    def _open(self, sets: Sets) -> list[NDArray[np.bool_]]:
        found = [np.ones(len(k.columns.length_h), dtype=bool) for k in self.laid.question.types]
        for rule, chosen in zip(self.rules, sets, strict=True):
            for kind, option in zip(rule.kinds, rule.option, strict=True):
                found[kind] &= chosen[option]
        return found

    def _use(self, relaxed: SetBound) -> list[NDArray[np.float64]]:
        return [rule.used(relaxed.crews) for rule in self.rules]

    def _lost(self, chosen: Chosen) -> float:
        return self._crews.lost(chosen.staffing)

    def _cutoff(self) -> float:
        if self._best is None:
            return -np.inf
        return self._best[0] + self._slack() + 1e-9

    def _near(self) -> float:
        """Give the score from which rounded crews are worth a choice in full."""
        return -np.inf if self._best is None else self._best[0] - self._slack()

    def _slack(self) -> float:
        """Give what the asked gap leaves, by the worth reached: missing units are priced above."""
        return 0.0 if self._best is None else self.limits.gap * abs(self._best[1].value)

    def _full(self) -> bool:
        most = self.limits.node_limit
        return most is not None and self._bounds.work - self._work >= most


def set_bounds(laid: Laid, limits: Limits) -> SetBounds:
    """Keep bounds for searches that differ in their limits on start times and patterns."""
    return SetBounds(_without_rules(laid), max(CLOSE, _CLOSE_SHARE * limits.gap))


def only_shifts(columns: ShiftColumns, kept: NDArray[np.bool_]) -> ShiftColumns:
    """Keep some of the shifts; `kept` of shape (shifts,)."""
    return replace(
        columns,
        start_hour=columns.start_hour[kept],
        length_h=columns.length_h[kept],
        on_duty=columns.on_duty[kept],
        days=None if columns.days is None else columns.days[kept],
    )


def _changed(sets: Sets, rank: int, option: int, *, value: bool) -> Sets:
    changed = sets[rank].copy()
    changed[option] = value
    return tuple(changed if k == rank else of for k, of in enumerate(sets))


def _with_types(laid: Laid, types: Sequence[UnitType]) -> Laid:
    return replace(laid, question=replace(laid.question, types=tuple(types)))


def _without_rules(laid: Laid) -> Laid:
    types = [replace(k, max_starts=None, max_patterns=None) for k in laid.question.types]
    return _with_types(laid, types)


def _with_shifts(laid: Laid, open_: Sequence[NDArray[np.bool_]]) -> Laid:
    types = [
        replace(kind, columns=only_shifts(kind.columns, of))
        for kind, of in zip(laid.question.types, open_, strict=True)
    ]
    return _with_types(laid, types)
