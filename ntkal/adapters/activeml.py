"""For scikit-activeml: look-ahead as one of its query strategies, and a classifier around a network.

Needs the extra: ``pip install ntkal[activeml]``.
"""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jaxtyping import Float, Int
from skactiveml.base import SingleAnnotatorPoolQueryStrategy, SkactivemlClassifier
from skactiveml.utils import MISSING_LABEL, check_equal_missing_label, check_scalar, is_labeled, rand_argmax
from sklearn.base import clone
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from ntkal import acquisition, kernels, models, training
from ntkal.acquisition import PoolView, probabilities
from ntkal.acquisition.change import most_likely
from ntkal.inputs import as_labels, check_choice, check_number
from ntkal.lookahead import Lookahead
from ntkal.models import Model
from ntkal.training import TrainConfig

OBJECTIVES = tuple(name for name in acquisition.names() if acquisition.get(name).needs == {"lookahead"})
TRAIN = TrainConfig(steps=300, learning_rate=0.05)


class NetworkClassifier(SkactivemlClassifier):
    """A network with scikit-activeml's interface, trained from new weights by the squared loss at each fit.

    Rows of X without a label are passed over. Scale the features before, to a standard deviation of about 1:
    the kernel and the training see them as they are.

    Args:
        model: A family of :mod:`ntkal.models` by name, or ``model(input_shape, classes)`` that returns a
            :class:`ntkal.models.Model`: one of ours with options, or around a network of your own.
        input_shape: Shape of one input, such as ``(8, 8, 1)``, for networks that take images; rows of X stay
            flat. None: the rows as they are.
        train: How to train; 300 steps with a learning rate of 0.05 if None.
        classes: As in scikit-activeml, like the three below.
        missing_label: What stands for no label.
        cost_matrix: Of :meth:`predict`; probabilities do not depend on it.
        random_state: Draws the weights and the batches.

    Attributes:
        params_: Parameters after the fit; those at the start when there was no label at all.
        classes_: The classes, sorted, in the order of the network's outputs.

    Raises:
        ValueError: From ``fit``, for a bad setting, or features that do not make inputs of ``input_shape``.
        FloatingPointError: From ``fit``, when the loss is no longer finite.

    Example:
        >>> X = np.array([[-1.0], [-0.5], [0.5], [1.0]])
        >>> clf = NetworkClassifier(train=TrainConfig(50, learning_rate=0.05), random_state=0)
        >>> clf.fit(X, [0, np.nan, np.nan, 1]).predict(X).tolist()
        [0.0, 0.0, 1.0, 1.0]
    """

    def __init__(
        self,
        model: str | Callable[[tuple[int, ...], int], Model] = "mlp",
        input_shape: tuple[int, ...] | None = None,
        train: TrainConfig | None = None,
        classes=None,
        missing_label=MISSING_LABEL,
        cost_matrix=None,
        random_state=None,
    ):
        super().__init__(classes, missing_label, cost_matrix, random_state)
        self.model, self.input_shape, self.train = model, input_shape, train

    @property
    def network(self) -> Model:
        """The network that was fitted; it is found again by its settings, so that a classifier pickles."""
        check_is_fitted(self)
        shape, classes = self._shape(self.n_features_in_), len(self.classes_)
        if isinstance(self.model, str):
            return models.get(self.model, input_shape=shape, classes=classes)
        model = self.model(shape, classes) if callable(self.model) else self.model
        if not isinstance(model, Model):
            raise ValueError(
                "model: expected a name, or a function of input shape and classes that returns a "
                f"ntkal.models.Model, got {type(model).__name__}."
            )
        return model

    def fit(self, X: Float[np.ndarray, "N d"], y: Any) -> "NetworkClassifier":
        """Train on the rows that have a label; see the class."""
        if y is None:
            raise ValueError("y: this classifier requires y to be passed, but the target y is None.")
        X = validate_data(self, X, ensure_min_samples=0)  # keeps the columns' names
        given = np.asarray(y)
        if given.dtype == object:  # numbers are numbers, unless None is among them
            given = np.array([*given.ravel()]).reshape(given.shape)
        X, y, _ = self._validate_data(X, given)
        given = column_or_1d(given, warn=True)
        if given.dtype.kind == "f" and np.isinf(given).any():
            raise ValueError("y: it contains infinity; labels are finite.")
        check_classification_targets(np.array([*given[y >= 0]]))
        if self.train is not None and not isinstance(self.train, TrainConfig):
            raise ValueError(f"train: expected a ntkal.training.TrainConfig or None, got {self.train!r}.")
        known = y >= 0  # missing ones have become -1
        start, draw = jax.random.split(jax.random.key(self.random_state_.randint(2**31 - 1)))
        network = self.network
        params = network.init(start)
        if known.any():
            targets = np.eye(len(self.classes_))[y[known].astype(int)]
            params, _ = training.fit(
                network, params, self.inputs(X[known]), targets, self.train or TRAIN, draw
            )
        self.params_ = jax.device_get(params)
        return self

    def inputs(self, X: Float[np.ndarray, "N d"]) -> Float[np.ndarray, "N ..."]:
        """Rows of X as the network takes them."""
        return np.asarray(X, np.float32).reshape(-1, *self._shape(np.shape(X)[1]))

    def outputs(self, X: Float[np.ndarray, "N d"]) -> Float[np.ndarray, "N C"]:
        """What the network says, a column for each class."""
        return training.predict(self.network, self.params_, self.inputs(X))

    def predict_proba(
        self, X: Float[np.ndarray, "N d"], return_embeddings: bool = False
    ) -> Float[np.ndarray, "N C"] | tuple[np.ndarray, np.ndarray]:
        """Probabilities of the classes, (N, C); if asked, the inputs of the last layer too, (N, h).

        So BADGE is ``Badge(clf_embedding_flag_name="return_embeddings")``.
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False)
        C = len(self.classes_)
        found = np.ones((len(X), 1)) if C == 1 else np.asarray(probabilities(self.outputs(X)))
        if not return_embeddings:
            return found
        rows = training.in_batches(self.network.features, self.params_, self.inputs(X), 500)
        return found, rows.astype(np.float64)

    def lookahead(
        self,
        x_l: Float[np.ndarray, "n d"],
        y_l: Any,
        x_p: Float[np.ndarray, "m d"],
        *,
        logit: int | str = "sum",
        relative_ridge: float = 1e-2,
    ) -> Lookahead:
        """The look-ahead over a pool, from the empirical kernel of the fitted network.

        Args:
            x_l: Labelled rows, (n, d); n may be 0: the linearised network before any label.
            y_l: Their labels, members of ``classes_``.
            x_p: The pool, (m, d).
            logit: As in :func:`ntkal.empirical_ntk`.
            relative_ridge: Ridge as a fraction of the labelled kernel's mean diagonal.

        Raises:
            ValueError: For an empty pool, or a label that the classifier does not know.
        """
        check_is_fitted(self)
        network, f_p = self.network, self.outputs(x_p).astype(np.float64)
        options, x_p = {"logit": logit}, self.inputs(x_p)
        if len(x_l) == 0:
            k_pp = kernels.empirical_ntk(network.apply, self.params_, x_p, **options).astype(float)
            return Lookahead(jax.numpy.asarray(f_p), k_pp, relative_ridge * float(k_pp.diagonal().mean()))
        targets = np.asarray(y_l)[:, None] == self.classes_[None]
        if not targets.any(axis=1).all():
            raise ValueError(f"y: some labels are none of the classes {self.classes_.tolist()}.")
        f_l, x_l = self.outputs(x_l), self.inputs(x_l)
        blocks = kernels.split_ntk(network.apply, self.params_, x_l, x_p, **options)
        ridge = relative_ridge * float(blocks[0].diagonal().mean())
        return Lookahead.fit(*blocks, f_l, f_p, as_labels("y", targets, targets.shape), ridge=ridge)

    def _shape(self, features: int) -> tuple[int, ...]:
        shape = (features,) if self.input_shape is None else tuple(self.input_shape)
        if int(np.prod(shape)) != features:
            raise ValueError(f"input_shape: {shape} does not come to the {features} features of X.")
        return shape


class LookAhead(SingleAnnotatorPoolQueryStrategy):
    """The paper's acquisition by look-ahead, as a query strategy of scikit-activeml.

    Changes and errors are counted over the candidates, who are the pool. Their kernel is an array of m * m
    numbers: for more than some thousand candidates give a random subset of them.

    Args:
        objective: ``"mlmoc"``, ``"mlmoc_norm"``, ``"emoc"`` or ``"eer"``.
        mode: How a batch is made. ``"batch"``: the best scores of one round. ``"hallucinated"``: after each
            pick its most likely label goes through the look-ahead, and the others are scored again.
        logit: As in :func:`ntkal.empirical_ntk`.
        relative_ridge: Ridge as a fraction of the labelled kernel's mean diagonal, at least 0.
        missing_label: What stands for no label, as in scikit-activeml.
        random_state: Breaks ties between equal utilities.

    Source:
        Mohamadi, Bae and Sutherland (2022), algorithm 1; the objectives in :mod:`ntkal.acquisition`.

    Example:
        >>> X = np.linspace(-1, 1, 6)[:, None]
        >>> y = np.array([0, np.nan, np.nan, np.nan, np.nan, 1])
        >>> clf = NetworkClassifier(train=TrainConfig(50, learning_rate=0.05), classes=[0, 1], random_state=0)
        >>> picks = LookAhead("mlmoc_norm", random_state=0).query(X, y, clf, batch_size=2)
        >>> len(picks), set(picks.tolist()) < {1, 2, 3, 4}
        (2, True)
    """

    def __init__(
        self,
        objective: str = "mlmoc",
        mode: str = "batch",
        logit: int | str = "sum",
        relative_ridge: float = 1e-2,
        missing_label=MISSING_LABEL,
        random_state=None,
    ):
        super().__init__(missing_label=missing_label, random_state=random_state)
        self.objective, self.mode, self.logit, self.relative_ridge = objective, mode, logit, relative_ridge

    def query(
        self,
        X: Float[np.ndarray, "N d"],
        y: Any,
        clf: NetworkClassifier,
        fit_clf: bool = True,
        candidates: Any = None,
        batch_size: int = 1,
        return_utilities: bool = False,
    ) -> Int[np.ndarray, " k"] | tuple[np.ndarray, np.ndarray]:
        """Choose the candidates to label, best first.

        Args:
            X: All rows, (N, d).
            y: Their labels, with ``missing_label`` where there is none, (N,).
            clf: The classifier; it is not changed.
            fit_clf: Whether to fit a copy of it first. If False, it is used as it was fitted; the look-ahead
                still takes the labels from ``y``.
            candidates: Positions in X, or rows; None: all without a label.
            batch_size: How many.
            return_utilities: Whether to return the scores of each round as well, (k, N), NaN where a row is
                no candidate or was picked; (k, m) when the candidates are rows.

        Raises:
            TypeError: For a classifier of another kind, and as scikit-activeml does.
            ValueError: For a bad setting or argument.
        """
        X, y, candidates, batch_size, return_utilities = self._validate_data(
            X, y, candidates, batch_size, return_utilities, reset=True
        )
        pool, mapping = self._transform_candidates(candidates, X, y)
        if not isinstance(clf, NetworkClassifier):
            raise TypeError(
                f"clf: expected an {NetworkClassifier.__module__}.NetworkClassifier, got {clf!r}."
            )
        check_equal_missing_label(clf.missing_label, self.missing_label_)
        check_scalar(fit_clf, "fit_clf", bool)
        strategy = acquisition.get(check_choice("objective", self.objective, OBJECTIVES))
        check_choice("mode", self.mode, ("batch", "hallucinated"))
        ridge = check_number("relative_ridge", self.relative_ridge, low=0)
        if len(pool) == 0:
            raise ValueError("candidates: there is none; every row of X has a label.")
        clf = clone(clf).fit(X, y) if fit_clf else clf
        known = is_labeled(y, self.missing_label_)
        post = clf.lookahead(X[known], y[known], pool, logit=self.logit, relative_ridge=ridge)
        at = np.arange(len(pool)) if mapping is None else mapping
        utilities = np.full((batch_size, len(pool) if mapping is None else len(X)), np.nan)
        picks: list[int] = []
        scores = _scores(strategy, post)
        for row in utilities:
            row[at] = scores
            row[at[picks]] = np.nan
            picks.append(int(rand_argmax(row[at], random_state=self.random_state_)[0]))
            if self.mode == "hallucinated" and len(picks) < batch_size:
                post = post.reveal(picks[-1], most_likely(post)[picks[-1]])
                scores = _scores(strategy, post)
        return (at[picks], utilities) if return_utilities else at[picks]


def _scores(strategy: acquisition.Strategy, post: Lookahead) -> Float[np.ndarray, " m"]:
    return np.asarray(strategy.score(PoolView(post.mean, post=post), None))
