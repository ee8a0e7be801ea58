import jax.numpy as jnp
import numpy as np
import pytest

from ntkal import acquisition
from ntkal.acquisition import sequential
from ntkal.lookahead import FactorLookahead, ImplicitLookahead, Lookahead
from ntkal.textbook.oracle import Oracle

M, Q, C = 14, 9, 3


@pytest.fixture
def post(rng):
    x = rng.normal(size=(M, 6))
    return Lookahead(jnp.asarray(rng.normal(size=(M, C))), jnp.asarray(x @ x.T), ridge=0.1)


@pytest.fixture
def truth(rng):
    return rng.integers(0, C, M)


def test_the_queries_are_those_of_the_sequential_mode(post, truth):
    oracle = Oracle(post, truth, Q)
    for _ in range(5):
        oracle.tell(int(truth[oracle.query]))
    asked = Lookahead(post.mean[:Q], post.cov[:Q, :Q], post.ridge)
    picks = sequential.pick(
        acquisition.get("mlmoc"), asked, 5, np.random.default_rng(0), labels=np.eye(C)[truth[:Q]]
    )
    assert [reply.query for reply in oracle.replies] == picks.tolist()


def test_a_reply_says_what_the_refitted_model_says(post, truth):
    oracle = Oracle(post, truth, Q)
    before = np.asarray(post.mean).argmax(1)
    c = oracle.query
    label = (truth[c] + 1) % C
    reply = oracle.tell(int(label))
    after = np.asarray(post.after(c, jnp.eye(C)[label])).argmax(1)
    assert (reply.query, reply.label, reply.truth) == (c, label, truth[c])
    assert (reply.guess, reply.believed) == (before[c], after[c])
    assert reply.changed == np.sum(before[Q:] != after[Q:])
    assert reply.accuracy == oracle.accuracy == np.mean(after[Q:] == truth[Q:])
    assert oracle.at_first == np.mean(before[Q:] == truth[Q:])
    assert 0 < reply.seconds < 60


def test_the_truth_moves_neither_queries_nor_predictions(post, truth):
    one, other = Oracle(post, truth, Q), Oracle(post, (truth + 1) % C, Q)
    for label in (0, 2, 1, 1):
        assert one.query == other.query
        one.tell(label), other.tell(label)
    np.testing.assert_array_equal(one.post.mean, other.post.mean)


def test_an_answer_taken_back_leaves_nothing_behind(post, truth):
    plain, fickle = Oracle(post, truth, Q), Oracle(post, truth, Q)
    for label in (0, 1, 2):
        plain.tell(label)
        query = fickle.query
        fickle.tell((label + 1) % C)
        fickle.undo()
        assert fickle.query == query
        fickle.tell(label)
    assert fickle.query == plain.query
    np.testing.assert_array_equal(fickle.post.mean, plain.post.mean)
    np.testing.assert_array_equal(fickle.post.cov, plain.post.cov)
    columns = ["query", "label", "truth", "guess", "believed", "changed", "accuracy"]
    assert fickle.table()[columns].equals(plain.table()[columns])


def test_with_nothing_to_take_back_nothing_happens(post, truth):
    oracle = Oracle(post, truth, Q)
    query = oracle.query
    oracle.undo()
    assert (oracle.query, oracle.replies, len(oracle.table())) == (query, [], 0)
    assert "accuracy" in oracle.table()


def test_every_candidate_is_asked_for_once_and_then_none(post, truth):
    oracle = Oracle(post, truth, Q)
    for _ in range(Q):
        oracle.tell(0)
    assert oracle.query is None
    assert sorted(reply.query for reply in oracle.replies) == list(range(Q))
    with pytest.raises(ValueError, match="every candidate has one already"):
        oracle.tell(0)
    oracle.undo()
    assert oracle.query is not None


def test_a_wrong_label_is_named_with_what_the_model_makes_of_it(post, truth):
    oracle = Oracle(post, truth, Q)
    c = oracle.query
    wrong = int(truth[c] + 1) % C
    reply = oracle.tell(wrong)
    belief = "now believes you" if reply.believed == wrong else f"still takes it for a {reply.believed}"
    assert str(reply).startswith(f"You said {wrong}, it was a {truth[c]}: the model {belief}")
    oracle.undo()
    assert str(oracle.tell(int(truth[c]))).startswith(f"You said {truth[c]}, and so it is")


@pytest.mark.parametrize("ridge", [0.1, 1e6])
def test_a_model_that_cannot_be_convinced_is_not_said_to_believe(ridge):
    post = Lookahead(jnp.array([[1.0, 0.0]] * 3), jnp.eye(3), ridge=ridge)
    said = str(Oracle(post, np.zeros(3, int), 2).tell(1))
    assert ("now believes you" in said) == (ridge < 1)
    assert ("still takes it for a 0" in said) == (ridge > 1)


def fits(rng):
    """The three posteriors of one problem."""
    phi_l, phi_p = rng.normal(size=(6, 20)), rng.normal(size=(M, 20))
    rest = np.zeros((6, C)), rng.normal(size=(M, C)), np.eye(C)[rng.integers(0, C, 6)]
    blocks = phi_l @ phi_l.T, phi_p @ phi_l.T, phi_p @ phi_p.T
    yield Lookahead.fit(*blocks, *rest, ridge=0.3)
    yield ImplicitLookahead.fit(*blocks, *rest, ridge=0.3)
    yield FactorLookahead.fit(phi_l, phi_p, *rest, ridge=0.3)


def test_any_posterior_will_do_and_all_are_asked_alike(rng, truth):
    told = []
    for post in fits(rng):
        oracle = Oracle(post, truth, Q)
        oracle.tell(2)
        told.append(oracle)
    for other in told[1:]:
        assert [reply.query for reply in other.replies] == [reply.query for reply in told[0].replies]
        np.testing.assert_allclose(other.post.mean, told[0].post.mean, atol=1e-9)
        assert other.query == told[0].query


@pytest.mark.parametrize("label", [True, np.True_, 1.0, "1", None])
def test_a_label_is_a_whole_number(post, truth, label, as_user):
    with pytest.raises(ValueError, match="label: expected a whole number"):
        Oracle(post, truth, Q).tell(label)


@pytest.mark.parametrize(
    "change", [lambda y: y.astype(float), lambda y: y == 1, lambda y: y + 1, lambda y: y - 1]
)
def test_the_truth_is_classes_as_whole_numbers(post, change, as_user):
    with pytest.raises(ValueError, match="truth: expected whole numbers from 0 to 2, got"):
        Oracle(post, change(np.arange(M) % C), Q)


def test_scores_that_rank_nothing_are_refused(post, truth, as_user):
    for score in (lambda post: jnp.full(Q, jnp.nan), lambda post: jnp.zeros(M)):
        with pytest.raises(ValueError, match="score: expected 9 numbers"):
            Oracle(post, truth, Q, score)


def test_bad_arguments_are_named(post, truth, as_user):
    with pytest.raises(ValueError, match=r"truth: expected shape \(14,\), one class each, got \(3,\)"):
        Oracle(post, truth[:3], Q)
    for candidates in (0, M):
        with pytest.raises(ValueError, match="candidates"):
            Oracle(post, truth, candidates)
    for label in (-1, C):
        with pytest.raises(ValueError, match="label"):
            Oracle(post, truth, Q).tell(label)
