"""Triage support: from the words of a call summary to the tiers that may fit.

Advice beside the call taker, never instead: the person's decision is the tier of the call, and
both are kept. Texts are redacted before anything else is done with them, and none is stored.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList
from deploy_opt.risk.call_text.agreement import Decision, agreement, log_decision
from deploy_opt.risk.call_text.model import TIERS, TriageModel, tier_costs, triage_from_plain
from deploy_opt.risk.call_text.redact import redact
from deploy_opt.risk.call_text.words import SHARES_HEARD, beginning, vocabulary_of, word_matrix
from deploy_opt.risk.conformal import calibrate
from deploy_opt.risk.model_files import read_model, write_model
from deploy_opt.risk.set_report import set_report
from deploy_opt.seeds import stream

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Decision",
    "Triage",
    "agreement",
    "fit_triage",
    "load_triage",
    "log_decision",
    "redact",
    "save_triage",
    "score_text",
]

KIND = "triage"
PARTS = (0.5, 0.25, 0.25)
"""Shares of the texts for training, calibration and test, in their order of time."""

_FEWEST_OF_TIER = 30


@dataclass(frozen=True, slots=True)
class Triage:
    """A fitted model and how it did on held-out texts.

    Attributes
    ----------
    model
        The model.
    report
        heard (share of the text), group (of areas; ``all``), measure, label (tier, or -1: all),
        value, lo, hi, n. Measures: those of `set_report`, and ``cost_per_call``,
        ``cost_of_majority`` (always the most frequent tier), ``cost_of_cheapest`` (the cheapest
        tier said always), ``advised_share_right``.
    """

    model: TriageModel
    report: pd.DataFrame


def fit_triage(
    texts: Sequence[str],
    tiers: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    coverage: float = 0.8,
    cost_ratio: float = 5.0,
    names: Iterable[str] = (),
    shuffle_seed: int | None = None,
) -> Triage:
    """Fit tiers to the words of call summaries and test on the last quarter of them.

    Parameters
    ----------
    texts
        Summaries in their order of time; redacted here before anything else.
    tiers
        True tier 1..4 of each, shape (texts,), as settled after the call.
    groups
        Group of areas of each text, shape (texts,), for measures by group.
    coverage
        Share of the texts of each tier whose set holds it.
    cost_ratio
        Cost of a tier too little protection in tiers too much.
    names
        Further names to take out, see `redact`.
    shuffle_seed
        Part the texts by chance with this seed instead of in time.

    Returns
    -------
    Triage
        Model and report.

    Raises
    ------
    InputError
        For tiers that do not exist, lengths that differ, and tiers with too few texts.
    """
    tier, group = _checked(texts, tiers, groups, coverage, cost_ratio)
    listed = tuple(names)
    clean = np.array([redact(text, names=listed) for text in texts], dtype=object)
    order = np.arange(len(clean))
    if shuffle_seed is not None:
        order = stream(shuffle_seed, "triage", "split").permutation(len(clean))
    ends = np.round(np.cumsum(PARTS)[:2] * len(clean)).astype(int)
    train, held, test = np.split(order, ends)
    _check_tiers(tier, (("training", train), ("calibration", held), ("test", test)))
    vocabulary = vocabulary_of(list(clean[train]))
    weights, constants = _regression(clean[train], tier[train], vocabulary)
    plain = TriageModel(
        vocabulary, weights, constants, SHARES_HEARD, (), cost_ratio, (math.nan,) * len(TIERS)
    )
    calibrations = tuple(
        calibrate(plain.probabilities(_heard(clean[held], s)), tier[held], alpha=1 - coverage)
        for s in SHARES_HEARD
    )
    model = TriageModel(
        vocabulary, weights, constants, SHARES_HEARD, calibrations, cost_ratio, plain.precision
    )
    usual = int(np.bincount(tier[train], minlength=len(TIERS)).argmax())
    report = _report(model, clean[test], tier[test], group[test], usual)
    singles = report.query("heard == 1 and group == 'all' and measure == 'singleton_precision'")
    precision = tuple(float(v) for v in singles.loc[singles["label"] > 0, "value"])
    final = TriageModel(
        vocabulary, weights, constants, SHARES_HEARD, calibrations, cost_ratio, precision
    )
    return Triage(final, report)


def save_triage(model: TriageModel, path: Path, *, key: bytes | None = None) -> str:
    """Write a model and give its seal; see `write_model`."""
    return write_model(path, KIND, model.to_plain(), key=key)


def load_triage(
    path: Path, *, key: bytes | None = None, expected_seal: str | None = None
) -> TriageModel:
    """Read a model back; a file that was changed is refused, see `read_model`."""
    return triage_from_plain(read_model(path, KIND, key=key, expected_seal=expected_seal))


def score_text(
    model: TriageModel,
    texts: Sequence[str],
    *,
    heard: float | None = None,
    names: Iterable[str] = (),
) -> pd.DataFrame:
    """Advise tiers for call summaries, redacted first.

    Parameters
    ----------
    model
        The model.
    texts
        Summaries, or as much of them as is there.
    heard
        Share of the call that the text holds; None: not known, which gives the widest sets.
    names
        Further names to take out, see `redact`.

    Returns
    -------
    pandas.DataFrame
        In the order of the texts: advised (tier of least expected cost), may_be (tiers of the set,
        joined by `` or ``), can_tell (one tier alone), precision (share of held-out texts in which
        that lone tier was right; NaN if it cannot tell), because (words that speak most for the
        advice), p1 .. p4.
    """
    listed = tuple(names)
    clean = [redact(text, names=listed) for text in texts]
    p = model.probabilities(clean)
    sets, advised = model.calibration(heard).sets(p), model.advised(p)
    single = sets.sum(axis=1) == 1
    lone = np.array(model.precision)[sets.argmax(axis=1)]
    table = pd.DataFrame(
        {
            "advised": np.array(TIERS)[advised],
            "may_be": [" or ".join(str(TIERS[k]) for k in np.flatnonzero(row)) for row in sets],
            "can_tell": single,
            "precision": np.where(single, lone, np.nan),
            "because": [
                " ".join(model.telling_words(text, int(k)))
                for text, k in zip(clean, advised, strict=True)
            ],
        }
    )
    return table.assign(**{f"p{tier}": p[:, k] for k, tier in enumerate(TIERS)})


def _checked(
    texts: Sequence[str],
    tiers: ArrayLike,
    groups: ArrayLike | None,
    coverage: float,
    cost_ratio: float,
) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
    faults = FaultList()
    tier = np.asarray(tiers)
    group = np.full(len(texts), "all", dtype=object)
    if groups is not None:
        group = np.asarray(groups, dtype=object)
    for name, values in (("tiers", tier), ("groups", group)):
        if values.shape != (len(texts),):
            faults.add(name, f"shape {values.shape}", f"({len(texts)},), one a text")
    if tier.dtype.kind not in "iu" or not set(np.unique(tier)) <= set(TIERS):
        faults.add("tiers", "other values than 1 to 4", f"tiers {TIERS}")
    if not 0.0 < coverage < 1.0:
        faults.add("coverage", str(coverage), "a share between 0 and 1")
    if not 1.0 <= cost_ratio <= 100.0:
        faults.add("cost_ratio", str(cost_ratio), "a ratio 1 to 100")
    faults.raise_if_any()
    return tier.astype(np.int64) - 1, group


def _check_tiers(tier: NDArray[np.int64], parts: Sequence[tuple[str, NDArray[np.int64]]]) -> None:
    faults = FaultList()
    for name, rows in parts:
        for number, count in enumerate(np.bincount(tier[rows], minlength=len(TIERS))):
            if count < _FEWEST_OF_TIER:
                expected = f"{_FEWEST_OF_TIER} or more for {name}"
                faults.add(f"tier {TIERS[number]}", f"{count} texts", expected)
    faults.raise_if_any()


def _heard(texts: NDArray[np.object_], share: float) -> list[str]:
    return [beginning(text, share) for text in texts]


def _regression(
    texts: NDArray[np.object_], tier: NDArray[np.int64], vocabulary: tuple[str, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fit on each text at every share heard, so that beginnings are understood too."""
    from sklearn.linear_model import LogisticRegression

    begun = [text for share in SHARES_HEARD for text in _heard(texts, share)]
    rows = word_matrix(begun, vocabulary)
    model = LogisticRegression(C=1.0, max_iter=1000)
    model.fit(rows, np.tile(tier, len(SHARES_HEARD)))
    return np.asarray(model.coef_, dtype=float), np.asarray(model.intercept_, dtype=float)


def _report(
    model: TriageModel,
    texts: NDArray[np.object_],
    tier: NDArray[np.int64],
    group: NDArray[np.object_],
    usual: int,
) -> pd.DataFrame:
    costs = tier_costs(model.cost_ratio)
    own_groups = sorted(set(group) - {"all"})
    tables = []
    for share, calibration in zip(model.shares, model.calibrations, strict=True):
        p = model.probabilities(_heard(texts, share))
        sets, advised = calibration.sets(p), model.advised(p)
        for name in ("all", *own_groups):
            at = np.ones(len(tier), dtype=bool) if name == "all" else group == name
            true, n = tier[at], int(at.sum())
            always = costs[true].mean(axis=0)
            rows = [
                ("cost_per_call", float(costs[true, advised[at]].mean())),
                ("cost_of_majority", float(always[usual])),
                ("cost_of_cheapest", float(always.min())),
                ("advised_share_right", float((advised[at] == true).mean())),
            ]
            found = pd.DataFrame(rows, columns=["measure", "value"])
            found = found.assign(label=-1, lo=np.nan, hi=np.nan, n=n)
            measured = set_report(sets[at], true)
            measured["label"] = [-1 if k < 0 else TIERS[k] for k in measured["label"]]
            whole = pd.concat([found, measured], ignore_index=True)
            tables.append(whole.assign(heard=share, group=name))
    columns = ["heard", "group", "measure", "label", "value", "lo", "hi", "n"]
    return pd.concat(tables, ignore_index=True)[columns]
