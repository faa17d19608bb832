"""Areas that stayed busy, cooled, or became busy from one year to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FEWEST_DAYS = 28
_LEVEL = 0.95
STATES = ("stayed busy", "became busy", "cooled", "stayed quiet")


def busy_areas(counts: pd.DataFrame, *, busy_share: float = 0.2) -> pd.DataFrame:
    """Compare each area's calls per day between the first and the last year.

    Busy areas of a year are the fewest with the most calls that hold at least `busy_share` of the
    areas. Both years are cut to the days of the year that both hold, so that seasons cancel.

    Parameters
    ----------
    counts
        Of `day_counts`, cells by area.
    busy_share
        Share of the areas that count as busy.

    Returns
    -------
    pandas.DataFrame
        service, area_id, calls_per_day_before, calls_per_day_after, change (ratio after / before),
        lo, hi (95 %: two Poisson counts, exact by the binomial law of their split), rank_before,
        rank_after, state (one of `STATES`), year_before, year_after; biggest rise first.

    Raises
    ------
    InputError
        When the counts do not hold four weeks of the same season in two years.

    Notes
    -----
    The interval takes calls as Poisson; where they vary more, it is too narrow.
    """
    days = pd.DatetimeIndex(counts["hour"])
    years = sorted(set(days.year))
    season = days.dayofyear
    first, last = years[0], years[-1]
    common = set(season[days.year == first]) & set(season[days.year == last])
    if first == last or len(common) < _FEWEST_DAYS:
        found = f"{len(common) if first != last else 0} days of the same season in two years"
        raise InputError.of("counts", found, f"at least {_FEWEST_DAYS}")
    kept = counts[season.isin(common) & days.year.isin([first, last]) & counts["observed"]]
    year = pd.DatetimeIndex(kept["hour"]).year
    table = kept.groupby(["service", "area_id", year])["num_calls"].sum().unstack(fill_value=0)
    table = table.reindex(columns=[first, last], fill_value=0)
    before, after = table[first].to_numpy(float), table[last].to_numpy(float)
    lo, hi = _split_interval(before, after)
    frame = table.index.to_frame(index=False)
    frame["calls_per_day_before"] = before / len(common)
    frame["calls_per_day_after"] = after / len(common)
    with np.errstate(divide="ignore", invalid="ignore"):
        frame["change"] = np.where(before > 0, after / before, np.nan)
    frame["lo"], frame["hi"] = lo, hi
    by_service = frame.groupby("service")
    for name, column in (("rank_before", "calls_per_day_before"),
                         ("rank_after", "calls_per_day_after")):  # fmt: skip
        frame[name] = by_service[column].rank(ascending=False, method="first").astype(int)
    most = np.ceil(busy_share * by_service["area_id"].transform("size"))
    was, now = frame["rank_before"] <= most, frame["rank_after"] <= most
    frame["state"] = np.select([was & now, now, was], STATES[:3], STATES[3])
    frame["year_before"], frame["year_after"] = first, last
    return frame.sort_values("change", ascending=False, kind="stable", ignore_index=True)


def _split_interval(
    before: NDArray[np.float64], after: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bound the ratio of two Poisson means: given their sum, one is binomial (Clopper-Pearson)."""
    from scipy.stats import beta

    side = (1.0 - _LEVEL) / 2
    low = np.where(after > 0, beta.ppf(side, np.maximum(after, 1e-9), before + 1), 0.0)
    high = np.where(before > 0, beta.ppf(1 - side, after + 1, np.maximum(before, 1e-9)), 1.0)
    with np.errstate(divide="ignore"):
        return low / (1 - low), high / (1 - high)
