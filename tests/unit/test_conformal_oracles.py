"""Sets of two labels against the libraries MAPIE and crepes, which serve as oracles only."""

import numpy as np
import pytest
from crepes import ConformalClassifier
from crepes.extras import hinge
from mapie.classification import SplitConformalClassifier
from sklearn.base import BaseEstimator, ClassifierMixin

from deploy_opt.risk.conformal import nested_sets
from deploy_opt.seeds import stream

NUM_OLD, NUM_NEW = 480, 900


class Given(ClassifierMixin, BaseEstimator):
    """A classifier whose probabilities are its inputs."""

    def fit(self, x, y):
        """Remember the classes."""
        self.classes_ = np.unique(y)
        self.n_features_in_ = x.shape[1]
        return self

    def predict_proba(self, x):
        """Give the inputs back."""
        return np.asarray(x)

    def predict(self, x):
        """Name the likelier class."""
        return self.classes_[np.asarray(x).argmax(axis=1)]


@pytest.fixture(scope="module")
def cases():
    rng = stream(5, "conformal oracles")
    p = rng.beta(1.2, 2.5, NUM_OLD + NUM_NEW)
    y = (rng.random(len(p)) < p).astype(int)
    rows = np.column_stack([1 - p, p])
    return rows[:NUM_OLD], y[:NUM_OLD], rows[NUM_OLD:]


@pytest.mark.parametrize("alpha", [0.25, 0.1])
def test_marginal_sets_are_mapies_with_the_top_label_added(cases, alpha):
    old, labels, new = cases
    model = SplitConformalClassifier(
        Given().fit(old, labels), confidence_level=1 - alpha, conformity_score="lac", prefit=True
    )
    _, sets = model.conformalize(old, labels).predict_set(new)
    expected = sets[:, :, 0].copy()
    expected[np.arange(len(new)), new.argmax(axis=1)] = True
    found = nested_sets(old, labels, new, alpha=alpha, by_class=False)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("by_class", [False, True])
def test_sets_by_class_are_those_of_crepes_with_the_top_label_added(cases, by_class):
    old, labels, new = cases
    alpha = 0.2317  # alpha (n + 1) is whole for no class, where the two would treat a tie apart
    scores = hinge(old, np.array([0, 1]), labels)
    sets = np.zeros((len(new), 2), dtype=bool)
    whole = ConformalClassifier().fit(scores)
    for label in (0, 1):
        own = ConformalClassifier().fit(scores[labels == label]) if by_class else whole
        known = own.predict_set(hinge(new), confidence=1 - alpha, smoothing=False)
        sets[:, label] = known[:, label] > 0
    sets[np.arange(len(new)), new.argmax(axis=1)] = True
    found = nested_sets(old, labels, new, alpha=alpha, by_class=by_class)
    np.testing.assert_array_equal(found, sets)
