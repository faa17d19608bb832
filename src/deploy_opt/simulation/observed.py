"""Records of a real pilot: switchback by randomisation, interrupted series with a control."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import InputError
from deploy_opt.seeds import stream

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ObservedEffect:
    """What a live pilot shows for one outcome.

    Attributes
    ----------
    outcome
        Column of the records.
    difference, lo, hi
        Plan less baseline with its 95 % interval (autocorrelation-consistent).
    p
        Two-sided; of a switchback by its own randomisation.
    num_blocks, num_records
        Blocks or periods, and records, that were counted.
    """

    outcome: str
    difference: float
    lo: float
    hi: float
    p: float
    num_blocks: int
    num_records: int


def analyse_switchback(
    records: pd.DataFrame,
    blocks: pd.DataFrame,
    outcome: str,
    *,
    seed: int,
    washout_h: float = 1.0,
    draws: int = 4000,
) -> ObservedEffect:
    """Compare the blocks of a switchback, pairs being days of the same weekday.

    Parameters
    ----------
    records
        received_at and the outcome, one row per incident: a response time, or what happened
        (severity at scene, transport, backup request, officer injury) as a number or bool.
    blocks
        block, day (midnight of the records' clock), pair, arm, as `designs.switchback` gives.
    outcome
        Column of the records; missing values are left out.
    seed
        Seed of the sign flips.
    washout_h
        Hours left out after every switch of the plan.
    draws
        Random assignments.

    Notes
    -----
    The difference of a pair removes the weekday. Flipping the sign of pairs is exactly the
    assignment that might have been, so the p-value needs no model. The interval is Newey and
    West's (1987) for the mean of the pairs' differences.
    """
    from deploy_opt.simulation.resampling import sign_flip

    _needs(records, ("received_at", outcome), "records")
    _needs(blocks, ("block", "day", "pair", "arm"), "blocks")
    if blocks.empty:
        raise InputError.of("blocks", "0 whole pairs", "at least 2 with records")
    ordered = blocks.sort_values("day", ignore_index=True)
    days = pd.to_datetime(ordered["day"]).to_numpy()
    at = pd.to_datetime(records["received_at"]).dt.tz_localize(None).to_numpy()
    block = np.searchsorted(days, at, side="right") - 1
    since_h = (at - days[np.maximum(block, 0)]) / np.timedelta64(1, "h")
    switched = (ordered["arm"] != ordered["arm"].shift()).to_numpy()
    washed = switched[np.maximum(block, 0)] & (since_h < washout_h)
    value = pd.to_numeric(records[outcome], errors="coerce").to_numpy(dtype=np.float64)
    kept = (block >= 0) & (since_h < 24.0) & ~washed & np.isfinite(value)
    mean = pd.Series(value[kept]).groupby(block[kept]).mean().reindex(ordered.index)
    wide = ordered.assign(value=mean).pivot(index="pair", columns="arm", values="value")
    pairs = (wide["plan"] - wide["baseline"]).dropna().to_numpy()
    if pairs.size < 2:
        raise InputError.of("blocks", f"{pairs.size} whole pairs", "at least 2 with records")
    half = 1.96 * np.sqrt(_long_run_variance(pairs) / pairs.size)
    p = sign_flip(pairs, stream(seed, "pilot", "observed", outcome), draws=draws)
    effect = float(pairs.mean())
    return ObservedEffect(
        outcome, effect, effect - half, effect + half, p, int(2 * pairs.size), int(kept.sum())
    )


def analyse_series(
    periods: pd.DataFrame, outcome: str, *, starts: int, control: str | None = None
) -> ObservedEffect:
    """Estimate the step of an interrupted series, less that of a control district.

    ``y_t = a + b t + c after_t + d (t - start) after_t``; y is the outcome, less the control's
    where there is one. The step c is reported; errors are Newey and West's (1987).

    Parameters
    ----------
    periods
        One row per period in the order of time: the outcome's mean, and the control's.
    outcome, control
        Columns.
    starts
        Row of the first period under the plan.
    """
    from scipy.special import ndtr

    _needs(periods, (outcome, *([control] if control else [])), "periods")
    y = periods[outcome].to_numpy(dtype=np.float64)
    if control:
        y = y - periods[control].to_numpy(dtype=np.float64)
    t = np.arange(y.size, dtype=np.float64)
    if not 3 <= starts <= y.size - 3:
        raise InputError.of("starts", f"row {starts} of {y.size}", "3 periods before and after")
    after = (t >= starts).astype(np.float64)
    x = np.column_stack([np.ones_like(t), t, after, (t - starts) * after])
    inverse = np.linalg.inv(x.T @ x)
    beta = inverse @ x.T @ y
    meat = _long_run_covariance(x * (y - x @ beta)[:, None])
    scale = y.size / (y.size - x.shape[1])
    error = float(np.sqrt(scale * (inverse @ meat @ inverse)[2, 2]))
    step = float(beta[2])
    p = float(2 * ndtr(-abs(step) / error)) if error > 0 else float(step == 0)
    low, high = step - 1.96 * error, step + 1.96 * error
    return ObservedEffect(outcome, step, low, high, p, y.size, y.size)


def _long_run_covariance(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum of autocovariances with Bartlett weights, lags up to 4 (n / 100)^(2/9)."""
    size = len(scores)
    lags = int(4 * (size / 100) ** (2 / 9))
    total = scores.T @ scores
    for lag in range(1, min(lags, size - 1) + 1):
        cross = scores[lag:].T @ scores[:-lag]
        total = total + (1 - lag / (lags + 1)) * (cross + cross.T)
    return np.asarray(total, dtype=np.float64)


def _long_run_variance(values: NDArray[np.float64]) -> float:
    centred = (values - values.mean())[:, None]
    return float(max(_long_run_covariance(centred)[0, 0], 0.0) / (values.size - 1))


def _needs(table: pd.DataFrame, columns: tuple[str, ...], where: str) -> None:
    missing = [name for name in columns if name not in table]
    if missing:
        raise InputError.of(where, f"no {', '.join(missing)}", f"columns {', '.join(columns)}")
