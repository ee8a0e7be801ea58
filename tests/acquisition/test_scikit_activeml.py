"""Two of ntkal's scores against scikit-activeml, which fits a new model for each candidate."""

import warnings

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import DotProduct

import ntkal
from ntkal.acquisition import expected_squared_change
from ntkal.textbook.bench.scikit_activeml import kernel_ridge

with warnings.catch_warnings(action="ignore"):
    from skactiveml.pool import ExpectedModelOutputChange, MonteCarloEER
    from skactiveml.regressor import SklearnNormalRegressor

pytestmark = pytest.mark.filterwarnings("ignore")  # what scikit-activeml warns of is not ours to mend


def setting(classes, n=8, m=12, p=30, ridge=0.3, seed=0):
    """Features, labels and the look-ahead of the linear kernel on them."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n + m, p)) / np.sqrt(p)
    if classes == 1:
        known = rng.normal(size=n)
        labels = known[:, None]
    else:
        known = np.concatenate([np.arange(classes), rng.integers(classes, size=n - classes)]).astype(float)
        labels = np.eye(classes)[known.astype(int)]
    k = features @ features.T
    blocks = k[:n, :n], k[n:, :n], k[n:, n:]
    post = ntkal.Lookahead.fit(*blocks, 0 * labels, np.zeros((m, classes)), labels, ridge=ridge)
    return features, np.concatenate([known, np.full(m, np.nan)]), post


def test_expected_model_output_change():
    x, y, post = setting(1)
    process = GaussianProcessRegressor(DotProduct(sigma_0=0.0), alpha=0.3, optimizer=None)
    rule = ExpectedModelOutputChange(integration_dict={"method": "gauss_hermite", "n_integration_samples": 3})
    _, theirs = rule.query(x, y, SklearnNormalRegressor(process), return_utilities=True)
    np.testing.assert_allclose(expected_squared_change(post), theirs[0, -12:], rtol=1e-10)


def test_monte_carlo_expected_error_reduction():
    x, y, post = setting(3)
    model = kernel_ridge()(0.3, classes=[0, 1, 2])
    rule = MonteCarloEER(method="log_loss")
    _, theirs = rule.query(x, y, model, X_eval=x[-12:], return_utilities=True)
    probs = softmax(np.asarray(post.mean), axis=1)
    np.testing.assert_allclose(ntkal.eer(post, probs, link="softmax"), theirs[0, -12:], rtol=1e-10)
