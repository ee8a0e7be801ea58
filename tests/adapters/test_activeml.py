"""The adapters for scikit-activeml: what its own template of tests asks of a strategy, and scikit-learn's."""

import copy
import inspect
import pickle
import warnings

import jax
import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB
from sklearn.utils.estimator_checks import check_estimator

import ntkal
from ntkal import acquisition, training
from ntkal.training import TrainConfig

pytest.importorskip("skactiveml", reason="scikit-activeml is not installed: pip install ntkal[activeml]")
with warnings.catch_warnings(action="ignore"):
    from skactiveml.classifier import ParzenWindowClassifier
    from skactiveml.pool import Badge, UncertaintySampling

    from ntkal.adapters.activeml import OBJECTIVES, LookAhead, NetworkClassifier

pytestmark = pytest.mark.filterwarnings("ignore")  # what scikit-activeml warns of is not ours to mend
TRAIN = TrainConfig(steps=60, learning_rate=0.05)
X = np.array([[1.0, 2.0], [5.0, 8.0], [8.0, 4.0], [5.0, 4.0], [2.0, 7.0], [3.0, 1.0], [7.0, 7.0]]) / 4 - 1
Y = np.array([0.0, 1.0, np.nan, np.nan, np.nan, np.nan, np.nan])


def small(shape, classes):
    return ntkal.models.mlp(shape, classes, width=32)


def classifier(**options):
    return NetworkClassifier(small, train=TRAIN, **{"classes": [0, 1], "random_state": 0} | options)


def ask(strategy=None, **options):
    strategy = strategy or LookAhead("mlmoc_norm", random_state=42)
    return strategy.query(**{"X": X, "y": Y, "clf": classifier()} | options)


# The classifier

STRINGS = "scikit-activeml has no label NaN among strings; it asks for another missing_label, and so do we"


def test_the_classifier_is_one_of_scikit_learn(as_user):
    expected = {"check_classifiers_classes": STRINGS}
    mine = NetworkClassifier(small, train=TRAIN, random_state=0)
    done = check_estimator(mine, on_skip=None, expected_failed_checks=expected)
    assert len(done) > 40


def test_the_one_check_that_fails_fails_for_a_classifier_of_scikit_activeml_too():
    with pytest.raises(TypeError, match="missing_label"):
        ParzenWindowClassifier().fit(X[:2], ["one", "two"])
    with pytest.raises(TypeError, match="missing_label"):
        classifier(classes=None).fit(X[:2], ["one", "two"])
    assert classifier(classes=None, missing_label="").fit(X[:2], ["one", "two"]).predict(X[:2]).tolist() == [
        "one",
        "two",
    ]


def test_the_classifier_is_the_network_trained_on_the_labelled_rows():
    clf = classifier().fit(X, Y)
    start, draw = jax.random.split(jax.random.key(np.random.RandomState(0).randint(2**31 - 1)))
    model = small((2,), 2)
    params, _ = training.fit(model, model.init(start), X[:2].astype(np.float32), np.eye(2), TRAIN, draw)
    np.testing.assert_array_equal(clf.outputs(X), training.predict(model, params, X.astype(np.float32)))
    np.testing.assert_array_equal(clf.predict_proba(X), acquisition.probabilities(clf.outputs(X)))


def test_a_fitted_classifier_survives_pickling_and_copying():
    clf = classifier().fit(X, Y)
    for other in (pickle.loads(pickle.dumps(clf)), copy.deepcopy(clf)):
        np.testing.assert_array_equal(other.predict_proba(X), clf.predict_proba(X))


def test_without_any_label_the_classifier_knows_nothing_and_can_be_asked():
    clf = classifier().fit(X, np.full(7, np.nan))
    assert clf.predict_proba(X).shape == (7, 2)
    assert len(ask(y=np.full(7, np.nan))) == 1


def test_images_come_as_rows_and_are_taken_as_images(as_user):
    def cnn(shape, classes):
        return ntkal.models.cnn(shape, classes, width=4)

    images = np.random.default_rng(0).random((6, 16))
    clf = NetworkClassifier(cnn, (4, 4, 1), TrainConfig(steps=2), random_state=0).fit(images, [0, 1, 2] * 2)
    assert clf.predict_proba(images).shape == (6, 3)
    with pytest.raises(ValueError, match="input_shape: .* does not come to the 15 features"):
        clf.fit(images[:, :15], [0, 1, 2] * 2)


@pytest.mark.parametrize("setting", [{"model": lambda shape, classes: None}, {"model": 3}, {"train": 100}])
def test_a_wrong_setting_of_the_classifier_is_named(as_user, setting):
    name = next(iter(setting))
    with pytest.raises(ValueError, match=f"^{name}: expected"):
        NetworkClassifier(**setting).fit(X, Y)


# The strategy: what scikit-activeml's template of tests checks


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_utilities_are_the_scores_of_the_lookahead(objective):
    clf = classifier().fit(X, Y)
    picks, utilities = ask(LookAhead(objective), clf=clf, fit_clf=False, return_utilities=True)
    model, x = clf.network, X.astype(np.float32)
    blocks = ntkal.kernels.split_ntk(model.apply, clf.params_, x[:2], x[2:], logit="sum")
    ridge = 0.01 * float(np.mean(np.diag(blocks[0])))
    post = ntkal.Lookahead.fit(*blocks, clf.outputs(X[:2]), clf.outputs(X[2:]), np.eye(2), ridge=ridge)
    probs = acquisition.probabilities(post.mean)
    score = getattr(ntkal, objective)
    scores = score(post, probs) if objective in ("emoc", "eer") else score(post)
    assert np.isnan(utilities[0, :2]).all()
    np.testing.assert_allclose(utilities[0, 2:], scores, rtol=1e-6)
    assert picks[0] == 2 + np.argmax(scores)


def test_a_hallucinated_batch_is_the_package_s_own():
    clf = classifier().fit(X, Y)
    strategy = LookAhead("mlmoc_norm", mode="hallucinated")
    picks, utilities = ask(strategy, clf=clf, fit_clf=False, batch_size=4, return_utilities=True)
    post = clf.lookahead(X[:2], Y[:2], X[2:])
    rule = acquisition.get("mlmoc_norm")
    want = ntkal.sequential.pick(rule, post, 4, np.random.default_rng(0))
    assert picks.tolist() == (want + 2).tolist()
    assert [np.isnan(row).sum() for row in utilities] == [2, 3, 4, 5]


def test_a_batch_has_the_best_utilities_best_first():
    picks, utilities = ask(batch_size=3, return_utilities=True)
    assert picks.tolist() == (2 + np.argsort(-utilities[0, 2:], kind="stable")[:3]).tolist()
    assert [np.isnan(row).sum() for row in utilities] == [2, 3, 4]


WRONG = {
    "random_state": [(np.nan, ValueError), ("state", ValueError)],
    "missing_label": [(GaussianNB, TypeError)],
    "objective": [("mlmok", ValueError), (None, ValueError), ("margin", ValueError)],
    "mode": [("sequential", ValueError), (1, ValueError)],
    "logit": [(5, ValueError), ("all", ValueError), ("last", ValueError)],
    "relative_ridge": [(-1, ValueError), ("a", ValueError)],
}
ASKED = {
    "X": [("string", (ValueError, TypeError)), (np.vstack([X, X]), ValueError)],
    "y": [(np.nan, TypeError), (GaussianNB, TypeError), (np.vstack([Y, Y]), ValueError)],
    "clf": [(value, TypeError) for value in (np.nan, "state", GaussianNB(), ParzenWindowClassifier())],
    "fit_clf": [(np.nan, TypeError), ("state", TypeError)],
    "candidates": [(np.nan, ValueError), (GaussianNB, TypeError), ([99], ValueError)],
    "batch_size": [(0, ValueError), (1.2, TypeError)],
    "return_utilities": [("string", TypeError), (GaussianNB, TypeError)],
}


def test_each_argument_of_the_strategy_has_its_wrong_values_below():
    assert set(inspect.signature(LookAhead.__init__).parameters) - {"self"} == set(WRONG)
    assert set(inspect.signature(LookAhead.query).parameters) - {"self"} == set(ASKED)


@pytest.mark.parametrize("name", [*WRONG, *ASKED])
def test_wrong_values_raise_the_error_that_scikit_activeml_expects(as_user, name):
    for value, error in (WRONG | ASKED)[name]:
        with pytest.raises(error):
            ask(LookAhead(**{name: value})) if name in WRONG else ask(**{name: value})


@pytest.mark.parametrize("name", WRONG)
def test_settings_are_kept_as_they_were_given(as_user, name):
    value = object()
    assert getattr(LookAhead(**{name: value}), name) is value


@pytest.mark.parametrize(
    ("missing", "classes", "kind"),
    [
        (np.nan, [1.0, 2.0], float),
        (0, [1, 2], int),
        (None, [1, 2], object),
        (None, ["A", "B"], object),
        ("", ["A", "B"], str),
    ],
)
def test_labels_of_every_kind_give_the_same_utilities(missing, classes, kind):
    y = np.full(7, missing, dtype=kind)
    y[:2] = classes
    strategy = LookAhead("mlmoc_norm", missing_label=missing, random_state=0)
    clf = classifier(classes=classes, missing_label=missing)
    found = ask(strategy, y=y, clf=clf, return_utilities=True)[1]
    np.testing.assert_array_equal(found, ask(return_utilities=True)[1])


@pytest.mark.parametrize("fitted", [True, False])
def test_the_classifier_is_not_changed_by_a_query(fitted):
    clf = classifier()
    if fitted:
        clf.fit(X, Y)
    before = pickle.dumps(clf)
    ask(clf=clf, fit_clf=not fitted)
    assert pickle.dumps(clf) == before


def test_the_same_random_state_gives_the_same_queries():
    strategy = LookAhead(random_state=np.random.RandomState(0))
    one, other = (ask(strategy, return_utilities=True, batch_size=3) for _ in range(2))
    np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_array_equal(one[1], other[1])


@pytest.mark.parametrize("labels", [0, 1, 4])
def test_few_labels_and_labels_of_one_class_will_do(labels):
    y = np.full(7, np.nan)
    y[:labels] = 0
    assert ask(y=y)[0] in range(labels, 7)


def test_more_than_there_are_is_a_warning_and_all_of_them():
    with pytest.warns(UserWarning, match="larger than number of"):
        assert sorted(ask(batch_size=9)) == [2, 3, 4, 5, 6]


def test_candidates_as_none_positions_or_rows_are_the_same():
    def utilities(candidates):
        return ask(candidates=candidates, return_utilities=True)[1]

    whole = utilities(None)
    np.testing.assert_array_equal(whole, utilities(np.arange(2, 7)))
    np.testing.assert_array_equal(whole[0, 2:], utilities(X[2:])[0])
    one = utilities([3])
    assert np.flatnonzero(np.isfinite(one[0])).tolist() == [3]


def test_a_pool_without_candidates_is_refused(as_user):
    with pytest.raises(ValueError, match="^candidates: there is none"):
        ask(y=np.arange(7) % 2.0)


def test_a_label_that_the_fitted_classifier_does_not_know_is_refused(as_user):
    clf = classifier().fit(X, Y)
    with pytest.raises(ValueError, match="^y: some labels are none of the classes"):
        ask(clf=clf, fit_clf=False, y=Y + 1)


def test_other_strategies_of_the_library_take_the_classifier():
    clf = classifier().fit(X, Y)
    probs = clf.predict_proba(X[2:])
    margin = UncertaintySampling("margin_sampling", random_state=0)
    utilities = margin.query(X, Y, clf, fit_clf=False, return_utilities=True)[1][0, 2:]
    np.testing.assert_allclose(utilities, 1 - np.abs(probs[:, 0] - probs[:, 1]), rtol=1e-6)
    badge = Badge(clf_embedding_flag_name="return_embeddings", random_state=0)
    assert set(badge.query(X, Y, clf, batch_size=3)) <= set(range(2, 7))
    rows = clf.predict_proba(X, return_embeddings=True)[1]
    assert rows.shape == (7, 32)
