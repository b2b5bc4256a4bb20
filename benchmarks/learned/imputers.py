"""What a user would pick instead of a learned table: mean, nearest neighbours, two MICEs, missForest.

Each returns draws of the completed table, ``(draws, rows, columns)``; a method without a distribution returns one.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_iterative_imputer  # noqa: F401 - makes IterativeImputer importable
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer

Floats = NDArray[np.float64]

DRAWS = 10
"""Draws of each MICE."""


def mean(x: Floats, seed: int) -> Floats:
    """The mean of each column."""
    del seed
    return np.asarray(SimpleImputer().fit_transform(x))[None]


def neighbours(x: Floats, seed: int) -> Floats:
    """The mean of the five nearest rows."""
    del seed
    return np.asarray(KNNImputer(n_neighbors=5).fit_transform(x))[None]


def mice_norm(x: Floats, seed: int) -> Floats:
    """Chained Bayesian linear regressions with draws from their predictive distributions (scikit-learn)."""
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for k in range(DRAWS):
            imputer = IterativeImputer(sample_posterior=True, max_iter=8, random_state=seed * 1000 + k)
            found.append(imputer.fit_transform(x))
    return np.asarray(found)


def mice_forest(x: Floats, seed: int) -> Floats:
    """Chained random forests that draw the value of a random row in a random tree's leaf (mice's ``rf``)."""
    return np.stack([_forest_draw(x, np.random.default_rng([seed, k])) for k in range(DRAWS)])


def _forest_draw(x: Floats, random: np.random.Generator, rounds: int = 4) -> Floats:
    hidden = np.isnan(x)
    filled = x.copy()
    for k in range(x.shape[1]):
        filled[hidden[:, k], k] = random.choice(x[~hidden[:, k], k], hidden[:, k].sum())
    for _ in range(rounds):
        for k in range(x.shape[1]):
            if not hidden[:, k].any():
                continue
            others, own = np.delete(filled, k, 1), ~hidden[:, k]
            forest = RandomForestRegressor(10, min_samples_leaf=5, random_state=int(random.integers(1 << 30)))
            leaves, wanted = forest.fit(others[own], x[own, k]).apply(others[own]), forest.apply(others[~own])
            tree = random.integers(10, size=len(wanted))
            for row, (t, leaf) in enumerate(zip(tree, wanted[np.arange(len(wanted)), tree], strict=True)):
                donors = np.flatnonzero(leaves[:, t] == leaf)
                filled[np.flatnonzero(~own)[row], k] = x[own, k][random.choice(donors)]
    return filled


def miss_forest(x: Floats, seed: int) -> Floats:
    """missForest: chained forests of 100 trees, five rounds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        forest = ExtraTreesRegressor(100, random_state=seed)
        return np.asarray(IterativeImputer(forest, max_iter=5, random_state=seed).fit_transform(x))[None]


def hyper_impute(x: Floats, seed: int) -> Floats:
    """HyperImpute (D. Jarrett et al., 2022): a model chosen for each column. It needs an environment of its own."""
    import pandas as pd
    from hyperimpute.plugins.imputers import Imputers
    from hyperimpute.utils.distributions import enable_reproducible_results

    if int(pd.__version__.split(".")[0]) > 2:
        raise RuntimeError("HyperImpute 0.1 writes to copies with pandas 3, and returns the means; use pandas 2.")
    enable_reproducible_results(seed)
    return np.asarray(Imputers().get("hyperimpute").fit_transform(pd.DataFrame(x)))[None]


IMPUTERS = {
    "mean": mean,
    "5-NN": neighbours,
    "mice-norm": mice_norm,
    "mice-rf": mice_forest,
    "missForest": miss_forest,
    "HyperImpute": hyper_impute,
}
ASKED_FOR = {"HyperImpute"}
"""Measured only where ``--methods`` names them."""
