"""What a bad spell is, and which units are there in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import ArrayLike, NDArray

    from deploy_opt.simulation.replicate import Arm

HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Stress:
    """A bad spell.

    Attributes
    ----------
    from_s, to_s
        When it lasts.
    surge
        What the number of calls is multiplied by meanwhile, at least 1.
    surge_areas
        Areas (area_id) of the surge; none = all.
    times
        Drive times for the whole run, the broken network among them; None = as ever.
    period_of_hour
        Period of each hour that goes with `times`; None = as ever.
    lost_posts
        Nodes whose units are off duty meanwhile.
    lost_hospitals
        Nodes of hospitals that divert meanwhile.
    crews
        Share of the units that is there meanwhile, 0 to 1; the first of each post stay.
    lent
        Units that are away besides, at a neighbour's.
    mutual_aid
        Units of neighbours that come meanwhile (fleet columns without spells); None = none.
    contingency
        A plan made for the spell, its fleet as it is then; played beside the others.
    """

    from_s: float
    to_s: float
    surge: float = 1.0
    surge_areas: Collection[str] = ()
    times: ArrayLike | None = None
    period_of_hour: ArrayLike | None = None
    lost_posts: Collection[int] = ()
    lost_hospitals: Collection[int] = ()
    crews: float = 1.0
    lent: int = 0
    mutual_aid: pd.DataFrame | None = None
    contingency: Arm | None = None


def change_fleet(fleet: pd.DataFrame, bad: Stress) -> pd.DataFrame:
    """Take away the units that a spell takes, and add those that come.

    Of the units on duty in the spell the first of each post stay before any post's second; where
    not all of a rank can stay, every so many-th of them does.

    Raises
    ------
    InputError
        When the spell cannot be.
    """
    sound = bad.from_s < bad.to_s and bad.surge >= 1 and 0 <= bad.crews <= 1 and bad.lent >= 0
    if not sound:
        found = f"{bad.from_s:g} to {bad.to_s:g} s, surge {bad.surge:g}, crews {bad.crews:g}"
        expected = "a start before its end, a surge of at least 1, a share of crews in [0, 1]"
        raise InputError.of("stress", found, expected)
    spells = fleet
    if "on_from_s" not in fleet:
        spells = fleet.assign(on_from_s=-np.inf, on_to_s=np.inf)
    away = spells["home_node"].isin(list(bad.lost_posts)) & _meets(spells, bad)
    lost = spells[away].assign(cut_from_s=bad.from_s, cut_to_s=bad.to_s)
    changed = _cut(spells, [lost, _absent(spells, bad)])
    if bad.mutual_aid is not None:
        aid = bad.mutual_aid.assign(mutual_aid=True, on_from_s=bad.from_s, on_to_s=bad.to_s)
        own = changed.assign(mutual_aid=changed.get("mutual_aid", False))
        changed = pd.concat([own, aid], ignore_index=True)
    return changed


def units_on_duty(fleet: pd.DataFrame, bad: Stress, num_posts: int) -> NDArray[np.int64]:
    """Count units on duty in each hour of a spell by post, shape (hours, posts)."""
    num_hours = max(round((bad.to_s - bad.from_s) / HOUR_S), 1)
    found = np.zeros((num_hours, num_posts), dtype=np.int64)
    start = fleet["on_from_s"].to_numpy(dtype=np.float64)
    end = fleet["on_to_s"].to_numpy(dtype=np.float64)
    home = fleet["home_node"].to_numpy(dtype=np.int64)
    for hour in range(num_hours):
        middle = bad.from_s + (hour + 0.5) * HOUR_S
        found[hour] = np.bincount(home[(start <= middle) & (middle < end)], minlength=num_posts)
    return found


def _meets(spells: pd.DataFrame, bad: Stress) -> pd.Series:
    return (spells["on_from_s"] < bad.to_s) & (spells["on_to_s"] > bad.from_s)


def _absent(spells: pd.DataFrame, bad: Stress) -> pd.DataFrame:
    """List the duty that is missed, hour by hour: rows of `spells` with cut_from_s, cut_to_s.

    In every hour as many units are there as the share and the lent leave; a unit that is away
    stays away as long as it can.
    """
    away: list[object] = []
    cuts = []
    for start in np.arange(bad.from_s, bad.to_s, HOUR_S):
        end = min(start + HOUR_S, bad.to_s)
        middle = (start + end) / 2
        now = spells[(spells["on_from_s"] <= middle) & (middle < spells["on_to_s"])]
        stay = max(int(np.ceil(bad.crews * len(now) - 1e-9)) - bad.lent, 0)
        away = [unit for unit in away if unit in set(now["unit_id"])][: len(now) - stay]
        rest = now[~now["unit_id"].isin(away)]
        away += _last_ranks(rest, stay)
        gone = now[now["unit_id"].isin(away)]
        cuts.append(gone.assign(cut_from_s=start, cut_to_s=end))
    return pd.concat(cuts)


def _last_ranks(units: pd.DataFrame, stay: int) -> list[object]:
    """Name the units that do not stay: of every post the last, spread over the posts."""
    rank = units.groupby(["home_node", "unit_type"]).cumcount()
    units = units.assign(rank=rank).sort_values(["rank", "home_node"], kind="stable")
    absent: list[object] = []
    for _, same in units.groupby("rank", sort=True):
        many = len(same)
        kept = min(stay, many)
        stay -= kept
        place = np.arange(many)
        stays = (place + 1) * kept // many > place * kept // many
        absent += list(same["unit_id"].to_numpy()[~stays])
    return absent


def _cut(spells: pd.DataFrame, cuts: list[pd.DataFrame]) -> pd.DataFrame:
    """Take stretches out of the duty of units; rows keep their order."""
    missed = pd.concat([cut[["cut_from_s", "cut_to_s"]] for cut in cuts]).sort_values("cut_from_s")
    rows = []
    for label, row in spells.iterrows():
        start = row["on_from_s"]
        own = missed.loc[missed.index == label].to_numpy(dtype=np.float64)
        for cut_from, cut_to in own:
            if cut_from > start:
                rows.append({**row, "on_from_s": start, "on_to_s": cut_from})
            start = max(start, cut_to)
        if start < row["on_to_s"]:
            rows.append({**row, "on_from_s": start})
    return pd.DataFrame(rows, columns=spells.columns).astype(spells.dtypes)
