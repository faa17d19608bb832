"""Hygiene of the call types: thin types and what to merge them with, and permutations."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList, nearest
from deploy_opt.risk.call_counts import merge_types
from deploy_opt.risk.tiers import RiskMatrix, evaluate
from deploy_opt.risk_settings import RiskSettings, risk_settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from deploy_opt.risk.call_counts import CallCounts

_WORD = re.compile(r"[a-z0-9]+")
_COLUMNS = [
    "call_type",
    "into",
    "similarity",
    "n",
    "n_into",
    "status",
    "tier",
    "tier_into",
    "status_merged",
    "tier_merged",
    "moves_call_type",
    "moves_into",
    "calls_moved",
]


def suggest_merges(
    counts: CallCounts,
    params: RiskSettings | Mapping[str, object] | None = None,
    *,
    thin_calls: int = 30,
    least_similarity: float = 0.3,
) -> pd.DataFrame:
    """Suggest, for each thin type, a larger type with the most similar name to merge it into.

    Thin types have fewer than `thin_calls` calls or too few worst outcomes for a tier. Names are
    compared as bags of words, rare words counting more (cosine of tf-idf); of equally similar types
    the one with most calls is taken. A suggestion is for people to judge: a similar name may hide
    another law.

    Parameters
    ----------
    counts
        Counted calls.
    params
        Constants.
    thin_calls
        Types with fewer calls are thin.
    least_similarity
        Least similarity of the names, 0..1.

    Returns
    -------
    pandas.DataFrame
        A row a suggestion, most similar first: call_type, into, similarity, n, n_into, status, tier
        and tier_into (before any recoding; types without a tier stand in the unreviewed one),
        status_merged, tier_merged, moves_call_type and moves_into (whether the merge changes their
        tier), calls_moved (calls that change tier).
    """
    settings = risk_settings(params)
    types = evaluate(counts, settings).types
    seen = types["n"].to_numpy() > 0
    thin = seen & ((types["n"].to_numpy() < thin_calls) | (types["status"] != "auto").to_numpy())
    similar = _similarity([str(name) for name in types.index])
    size = types["n"].to_numpy()
    order = np.lexsort((-np.arange(len(size)), size))  # fewest calls first
    place_of = np.empty_like(order)
    place_of[order] = np.arange(len(order))
    similar[place_of[None, :] <= place_of[:, None]] = -1.0  # only into a larger type: no circles
    pairs = []
    for place in np.flatnonzero(thin):
        partner = int(np.lexsort((-size, -np.round(similar[place], 9)))[0])
        if similar[place, partner] >= least_similarity:
            pairs.append((int(place), partner))
    rows = _effects(counts, types, settings, pairs)
    rows = [
        (*row[:2], float(similar[pair]), *row[2:]) for pair, row in zip(pairs, rows, strict=True)
    ]
    frame = pd.DataFrame(rows, columns=_COLUMNS)
    keys = ["similarity", "n", "call_type"]
    return frame.sort_values(keys, ascending=[False, True, True], ignore_index=True)


def evaluate_merges(
    counts: CallCounts,
    merges: Mapping[str, str],
    params: RiskSettings | Mapping[str, object] | None = None,
) -> RiskMatrix:
    """Evaluate with some types merged into others.

    Parameters
    ----------
    merges
        Type -> type that takes it in.
    """
    return evaluate(merge_types(counts, merges), params)


def count_permutations(calls: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Count the distinct combinations of coded columns, such as initial and final type.

    Seattle found nearly 41,000 over initial type, final type, clearance and how a call came in.

    Parameters
    ----------
    calls
        One row a call.
    columns
        Columns to combine, in order.

    Returns
    -------
    pandas.DataFrame
        Indexed by the columns so far (``initial_type``, ``initial_type + final_type`` ...):
        permutations, seen_once, share_of_calls_in_top_ten.

    Raises
    ------
    InputError
        For columns that the calls do not have.
    """
    faults = FaultList()
    for name in columns:
        if name not in calls.columns:
            near = nearest(name, [str(column) for column in calls.columns])
            faults.add("columns", repr(name), "columns of the calls", near)
    if not columns:
        faults.add("columns", "none", "at least one column of the calls")
    faults.raise_if_any()
    rows = {}
    for length in range(1, len(columns) + 1):
        used = list(columns[:length])
        sizes = calls.groupby(used, dropna=False, observed=True).size().sort_values(ascending=False)
        rows[" + ".join(used)] = {
            "permutations": len(sizes),
            "seen_once": int((sizes == 1).sum()),
            "share_of_calls_in_top_ten": float(sizes.iloc[:10].sum()) / max(len(calls), 1),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("columns")


def _effects(
    counts: CallCounts,
    types: pd.DataFrame,
    settings: RiskSettings,
    pairs: list[tuple[int, int]],
) -> list[tuple[object, ...]]:
    """Evaluate the two types of each pair as one; each pair stands as a type of its own."""
    if not pairs:
        return []
    rows_of = counts.rows.groupby("type").indices
    pieces = [np.concatenate([rows_of[place] for place in pair]) for pair in pairs]
    number = np.repeat(np.arange(len(pairs)), [len(piece) for piece in pieces])
    together = counts.rows.iloc[np.concatenate(pieces)].assign(type=number)
    names = tuple(str(each) for each in range(len(pairs)))
    as_one = replace(counts, call_types=names, rows=together)
    merged = evaluate(as_one, settings.model_copy(update={"harm": {}})).types
    effects = []
    for pair, (_, after) in zip(pairs, merged.iterrows(), strict=True):
        before = types.iloc[list(pair)]
        tiers, n = before["tier_final"].to_numpy(), before["n"].to_numpy()
        moved = tiers != after["tier_final"]
        effects.append(
            (
                *(str(name) for name in before.index),
                *n.tolist(),
                before["status"].iloc[0],
                *tiers.tolist(),
                after["status"],
                int(after["tier_final"]),
                *moved.tolist(),
                int(n[moved].sum()),
            )
        )
    return effects


def _similarity(names: list[str]) -> NDArray[np.float64]:
    """Cosine of the names' tf-idf word vectors, shape (types, types)."""
    bags = [_WORD.findall(name.lower()) for name in names]
    words = {word: place for place, word in enumerate(sorted({w for bag in bags for w in bag}))}
    weight = np.zeros((len(names), max(len(words), 1)))
    for row, bag in enumerate(bags):
        for word in set(bag):
            weight[row, words[word]] = 1.0
    weight *= np.log((1.0 + len(names)) / (1.0 + weight.sum(axis=0))) + 1.0
    length = np.sqrt((weight**2).sum(axis=1, keepdims=True))
    unit = weight / np.where(length > 0, length, 1.0)
    return np.asarray(unit @ unit.T)
