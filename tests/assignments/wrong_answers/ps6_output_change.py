"""Wrong answers that students give to problem set 6, and what each must lose."""

from wrong_answers import Wrong

PRESSURE = {"pressure-two", "pressure-values", "pressure-flips"}
QUERY = {"query-guesses", "query-answers"}
GAINS = {"gains-two", "gains-values", "gains-empty"}
FLIPS = {"flips-two", "flips-values"}

BANK = {
    "flips": [
        Wrong("the ridge is forgotten", {"(cov[c, c] + ridge)": "cov[c, c]"}, FLIPS, "ridge is missing"),
        Wrong("arg-min for arg-max in the label", {"mean[c].argmax()": "mean[c].argmin()"}, FLIPS, "arg-min"),
        Wrong("the mean is missing", {"label - mean[c]": "label"}, {"flips-values"}, "mean is missing"),
        Wrong(
            "divided by the variances of the pool",
            {"(cov[c, c] + ridge)": "(np.diag(cov) + ridge)"},
            {"flips-values"},
            "not that of the point",
        ),
        Wrong(
            "the flips to the label's class only",
            {
                "after.argmax(axis=1) != mean.argmax(axis=1)": (
                    "(after.argmax(axis=1) != mean.argmax(axis=1)) & (after.argmax(axis=1) == label.argmax())"
                )
            },
            {"flips-values"},
            "All flips count",
        ),
        Wrong("the predictions that stay", {"!=": "=="}, {"flips-two", "flips-values"}, "that stay"),
    ],
    "pressure": [
        Wrong("rows and columns exchanged", {"return out": "return out.T"}, PRESSURE, "Rows and columns"),
        Wrong(
            "divided by the variance of the pool point",
            {"(np.diag(cov) + ridge)": "(np.diag(cov) + ridge)[:, None]"},
            PRESSURE,
            "not by that of the pool point",
        ),
        Wrong(
            "the ridge is forgotten",
            {"(np.diag(cov) + ridge)": "np.diag(cov)"},
            {"pressure-values", "pressure-flips"},
            "ridge is missing",
        ),
        Wrong(
            "the ridge twice",
            {"(np.diag(cov) + ridge)": "(np.diag(cov) + 2 * ridge)"},
            {"pressure-values", "pressure-flips"},
            "counted twice",
        ),
        Wrong(
            "arg-min for arg-max",
            {"np.eye(classes)[present] - mean": "np.eye(classes)[mean.argmin(axis=1)] - mean"},
            PRESSURE,
            "arg-min",
        ),
        Wrong(
            "negative pressures",
            {
                "np.zeros((m, m))": "np.full((m, m), -np.inf)",
                "np.maximum(out, push / lead[:, [k]])": (
                    "np.where(present[:, None] == k, out, np.maximum(out, push / lead[:, [k]]))"
                ),
            },
            {"pressure-two", "pressure-values"},
            "negative pressure is zero",
        ),
        Wrong(
            "the lead over the runner-up for every class",
            {"out = np.zeros": "lead[:] = lead.min(axis=1, keepdims=True)\n    out = np.zeros"},
            {"pressure-values", "pressure-flips"},
            "lead of its own",
        ),
        Wrong(
            "the push without the present class",
            {"(surprise[:, k][None, :] - surprise[:, present].T)": "surprise[:, k][None, :]"},
            PRESSURE,
            "present class moves",
        ),
        Wrong(
            "the present class of the candidate instead of the pool point's",
            {"surprise[:, present].T": "surprise[np.arange(m), present][None, :]"},
            {"pressure-two", "pressure-values", "pressure-flips"},
        ),
    ],
    "query": [
        Wrong(
            "arg-min for arg-max",
            {"-np.inf": "np.inf", "np.argmax(scores)": "np.argmin(scores)"},
            {"query-order", "query-guesses", "query-answers", "query-noisy"},
            "arg-min",
        ),
        Wrong(
            "the look-ahead takes the oracle's label",
            {"np.linalg.norm(likely - mean": "np.linalg.norm((likely if labels is None else labels) - mean"},
            {"query-answers"},
            "before the answer nobody knows it",
        ),
        Wrong(
            "the covariance is not updated after a reveal",
            {"        cov = cov - np.outer(weight, cov[c])\n": ""},
            QUERY,
            "covariance was not updated",
        ),
        Wrong(
            "the mean is not updated after a reveal",
            {"        mean = mean + np.outer(weight, y - mean[c])\n": ""},
            QUERY,
            "mean was not updated",
        ),
        Wrong(
            "guesses from the first mean",
            {
                "picks = []": "picks, first = [], np.eye(mean.shape[1])[mean.argmax(axis=1)]",
                "y = likely[c]": "y = first[c]",
            },
            {"query-guesses"},
            "not that of the first mean",
        ),
        Wrong(
            "the answers are not heard",
            {"if labels is None else labels[c]": ""},
            {"query-answers"},
            "not heard",
        ),
        Wrong(
            "the ridge is forgotten in the score",
            {"np.abs(cov).sum(axis=0) / variance": "np.abs(cov).sum(axis=0) / np.diag(cov)"},
            {"query-order", "query-guesses", "query-answers"},
            "denominator of the score",
        ),
        Wrong(
            "the signed sum of covariances",
            {"np.abs(cov).sum(axis=0)": "np.abs(cov.sum(axis=0))"},
            QUERY,
        ),
        Wrong(
            "one candidate twice",
            {"        scores[picks] = -np.inf\n": ""},
            {"query-noisy"},
            "not different",
        ),
        Wrong(
            "in place",
            {"mean = mean + np": "mean += np", "cov = cov - np": "cov -= np"},
            {"query-arguments"},
            "in place",
        ),
    ],
    "gains": [
        Wrong(
            "the picks are not conditioned on",
            {"left = cov - cov[:, picks] @ np.linalg.solve(inner, cov[picks])": "left = cov"},
            {"gains-two", "gains-values"},
            "single readings",
        ),
        Wrong("no factor 1/2", {"0.5 * np.log": "np.log"}, GAINS, "factor 1/2"),
        Wrong("bits", {"np.log(1": "np.log2(1"}, GAINS, "natural one"),
        Wrong(
            "the ridge is forgotten in the Schur complement",
            {" + ridge * np.eye(len(picks))": ""},
            {"gains-two", "gains-values"},
            "noisy too",
        ),
        Wrong(
            "the ridge twice",
            {"ridge * np.eye": "2 * ridge * np.eye"},
            {"gains-two", "gains-values"},
            "counted twice",
        ),
        Wrong(
            "the variance left",
            {"0.5 * np.log(1 + np.diag(left) / ridge)": "np.diag(left)"},
            GAINS,
            "not yet the information",
        ),
        Wrong(
            "no division by the ridge",
            {"np.diag(left) / ridge": "np.diag(left)"},
            GAINS,
            "divided by the ridge",
        ),
        Wrong(
            "no picks are not foreseen",
            {"cov[:, picks]": "cov[:, np.array(picks)]"},
            {"gains-empty"},
        ),
    ],
    "compare": [
        Wrong(
            "the guesses hear the answers",
            {'truth if mode == "answers" else None': "truth"},
            {"compare-picks"},
            "picks of answers",
        ),
        Wrong(
            "the answers are guessed",
            {'truth if mode == "answers" else None': "None"},
            {"compare-picks"},
            "picks of guesses",
        ),
        Wrong(
            "the ridge is forgotten in the information",
            {"+ s / 0.05": "+ s"},
            {"compare-information"},
            "ridge is missing",
        ),
        Wrong("no factor 1/2", {"0.5 * np.linalg": "np.linalg"}, {"compare-information"}, "factor 1/2"),
        Wrong(
            "single readings added up",
            {
                "np.linalg.slogdet(np.eye(len(chosen)) + s / 0.05)[1]": (
                    "np.log(1 + np.diag(s) / 0.05).sum()"
                ),
            },
            {"compare-information"},
            "counts once",
        ),
        Wrong(
            "the start set is forgotten",
            {"scored(np.append(start, pool[chosen]))": "scored(pool[chosen])"},
            {"compare-accuracy"},
            "start are missing",
        ),
        Wrong(
            "picks as rows of the training set",
            {"np.append(start, pool[chosen])": "np.append(start, chosen)"},
            {"compare-accuracy"},
            "indices into the pool",
        ),
        Wrong("arg-min for arg-max", {"f.argmax": "f.argmin"}, {"compare-accuracy"}, "arg-min"),
        Wrong(
            "theirs minus ours",
            {"table[ours] - table[theirs]": "table[theirs] - table[ours]"},
            {"compare-verdicts"},
            "guesses against batch",
        ),
        Wrong(
            "a verdict too few",
            {'(("guesses", "batch"), ("answers", "guesses"))': '(("guesses", "batch"),)'},
            {"compare-form", "compare-verdicts"},
            "two verdicts",
        ),
        Wrong(
            "the verdict from the sign of the mean",
            {
                '"beats" if low > 0 else "loses" if high < 0 else "cannot tell"': (
                    '"beats" if mean > 0 else "loses"'
                )
            },
            {"compare-verdicts"},
            "the interval is",
        ),
        Wrong(
            "the first candidates, whatever their scores",
            {"picks[mode] = [choose(post, truth, mode)": "picks[mode] = [np.arange(BUDGET)"},
            {"compare-picks"},
        ),
        Wrong(
            "one candidate bought many times",
            {"picks[mode] = [choose(post, truth, mode)": "picks[mode] = [np.zeros(BUDGET, dtype=int)"},
            {"compare-picks", "compare-information", "compare-accuracy", "compare-verdicts"},
            "different candidates",
        ),
    ],
}
