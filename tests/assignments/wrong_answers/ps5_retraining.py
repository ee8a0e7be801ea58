"""Wrong answers that students give to problem set 5, and what each must lose."""

from wrong_answers import Wrong

BOTH = {"forget-back", "forget-covariance", "forget-mean"}
ABSORB = {"absorb-one", "absorb-mean", "absorb-covariance", "absorb-again"}
IN_TURN = {"in-turn-two", "in-turn-values"}
SHRINKAGE = {"shrinkage-two", "shrinkage-groups"}

LEFT = {"left-two", "left-values"}

BANK = {
    "left": [
        Wrong(
            "rows and columns exchanged",
            {"own[:, None] - cov**2 / (own + ridge)": "(own[:, None] - cov**2 / (own + ridge)).T"},
            LEFT,
            "Rows and columns",
        ),
        Wrong("the ridge is forgotten", {"(own + ridge)": "own"}, LEFT, "ridge is missing"),
        Wrong(
            "divided by the variance of the pool point",
            {"(own + ridge)": "(own + ridge)[:, None]"},
            LEFT,
            "wrong variance",
        ),
        Wrong("the covariance is not squared", {"cov**2": "cov"}, LEFT, "is squared"),
        Wrong("what is taken away", {"own[:, None] - ": ""}, LEFT, "takes away"),
        Wrong("the ridge twice", {"own + ridge": "own + 2 * ridge"}, LEFT),
    ],
    "forget": [
        Wrong(
            "the label is revealed once more",
            {
                "mean = mean - np.outer(column, y - mean[c]) / freedom": (
                    "mean = mean + np.outer(column, y - mean[c]) / (cov[c, c] + ridge)"
                ),
                "cov = cov + np.outer(column, column) / freedom": (
                    "cov = cov - np.outer(column, column) / (cov[c, c] + ridge)"
                ),
            },
            BOTH,
            "once more",
        ),
        Wrong(
            "the denominator of a reveal",
            {
                "column) / freedom": "column) / (cov[c, c] + ridge)",
                "mean[c]) / freedom": "mean[c]) / (cov[c, c] + ridge)",
            },
            BOTH,
            "denominator is lambda - S_cc",
        ),
        Wrong(
            "the ridge is forgotten",
            {"column) / freedom": "column) / cov[c, c]", "mean[c]) / freedom": "mean[c]) / cov[c, c]"},
            BOTH,
            "ridge is missing",
        ),
        Wrong(
            "the covariance is not updated",
            {"cov = cov + np.outer(column, column) / freedom": "cov = cov.copy()"},
            {"forget-back", "forget-covariance"},
            "leaves more variance",
        ),
        Wrong(
            "the mean moves towards the label",
            {"mean = mean - np": "mean = mean + np"},
            {"forget-back", "forget-mean"},
            "pulled the mean",
        ),
        Wrong(
            "the label instead of the surprise",
            {"y - mean[c]": "y"},
            {"forget-back", "forget-mean"},
            "surprise is y - M_c",
        ),
        Wrong(
            "the covariance first, and then the mean with it",
            {
                "mean = mean - np.outer(column, y - mean[c]) / freedom": (
                    "cov = cov + np.outer(column, column) / freedom"
                ),
                "    cov = cov + np.outer(column, column) / freedom\n    return": (
                    "    mean = mean - np.outer(cov[:, c], y - mean[c]) / freedom\n    return"
                ),
            },
            {"forget-back", "forget-mean"},
            "present covariance",
        ),
        Wrong(
            "no complaint about a label that was never given",
            {"if freedom <= 0": "if freedom == 0"},
            {"forget-never"},
            "raise a ValueError",
        ),
        Wrong(
            "a complaint only far above the ridge",
            {"if freedom <= 0": "if cov[c, c] > 2 * ridge"},
            {"forget-never"},
            "not only far above",
        ),
        Wrong(
            "no complaint at the ridge itself",
            {"if freedom <= 0": "if freedom < 0"},
            {"forget-never"},
            "at least",
        ),
        Wrong(
            "a complaint already below the ridge",
            {"if freedom <= 0": "if freedom <= 0.1 * ridge"},
            {"forget-never"},
            "is possible",
        ),
        Wrong(
            "in place",
            {"mean = mean - np": "mean -= np", "cov = cov + np": "cov += np"},
            {"forget-arguments"},
            "in place",
        ),
    ],
    "absorb": [
        Wrong("the noise is forgotten", {" + np.diag(noises)": ""}, ABSORB, None),
        Wrong(
            "the single changes added up",
            {
                "cov[np.ix_(picks, picks)] + np.diag(noises)": "np.diag(np.diag(cov)[picks] + noises)",
            },
            {"absorb-mean", "absorb-covariance", "absorb-again"},
            "added up",
        ),
        Wrong(
            "one ridge for all",
            {"np.diag(noises)": "noises[0] * np.eye(len(picks))"},
            {"absorb-mean", "absorb-covariance", "absorb-again"},
            "first one's noise",
        ),
        Wrong("the noise squared", {"np.diag(noises)": "np.diag(noises**2)"}, ABSORB, "do not square"),
        Wrong(
            "the root of the noise", {"np.diag(noises)": "np.diag(np.sqrt(noises))"}, ABSORB, "their roots"
        ),
        Wrong("the noise twice", {"np.diag(noises)": "2 * np.diag(noises)"}, ABSORB, "counted twice"),
        Wrong(
            "the covariance is not updated",
            {"cov - weights.T @ cov[picks]": "cov"},
            {"absorb-one", "absorb-covariance", "absorb-again"},
            "Nothing was updated",
        ),
        Wrong(
            "mean minus label",
            {"labels - mean[picks]": "mean[picks] - labels"},
            {"absorb-one", "absorb-mean", "absorb-again"},
            "label minus mean",
        ),
        Wrong(
            "the labels without the mean",
            {"(labels - mean[picks])": "labels"},
            {"absorb-one", "absorb-mean", "absorb-again"},
            "without the present mean",
        ),
        Wrong(
            "rows and columns exchanged",
            {
                "np.linalg.solve(inner, cov[picks])": "np.linalg.solve(inner, cov[picks]).T",
            },
            ABSORB,
        ),
        Wrong(
            "each candidate is read once",
            {
                "picks = np.asarray(picks)": "picks, first = np.unique(picks, return_index=True)\n"
                "    labels, noises = labels[first], noises[first]"
            },
            {"absorb-again"},
            "three rows",
        ),
    ],
    "in-turn": [
        Wrong(
            "the start is forgotten", {"y - g - k @ alpha": "y - k @ alpha"}, {"in-turn-values"}, "start g"
        ),
        Wrong(
            "every round learns from the first residual",
            {"y - g - k @ alpha": "y - g"},
            IN_TURN,
            "start's residual",
        ),
        Wrong(
            "what was learned before is thrown away",
            {"rows = groups": "alpha = np.zeros(y.shape)\n        rows = groups"},
            IN_TURN,
            "thrown away",
        ),
        Wrong(
            "coefficients replaced instead of added to",
            {"alpha[rows] += ": "alpha[rows] = "},
            IN_TURN,
            "were replaced",
        ),
        Wrong(
            "everything in every round",
            {"rows = groups[j % len(groups)]": "rows = np.arange(len(k))"},
            IN_TURN,
            "everything at once",
        ),
        Wrong("passes for rounds", {"range(rounds)": "range(rounds * len(groups))"}, IN_TURN, "not passes"),
        Wrong("one round too few", {"range(rounds)": "range(rounds - 1)"}, IN_TURN, "too few"),
        Wrong(
            "two groups only",
            {"groups[j % len(groups)]": "groups[j % 2]"},
            {"in-turn-values"},
            "more than two",
        ),
        Wrong(
            "the last group first",
            {"groups[j % len(groups)]": "groups[-1 - j % len(groups)]"},
            IN_TURN,
            "from the first one",
        ),
    ],
    "shrinkage": [
        Wrong(
            "the cosine and not its square",
            {
                "return float(np.max(np.linalg.eigvals(to_b @ to_a).real))": (
                    "return float(np.sqrt(np.max(np.linalg.eigvals(to_b @ to_a).real)))"
                )
            },
            SHRINKAGE,
            "by its square",
        ),
        Wrong(
            "one minus the factor",
            {"return float(np.max": "return 1 - float(np.max"},
            SHRINKAGE,
            "what is gained",
        ),
        Wrong("arg-min for arg-max", {"np.max(": "np.min("}, {"shrinkage-groups"}),
        Wrong(
            "singular values for eigenvalues",
            {"np.max(np.linalg.eigvals(to_b @ to_a).real)": "np.linalg.norm(to_b @ to_a, 2)"},
            {"shrinkage-groups"},
        ),
        Wrong(
            "the trace",
            {"np.max(np.linalg.eigvals(to_b @ to_a).real)": "np.trace(to_b @ to_a)"},
            {"shrinkage-groups"},
            "trace",
        ),
        Wrong(
            "the inverses are forgotten",
            {
                "np.linalg.solve(k[np.ix_(a, a)], k_ab)": "k_ab",
                "np.linalg.solve(k[np.ix_(b, b)], k_ab.T)": "k_ab.T",
            },
            SHRINKAGE,
            "inverses",
        ),
        Wrong(
            "rows and columns exchanged",
            {"k_ab = k[np.ix_(a, b)]": "k_ab = k[np.ix_(b, a)]"},
            {"shrinkage-groups"},
        ),
    ],
    "forgetting": [
        Wrong(
            "every round starts at zero",
            {"alpha = alpha.copy()": "alpha = np.zeros_like(alpha)"},
            {"forgetting-curves", "forgetting-rehearsal"},
            "started at zero",
        ),
        Wrong(
            "the splits are exchanged",
            {"curve(by_class), curve(by_luck)": "curve(by_luck), curve(by_class)"},
            {"forgetting-curves"},
            "other way to split",
        ),
        Wrong(
            "error rates",
            {"argmax(axis=1) == test_labels": "argmax(axis=1) != test_labels"},
            {"forgetting-curves", "forgetting-rehearsal"},
            "error rates",
        ),
        Wrong(
            "arg-min for arg-max",
            {"argmax": "argmin"},
            {"forgetting-curves", "forgetting-rehearsal"},
            "arg-min was taken",
        ),
        Wrong(
            "second half first", {"halves[j % 2]": "halves[1 - j % 2]"}, {"forgetting-curves"}, "Odd rounds"
        ),
        Wrong(
            "no old digits", {"first[:r]": "first[:0]"}, {"forgetting-rehearsal"}, "each entry is the same"
        ),
        Wrong(
            "the last round for the joint training",
            {"joint = score(np.linalg.solve(k_ll, y_labelled))": "joint = curve_class[-1]"},
            {"forgetting-rehearsal"},
            "not of all digits",
        ),
        Wrong(
            "the curves begin before round 1",
            {"[]": "[np.mean(test_labels == 0)]", "range(20)": "range(19)"},
            {"forgetting-curves"},
            "not before",
        ),
        Wrong(
            "one round short",
            {"range(20)": "range(19)"},
            {"forgetting-form", "forgetting-curves"},
        ),
    ],
}
