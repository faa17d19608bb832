"""Which posts are worth their opening when every post in use has a price."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.posts.hour_posts import room_at
from deploy_opt.plan.search import fit, improve, swap_changes
from deploy_opt.plan.week import Week, settle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from deploy_opt.plan.rules import Rules

_TIE = 1e-9
_MOST_TRIALS = 120
_EXCHANGES = 8
_ADDITIONS = 3
_RELINKED = 3


def open_worthwhile(
    week: Week,
    units: NDArray[np.int64],
    prices: NDArray[np.float64],
    max_open: int | None = None,
) -> tuple[Week, NDArray[np.int64]]:
    """Keep the posts that are worth their price of opening and search every hour on them.

    The aim is the week's value less the prices of the posts in use: uncapacitated location with
    fixed costs, over all hours at once. From the posts in use, the one is closed whose units, put
    where they add most, lose least beyond its price, as long as that raises the aim (the drop
    heuristic of Feldman, Lehrer and Ray 1966, *Management Science* 12). Losses only grow as posts
    close, so old ones tell which to look at again. Then exchanges of two posts and openings of one
    more are tried, the most promising first by one matrix product for each hour, while one of them
    raises the aim. Posts with locked units stay open.

    Parameters
    ----------
    week
        The hours, with all posts that may be used.
    units
        Positions to start from, shape (hours, posts), at no more than `max_open` posts.
    prices
        Price of each post's use over all hours, in the units of the week's value, shape (posts,).
    max_open
        Most posts in use; None = no limit.

    Returns
    -------
    tuple
        The week on the posts in use and its positions; the aim is no lower than that of `units`.
    """
    state = _Opening(week, units, prices)
    left = _MOST_TRIALS
    while True:
        state.close_unworthy()
        for trial in state.trials(max_open):
            left -= 1
            if state.take(trial):
                break
            if left <= 0:
                return state.result()
        else:
            return state.result()
        if left <= 0:
            return state.result()


def close_linked(
    week: Week,
    units: NDArray[np.int64],
    prices: NDArray[np.float64],
    link: Callable[[Week, NDArray[np.int64]], NDArray[np.int64]],
) -> NDArray[np.int64]:
    """Close more posts where a limit on moves has taken from what they are worth.

    Parameters
    ----------
    week
        The hours.
    units
        Positions that keep the limit, shape (hours, posts).
    prices
        Price of each post's use, shape (posts,).
    link
        Gives positions that keep the limit, on the posts of a week.

    Returns
    -------
    numpy.ndarray
        Positions, shape (hours, posts), whose value less prices is no lower.
    """
    state = _Opening(week, units, prices)
    while True:
        nets = {post: state.loss(post) - prices[post] for post in state.closable()}
        for post in sorted(nets, key=lambda post: (nets[post], post))[:_RELINKED]:
            used = state.open.copy()
            used[post] = False
            closed = week.on_posts(used)
            trial = _Opening(week, link(closed, settle(closed, state.rows)), prices)
            if trial.aim > state.aim + state.least:
                state = trial
                break
        else:
            return state.rows


def opening_words(rules: Rules, units: NDArray[np.int64]) -> tuple[dict[str, float], list[str]]:
    """Report what a plan pays for its posts: figures by name, and notes.

    Parameters
    ----------
    rules
        Rules of the plan.
    units
        Its positions, shape (hours, posts).
    """
    if not rules.opening_calls.any():
        return {}, []
    paid, count = rules.opening_paid(units), int(units.any(axis=0).sum())
    note = (
        f"posts.calls_to_open: the plan pays {paid:,.1f} calls for the {count} posts that it "
        "uses, and is chosen by the calls it reaches less these; the bound is on calls reached, "
        "prices left aside, so the gap holds what closed posts would have reached too"
    )
    return {"opening_paid": paid}, [note]


class _Opening:
    """Posts in use, positions on them, and what they are worth less the posts' prices."""

    def __init__(self, week: Week, units: NDArray[np.int64], prices: NDArray[np.float64]) -> None:
        self.week, self.prices, self.rows = week, prices, units.copy()
        self.lower = np.stack([hour.lower for hour in week.hours])
        self.held = np.asarray((self.lower > 0).any(axis=0), dtype=np.bool_)
        self.most_at_once = week.hours[0].max_open
        self.upper = np.stack([hour.upper for hour in week.hours])
        self.usable = np.asarray(self.upper.any(axis=0), dtype=np.bool_)
        self.open = np.asarray(units.any(axis=0), dtype=np.bool_) | self.held
        self.values = np.array(
            [hour.value(row) for hour, row in zip(week.hours, units, strict=True)]
        )
        total = float(sum(hour.weights.sum() for hour in week.hours))
        self.least = _TIE * max(total, 1e-300)

    @property
    def aim(self) -> float:
        """Value less the prices of the posts in use."""
        return float(self.values.sum()) - self._paid(self.rows)

    def _paid(self, rows: NDArray[np.int64]) -> float:
        return float(self.prices[rows.any(axis=0)].sum())

    def result(self) -> tuple[Week, NDArray[np.int64]]:
        """Give the week on the posts in use, and the positions."""
        used = np.asarray(self.rows.any(axis=0), dtype=np.bool_) | self.held
        return self.week.on_posts(used), self.rows

    def has_room(self, used: NDArray[np.bool_]) -> bool:
        """Say whether posts can hold the units of every hour."""
        room = room_at(self.lower, np.where(used, self.upper, 0), self.most_at_once)
        return bool((room >= self.week.staffing).all())

    def closable(self) -> list[int]:
        """Give the posts in use that may close."""
        posts = np.flatnonzero(self.rows.any(axis=0) & ~self.held).tolist()
        return [post for post in posts if self.has_room(self._without(post))]

    def _without(self, post: int) -> NDArray[np.bool_]:
        return np.asarray(self.open & (np.arange(len(self.open)) != post), dtype=np.bool_)

    def loss(self, post: int) -> float:
        """Give what is lost when a post closes and its units go where they add most."""
        closed, total = self.week.on_posts(self._without(post)), 0.0
        for index in np.flatnonzero(self.rows[:, post]).tolist():
            hour = closed.hours[index]
            row = fit(hour, self.rows[index], int(self.week.staffing[index]))
            total += float(self.values[index]) - hour.value(row)
        return total

    def close_unworthy(self) -> None:
        """Close the post that loses least beyond its price, again and again while that pays."""
        nets = {post: self.loss(post) - self.prices[post] for post in self.closable()}
        fresh = set(nets)
        while nets:
            post = min(nets, key=lambda one: (nets[one], one))
            if nets[post] >= -self.least:
                return
            if post in fresh:
                self._close(post)
                fresh.clear()
                allowed = set(self.closable())
                nets = {one: net for one, net in nets.items() if one in allowed}
            else:
                nets[post] = self.loss(post) - self.prices[post]
                fresh.add(post)

    def _close(self, post: int) -> None:
        hours = np.flatnonzero(self.rows[:, post]).tolist()
        self.open = self._without(post)
        closed = self.week.on_posts(self.open)
        for index in hours:
            hour = closed.hours[index]
            row = fit(hour, self.rows[index], int(self.week.staffing[index]))
            self.rows[index] = improve(hour, row)[0]
            self.values[index] = hour.value(self.rows[index])

    def trials(self, max_open: int | None) -> Iterator[NDArray[np.bool_]]:
        """Give sets of posts, the most promising first: two exchanged, or one more."""
        used = np.asarray(self.rows.any(axis=0), dtype=np.bool_)
        out = np.flatnonzero(used & ~self.held)
        new = np.flatnonzero(~used & self.usable)
        if not new.size:
            return
        exchange, more = self._promise(out, new)
        exchange += self.prices[out][:, None] - self.prices[new][None, :]
        more -= self.prices[new]
        if max_open is None or int((used | self.held).sum()) < max_open:
            for pick in np.argsort(-more, kind="stable")[:_ADDITIONS].tolist():
                if more[pick] > self.least:
                    yield _with(used | self.held, new[pick])
        for pair in np.argsort(-exchange, axis=None, kind="stable")[:_EXCHANGES].tolist():
            gone, come = divmod(pair, len(new))
            trial = _with(used | self.held, new[come])
            trial[out[gone]] = False
            if self.has_room(trial):
                yield trial

    def _promise(
        self, out: NDArray[np.int64], new: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Forecast what exchanges bring, shape (out, new), and one post more, shape (new,)."""
        exchange, more = np.zeros((len(out), len(new))), np.zeros(len(new))
        for hour, row in zip(self.week.hours, self.rows, strict=True):
            sources = np.flatnonzero(row > hour.lower)
            if not sources.size:
                continue
            change = swap_changes(hour, row, sources, new)
            change[:, hour.upper[new] == 0] = 0.0
            more += np.maximum(change.max(axis=0), 0.0)
            at = np.searchsorted(sources, out).clip(max=len(sources) - 1)
            here = sources[at] == out
            exchange[here] += change[at[here]] * row[out[here], None]
        return exchange, more

    def take(self, trial: NDArray[np.bool_]) -> bool:
        """Search all hours on other posts; keep them where that raises the aim."""
        closed = self.week.on_posts(trial)
        rows = settle(closed, self.rows)
        values = np.array([hour.value(row) for hour, row in zip(closed.hours, rows, strict=True)])
        if float(values.sum()) - self._paid(rows) <= self.aim + self.least:
            return False
        self.rows, self.values = rows, values
        self.open = np.asarray(rows.any(axis=0), dtype=np.bool_) | self.held
        return True


def _with(used: NDArray[np.bool_], post: int) -> NDArray[np.bool_]:
    result = used.copy()
    result[post] = True
    return result
