"""The Gaussian-process classifier against explicit solves and scikit-learn."""

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Kernel

from ntkal.experiments import gaussian_process as gp
from ntkal.experiments.rivals import kernel_fn
from ntkal.inputs import SingularKernelError


class Given(Kernel):
    """Our kernel, in the dress of scikit-learn's."""

    def __init__(self, function=None):
        self.function = function

    def __call__(self, x, y=None, eval_gradient=False):
        return np.array(self.function(x) if y is None else self.function(x, y))

    def diag(self, x):
        return np.diag(self(x)).copy()

    def is_stationary(self):
        return False


@pytest.fixture
def case(rng):
    return rng.normal(size=(8, 3)), np.eye(4)[rng.integers(4, size=8)], rng.normal(size=(6, 3))


def test_outputs_and_covariance_are_those_of_scikit_learn(case):
    x, y, x_p = case
    model = gp.fit(x, y, relative_ridge=0.03)
    kernel = Given(kernel_fn("mlp", (3,)))
    assert model.ridge == pytest.approx(0.03 * np.mean(kernel.diag(x)), rel=1e-12)
    other = GaussianProcessRegressor(kernel, alpha=model.ridge, optimizer=None).fit(x, y[:, 0])
    mean, cov = other.predict(x_p, return_cov=True)
    np.testing.assert_allclose(model.outputs(x_p)[:, 0], mean, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(model.lookahead(x_p).cov, cov, atol=1e-7 * cov.max())


@pytest.mark.parametrize("ridge", [0.0, 0.1])
def test_the_lookahead_continues_the_outputs_and_a_reveal_is_a_new_fit(case, ridge):
    x, y, x_p = case
    post = gp.fit(x, y, relative_ridge=ridge).lookahead(x_p)
    model = gp.fit(x, y, relative_ridge=ridge)
    np.testing.assert_allclose(post.mean, model.outputs(x_p), rtol=1e-6, atol=1e-7)
    label = np.eye(4)[2]
    x_plus, y_plus = np.vstack([x, x_p[4]]), np.vstack([y, label])
    kernel = kernel_fn("mlp", (3,))
    solved = np.linalg.solve(np.asarray(kernel(x_plus)) + model.ridge * np.eye(9), y_plus)
    np.testing.assert_allclose(
        post.reveal(4, label).mean, np.asarray(kernel(x_p, x_plus)) @ solved, rtol=1e-5, atol=1e-6
    )


def test_without_a_ridge_it_interpolates_its_labels(case):
    x, y, _ = case
    np.testing.assert_allclose(gp.fit(x, y, relative_ridge=0).outputs(x), y, atol=1e-6)


def test_batches_change_no_output(case, monkeypatch):
    x, y, x_p = case
    model = gp.fit(x.astype(np.float32), y)
    whole = model.outputs(x_p)
    monkeypatch.setattr(gp, "BATCH", 4)
    np.testing.assert_allclose(model.outputs(x_p), whole, rtol=1e-12)


def test_it_learns_digits():
    """Real images, 100 labels: far above chance."""
    from sklearn.datasets import load_digits

    from ntkal.data import one_hot

    x, labels = load_digits(return_X_y=True)
    x = (x / 16).reshape(-1, 8, 8, 1)
    model = gp.fit(x[:100], one_hot(labels[:100], 10))
    assert np.mean(np.argmax(model.outputs(x[100:600]), axis=1) == labels[100:600]) > 0.75


def test_bad_arguments_are_named(as_user, case):
    x, y, x_p = case
    with pytest.raises(ValueError, match=r"y: expected shape \(8, any\), got \(7, 4\)"):
        gp.fit(x, y[:7])
    with pytest.raises(ValueError, match="name: unknown 'rbf'; choose one of cnn, mlp"):
        gp.fit(x, y, infinite="rbf")
    with pytest.raises(ValueError, match="ridge: expected a finite number of at least 0, got -1"):
        gp.fit(x, y, relative_ridge=-1)
    with pytest.raises(ValueError, match=r"x1: expected shape \(any, 3\), got \(6, 2\)"):
        gp.fit(x, y).outputs(x_p[:, :2])
    with pytest.raises(SingularKernelError, match="inputs 0 and 8 are duplicates"):
        gp.fit(np.vstack([x, x[:1]]), np.vstack([y, y[:1]]), relative_ridge=0.0)
