"""Wrong answers that students give to problem set 1, and what each must lose."""

from wrong_answers import Wrong

BANK = {
    "paired": [
        Wrong(
            "the sign is reversed",
            {
                "ours[shared].to_numpy() - theirs[shared].to_numpy()": (
                    "theirs[shared].to_numpy() - ours[shared].to_numpy()"
                )
            },
            {"paired-mean", "paired-ends"},
            "sign is reversed",
        ),
        Wrong(
            "rows are paired by their place",
            {
                "ours.index.intersection(theirs.index)": "range(min(len(ours), len(theirs)))",
                "ours[shared].to_numpy() - theirs[shared].to_numpy()": (
                    "ours.to_numpy()[: len(shared)] - theirs.to_numpy()[: len(shared)]"
                ),
            },
            {"paired-mean", "paired-ends", "paired-few"},
            "by their seed",
        ),
        Wrong("the standard deviation has ddof=0", {"ddof=1": "ddof=0"}, {"paired-ends"}, "ddof=1"),
        Wrong(
            "the normal quantile for Student's",
            {"stats.t.ppf(0.5 + level / 2, len(d) - 1)": "stats.norm.ppf(0.5 + level / 2)"},
            {"paired-ends"},
            "not the normal",
        ),
        Wrong("a one-sided quantile", {"0.5 + level / 2": "level"}, {"paired-ends"}, "two sides"),
        Wrong("the root of R is forgotten", {" / np.sqrt(len(d))": ""}, {"paired-ends"}, "s / sqrt(R)"),
        Wrong(
            "the two samples are taken for independent",
            {
                "return d.mean(), d.mean() - half, d.mean() + half": (
                    "apart = stats.ttest_ind(ours[shared], theirs[shared], equal_var=False)\n"
                    "    ends = apart.confidence_interval(level)\n"
                    "    return d.mean(), ends.low, ends.high"
                )
            },
            {"paired-ends"},
            "not independent",
        ),
        Wrong("the level is always 95%", {"0.5 + level / 2": "0.975"}, {"paired-ends"}, "level is not used"),
        Wrong(
            "one seed is enough",
            {'    if len(shared) < 2:\n        raise ValueError("fewer than two seeds in common")\n': ""},
            {"paired-few"},
            "raise a ValueError",
        ),
    ],
    "loo": [
        Wrong(
            "the ridge is forgotten",
            {"k + ridge * np.eye(len(k))": "k"},
            {"loo-refits", "loo-start"},
            "missing",
        ),
        Wrong(
            "the ridge is added twice", {"k + ridge": "k + 2 * ridge"}, {"loo-refits", "loo-start"}, "twice"
        ),
        Wrong(
            "divided by the diagonal of A",
            {"np.diag(inverse)[:, None]": "(np.diag(k) + ridge)[:, None]"},
            {"loo-refits", "loo-start", "loo-exact"},
            "not by that of A",
        ),
        Wrong(
            "residuals of the fit to all labels",
            {"inverse @ (y - g) / np.diag(inverse)[:, None]": "ridge * inverse @ (y - g)"},
            {"loo-refits", "loo-start", "loo-exact"},
            "nothing was left out",
        ),
        Wrong("the start is ignored", {"(y - g)": "y"}, {"loo-start"}, "start g is missing"),
        Wrong(
            "predictions for residuals",
            {"return inverse": "return y - inverse"},
            {"loo-refits", "loo-start", "loo-exact"},
            "predictions",
        ),
        Wrong(
            "the sign is reversed",
            {"(y - g)": "(g - y)"},
            {"loo-refits", "loo-start", "loo-exact"},
            "label minus fit",
        ),
        Wrong(
            "rows and columns exchanged in the division",
            {"np.diag(inverse)[:, None]": "np.diag(inverse)"},
            {"loo-refits", "loo-start", "loo-exact"},
        ),
        Wrong(
            "the kernel is changed in place",
            {
                "inverse = np.linalg.inv(k + ridge * np.eye(len(k)))": (
                    "k += ridge * np.eye(len(k))\n    inverse = np.linalg.inv(k)"
                )
            },
            {"loo-arguments"},
            "in place",
        ),
    ],
    "greedy": [
        Wrong(
            "arg-min for arg-max",
            {"-np.inf": "np.inf", "np.argmax": "np.argmin"},
            {"greedy-first", "greedy-order", "greedy-noisy"},
            "arg-min for arg-max",
        ),
        Wrong(
            "the covariance is not updated",
            {"        s = s - np.outer(s[:, c], s[c]) / (s[c, c] + ridge)\n": ""},
            {"greedy-order"},
            "not updated",
        ),
        Wrong(
            "the ridge is forgotten", {"(s[c, c] + ridge)": "s[c, c]"}, {"greedy-order"}, "ridge is missing"
        ),
        Wrong("the ridge is counted twice", {"+ ridge": "+ 2 * ridge"}, {"greedy-order"}, "counted twice"),
        Wrong(
            "a place may be chosen twice",
            {"        variance[picks] = -np.inf\n": ""},
            {"greedy-noisy"},
            "not different",
        ),
        Wrong(
            "the covariance grows",
            {"s = s - np.outer": "s = s + np.outer"},
            {"greedy-order"},
            "sign of the update",
        ),
        Wrong(
            "the argument is changed",
            {"s = s.copy()": "pass", "s = s -": "s -="},
            {"greedy-arguments"},
            "a copy",
        ),
    ],
    "pays": [
        Wrong(
            "picks are used as rows of the training set",
            {"accuracy(pool[greedy_picks[-1]])": "accuracy(greedy_picks[-1])"},
            {"pays-accuracies"},
            "indices into the pool",
        ),
        Wrong(
            "accuracy on the pool",
            {
                "def accuracy(labelled):": "def accuracy(labelled, where=None):",
                "accuracy(pool[greedy_picks[-1]])": "accuracy(pool[greedy_picks[-1]], pool)",
                "accuracy(pool[random_picks[-1]])": "accuracy(pool[random_picks[-1]], pool)",
                "kernel(x_test, x)": "kernel(x_train[where], x)",
                "== digits.y_test)": "== digits.y_train[where])",
            },
            {"pays-accuracies"},
            "the test digits are asked for",
        ),
        Wrong(
            "arg-min for arg-max",
            {"f.argmax": "f.argmin"},
            {"pays-accuracies"},
            "arg-min was taken",
        ),
        Wrong(
            "in per cent",
            {"np.mean(f": "100 * np.mean(f"},
            {"pays-table", "pays-accuracies"},
            "are shares",
        ),
        Wrong(
            "one label too few", {"0.1, BUDGET)": "0.1, BUDGET - 1)"}, {"pays-accuracies"}, "each set buys"
        ),
        Wrong(
            "the columns are exchanged",
            {
                '{"greedy": accuracy(pool[greedy_picks[-1]]), "random": accuracy(pool[random_picks[-1]])}': (
                    '{"greedy": accuracy(pool[random_picks[-1]]), "random": accuracy(pool[greedy_picks[-1]])}'
                )
            },
            {"pays-accuracies"},
            "the other way to buy",
        ),
        Wrong(
            "the verdict is reversed",
            {'"beats" if d.mean() > half else "loses"': '"loses" if d.mean() > half else "beats"'},
            {"pays-verdict"},
            "are exchanged",
        ),
        Wrong(
            "the sign of the mean decides",
            {'> half else "loses" if d.mean() < -half else "cannot tell"': '> 0 else "loses"'},
            {"pays-verdict"},
            "sign of a mean is no verdict",
        ),
        Wrong(
            "the interval of two independent samples",
            {
                "d.std(ddof=1) / np.sqrt(len(d))": (
                    "np.sqrt((np.var(greedy, ddof=1) + np.var(random, ddof=1)) / len(d))"
                )
            },
            {"pays-verdict"},
            "paired by split",
        ),
        Wrong(
            "the plan for the digits of the first split",
            {
                "plan(kernel(x_train[pool], x_train[pool])": (
                    "plan(kernel(x_train[pools[0]], x_train[pools[0]])"
                )
            },
            {"pays-accuracies"},
            "another pool",
        ),
        Wrong(
            "random picks that are the greedy ones",
            {"np.random.default_rng(r).choice(200, BUDGET, replace=False)": "greedy_picks[-1]"},
            {"pays-accuracies"},
            "what greedy bought",
        ),
        Wrong(
            "the first digits of the pool for the plan",
            {"plan(kernel(x_train[pool], x_train[pool]), 0.1, BUDGET)": "np.arange(BUDGET)"},
            {"pays-accuracies"},
            "largest at its time",
        ),
        Wrong(
            "random picks with replacement",
            {"BUDGET, replace=False)": "BUDGET)"},
            {"pays-accuracies"},
            "without replacement",
        ),
    ],
}
