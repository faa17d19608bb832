"""Fit stochastic gradient boosting with six leaves a tree; the one door to scikit-learn here.

References
----------
Friedman (2002), Stochastic gradient boosting, Computational Statistics and Data Analysis 38.
``interaction.depth = 5`` of the R package gbm means five splits, six leaves, grown best first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from deploy_opt.errors import DeployOptError
from deploy_opt.risk.officer_risk.trees import TreeEnsemble, tree_ensemble
from deploy_opt.seeds import stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

Engine = Literal["auto", "exact", "histogram"]
MOST_EXACT_ROWS = 100_000
"""Rows above which ``auto`` splits on 255 bins a feature instead of on every value."""
NUM_TREES = 50
LEARNING_RATE = 0.1
NUM_LEAVES = 6
SAMPLE = 0.5
"""Share of the rows that each tree sees (exact engine; the other one has no such sampling)."""
NUM_FOLDS = 5

_CHECKED_ROWS = 512
_BINS = 255


def fit_trees(
    rows: NDArray[np.float32],
    high: NDArray[np.bool_],
    *,
    weight: float = 1.0,
    engine: Engine = "auto",
    seed: int = 0,
) -> TreeEnsemble:
    """Fit trees to an outcome.

    Parameters
    ----------
    rows
        Features without gaps, shape (rows, features).
    high
        The outcome, shape (rows,); both values must occur.
    weight
        What each high row counts; the others count 1.
    engine
        ``exact`` (stochastic gradient boosting), ``histogram`` (all rows in each tree, 255 bins),
        or ``auto`` by the number of rows.
    seed
        Seed of the sampling.

    Returns
    -------
    TreeEnsemble
        Log odds of the weighted outcome.
    """
    from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier

    weights = None if weight == 1.0 else np.where(high, weight, 1.0)
    state = int(stream(seed, "officer risk", "trees").integers(2**31))
    if engine_for(len(rows), engine) == "exact":
        model = GradientBoostingClassifier(
            n_estimators=NUM_TREES,
            learning_rate=LEARNING_RATE,
            subsample=SAMPLE,
            max_depth=None,
            max_leaf_nodes=NUM_LEAVES,
            min_samples_leaf=1,
            random_state=state,
        ).fit(rows, high, sample_weight=weights)
        some = model.decision_function(rows[:_CHECKED_ROWS])
        prior = float(model.init_.class_prior_[1])
        nodes = [each.tree_ for each in model.estimators_[:, 0]]
        found = tree_ensemble(
            float(np.log(prior / (1.0 - prior))),
            [
                (t.feature, t.threshold, t.children_left, t.children_right,
                 LEARNING_RATE * t.value[:, 0, 0], t.children_left < 0)
                for t in nodes
            ],
        )  # fmt: skip
    else:
        codes, edges = _binned(rows)
        model = HistGradientBoostingClassifier(
            max_iter=NUM_TREES,
            learning_rate=LEARNING_RATE,
            max_depth=None,
            max_leaf_nodes=NUM_LEAVES,
            min_samples_leaf=1,
            early_stopping=False,
            random_state=state,
        ).fit(codes, high, sample_weight=weights)
        some = model.decision_function(codes[:_CHECKED_ROWS])
        tables = [each[0].nodes for each in model._predictors]  # noqa: SLF001  (checked below)
        found = tree_ensemble(
            float(model._baseline_prediction.item()),  # noqa: SLF001
            [
                (n["feature_idx"], _cuts(n, edges), n["left"].astype(np.int64),
                 n["right"].astype(np.int64), n["value"], n["is_leaf"].astype(bool))
                for n in tables
            ],
        )  # fmt: skip
    if not np.allclose(found.log_odds(rows[:_CHECKED_ROWS]), some, atol=1e-9):
        msg = "the trees read out of scikit-learn do not repeat its scores"
        raise DeployOptError(msg)
    return found


def engine_for(num_rows: int, engine: Engine) -> Engine:
    """Choose the engine that ``auto`` means for so many rows."""
    if engine != "auto":
        return engine
    return "exact" if num_rows <= MOST_EXACT_ROWS else "histogram"


def out_of_fold(
    rows: NDArray[np.float32],
    high: NDArray[np.bool_],
    *,
    weight: float = 1.0,
    engine: Engine = "auto",
    seed: int = 0,
) -> NDArray[np.float64]:
    """Score each row by trees that did not see it: five folds, each with its share of high rows.

    Parameters
    ----------
    rows, high, weight, engine, seed
        As `fit_trees`; the engine is chosen by the number of all rows.

    Returns
    -------
    numpy.ndarray
        Log odds, shape (rows,).
    """
    engine = engine_for(len(rows), engine)
    fold = np.empty(len(rows), dtype=np.int64)
    rng = stream(seed, "officer risk", "folds")
    for value in (False, True):
        at = np.flatnonzero(high == value)
        fold[rng.permutation(at)] = np.arange(len(at)) % NUM_FOLDS
    scores = np.empty(len(rows))
    for number in range(NUM_FOLDS):
        held = fold == number
        trees = fit_trees(rows[~held], high[~held], weight=weight, engine=engine, seed=seed)
        scores[held] = trees.log_odds(rows[held])
    return scores


def _binned(
    rows: NDArray[np.float32],
) -> tuple[NDArray[np.float32], list[NDArray[np.float32]]]:
    """Put each feature into at most 255 bins of equal calls; a bin ends with its highest value.

    The library bins by itself, but takes 20 times as long where rows have weights.
    """
    codes, edges = np.empty(rows.shape, dtype=np.float32), []
    for number, column in enumerate(rows.T):
        highest = np.unique(column)
        if len(highest) > _BINS:
            levels = np.linspace(0.0, 1.0, _BINS + 1)[1:]
            highest = np.unique(np.quantile(column, levels, method="higher"))
        codes[:, number] = np.searchsorted(highest, column)
        edges.append(highest)
    return codes, edges


def _cuts(nodes: NDArray[Any], edges: list[NDArray[np.float32]]) -> NDArray[np.float64]:
    """Turn cuts between bins into values: the highest of the last bin that goes left."""
    bins = np.floor(nodes["num_threshold"]).astype(np.int64)
    pairs = zip(nodes["feature_idx"], bins, nodes["is_leaf"], strict=True)
    return np.array([0.0 if leaf else float(edges[f][b]) for f, b, leaf in pairs])
