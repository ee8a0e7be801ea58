"""Wrong answers to question 3 of problem set 4."""

from wrong_answers import Wrong

RETRAIN = "np.vstack([labelled.x, pool.x[c]]), np.vstack([labelled.y, label])"

BANK = {
    "mlmoc": [
        Wrong(
            "the look-ahead label is taken from the oracle",
            {"np.eye(f.shape[1])[f[c].argmax()]": "pool.y[c]"},
            {"mlmoc-scores", "mlmoc-oracle"},
            "taken from the oracle",
        ),
        Wrong(
            "arg-min for arg-max",
            {"f[c].argmax()": "f[c].argmin()"},
            {"mlmoc-scores"},
            "arg-min for arg-max",
        ),
        Wrong(
            "the outputs for the label",
            {"np.eye(f.shape[1])[f[c].argmax()]": "f[c]"},
            {"mlmoc-memory", "mlmoc-scores"},
        ),
        Wrong(
            "the candidate replaces the labelled set",
            {RETRAIN: "pool.x[[c]], label[None]"},
            {"mlmoc-scores", "mlmoc-price"},
            "on the candidate alone",
        ),
        Wrong(
            "the length of the whole change",
            {"np.linalg.norm(after - f, axis=1).sum()": "np.linalg.norm(after - f)"},
            {"mlmoc-scores"},
            "length of the whole change",
        ),
        Wrong(
            "mean for sum", {"axis=1).sum()": "axis=1).mean()"}, {"mlmoc-memory", "mlmoc-scores"}, "the mean"
        ),
        Wrong(
            "squared lengths",
            {"np.linalg.norm(after - f, axis=1).sum()": "((after - f) ** 2).sum()"},
            {"mlmoc-memory", "mlmoc-scores"},
            "were squared",
        ),
        Wrong(
            "the largest change of any label",
            {
                "label = np.eye(f.shape[1])[f[c].argmax()]\n        ": "",
                f"after = fit({RETRAIN})(pool.x)\n        ": (
                    f"afters = [fit({RETRAIN})(pool.x) for label in np.eye(f.shape[1])]\n        "
                ),
                "np.linalg.norm(after - f, axis=1).sum()": (
                    "max(np.linalg.norm(after - f, axis=1).sum() for after in afters)"
                ),
            },
            {"mlmoc-scores", "mlmoc-price"},
            "the largest of all",
        ),
        Wrong(
            "the present model is trained again for each candidate",
            {
                "        label = np.eye": (
                    "        f = fit(labelled.x, labelled.y)(pool.x)\n        label = np.eye"
                )
            },
            {"mlmoc-price"},
            "take 25 trainings",
        ),
    ],
    "expected": [
        Wrong(
            "softmax weights",
            {"p = read(f)": "p = special.softmax(f, axis=1)"},
            {"expected-emoc", "expected-eer"},
            "nearly uniform",
        ),
        Wrong(
            "a softmax everywhere",
            {
                "p = np.maximum(outputs, 0)\n        return p / p.sum(axis=1, keepdims=True)": (
                    "return special.softmax(outputs, axis=1)"
                )
            },
            {"expected-memory", "expected-emoc", "expected-eer"},
            "Both the weights and the entropies",
        ),
        Wrong(
            "the look-ahead label is taken from the oracle",
            {"p[c, k] *": "pool.y[c, k] *"},
            {"expected-emoc", "expected-eer"},
            "taken from the oracle",
        ),
        Wrong(
            "the sign of EER",
            {"eer[c] -=": "eer[c] +="},
            {"expected-memory", "expected-eer"},
            "sign is reversed",
        ),
        Wrong(
            "equal weights",
            {"p = read(f)": "p = np.full(f.shape, 1 / f.shape[1])"},
            {"expected-emoc", "expected-eer"},
            "equal weights",
        ),
        Wrong(
            "no weights",
            {"p[c, k] * ": ""},
            {"expected-memory", "expected-emoc", "expected-eer"},
            "have no weights",
        ),
        Wrong(
            "the entropy of the candidate alone",
            {"special.entr(read(after)).sum()": "special.entr(read(after))[c].sum()"},
            {"expected-memory", "expected-eer"},
            "own entropy",
        ),
        Wrong(
            "bits",
            {"special.entr(read(after)).sum()": "special.entr(read(after)).sum() / np.log(2)"},
            {"expected-memory", "expected-eer"},
            "natural logarithms",
        ),
        Wrong(
            "the pair exchanged",
            {"return emoc, eer": "return eer, emoc"},
            {"expected-memory", "expected-emoc", "expected-eer"},
            "wrong order",
        ),
        Wrong(
            "the most likely label only",
            {"p = read(f)": "p = np.eye(f.shape[1])[f.argmax(axis=1)]"},
            {"expected-emoc", "expected-eer"},
            "most likely label alone",
        ),
    ],
}
