"""Wrong answers that students give to problem set 7, and what each must lose."""

from wrong_answers import Wrong

PAID = {"paid-constant", "paid-ends", "paid-unbounded"}
FASTER = {"faster-two", "faster-values"}
TWINS = {"naive-twins", "naive-scores"}

BANK = {
    "faster": [
        Wrong(
            "the arithmetic mean of the ratios",
            {
                "np.exp(np.mean(np.log(np.asarray(slow) / np.asarray(fast))))": (
                    "np.mean(np.asarray(slow) / np.asarray(fast))"
                )
            },
            FASTER,
            "arithmetic mean",
        ),
        Wrong(
            "the ratio of the means",
            {"np.exp(np.mean(np.log(np.asarray(slow) / np.asarray(fast))))": "np.mean(slow) / np.mean(fast)"},
            {"faster-two", "faster-values"},
            "ratio of the means",
        ),
        Wrong(
            "upside down",
            {"np.asarray(slow) / np.asarray(fast)": "np.asarray(fast) / np.asarray(slow)"},
            FASTER,
            "upside down",
        ),
        Wrong("the mean of the logarithms", {"np.exp(": "("}, FASTER, "take the exponential"),
        Wrong("the median of the ratios", {"np.mean(": "np.median("}, {"faster-values"}, "median"),
        Wrong("binary logarithms", {"np.log(": "np.log2("}, FASTER),
    ],
    "shortlist": [
        Wrong(
            "the look at the pool is forgotten",
            {"each = 3 * g * E * (n + 1) + g * m": "each = 3 * g * E * (n + 1)"},
            {"shortlist-small", "shortlist-sizes"},
            "looked at",
        ),
        Wrong(
            "the candidate is not trained on",
            {"E * (n + 1)": "E * n"},
            {"shortlist-small", "shortlist-sizes"},
            "has the candidate as well",
        ),
        Wrong(
            "a gradient costs a forward pass",
            {"3 * g * E": "g * E"},
            {"shortlist-small", "shortlist-sizes"},
            "twice as much backward",
        ),
        Wrong(
            "the kernels are free",
            {"ours = kernels + ": "ours = "},
            {"shortlist-small", "shortlist-sizes"},
            "kernels are missing",
        ),
        Wrong(
            "the NTK itself is not paid for",
            {"(factor - 1) * ours": "factor * ours"},
            {"shortlist-small", "shortlist-sizes"},
            "has to be paid too",
        ),
        Wrong(
            "inner products within the pool only",
            {"2 * p * (n + m) ** 2": "2 * p * m**2"},
            {"shortlist-sizes"},
            "all n + m rows",
        ),
        Wrong(
            "rounded up",
            {"int((factor - 1) * ours // each)": "int((factor - 1) * ours // each) + 1"},
            {"shortlist-small", "shortlist-sizes"},
            "Round down",
        ),
        Wrong(
            "the linear algebra is free",
            {" + n**3 / 3 + n**2 * m + 2 * n * m**2 + 4 * m**2 * C": ""},
            {"shortlist-small", "shortlist-sizes"},
            "linear algebra is missing",
        ),
        Wrong("the Cholesky factor is forgotten", {" + n**3 / 3": ""}, {"shortlist-sizes"}),
        Wrong(
            "more than there are candidates",
            {"min(m, int((factor - 1) * ours // each))": "int((factor - 1) * ours // each)"},
            {"shortlist-all"},
            "10 at most",
        ),
    ],
    "paid": [
        Wrong(
            "the two samples are taken for independent",
            {"x.mean() * y.mean() - q2 * vxy": "x.mean() * y.mean()"},
            {"paid-ends"},
            "covariance is missing",
        ),
        Wrong(
            "the ends of one interval over those of the other",
            {
                "root = np.sqrt(b**2 - a * d)": "hx, hy = np.sqrt(q2 * vx), np.sqrt(q2 * vy)",
                "(b - root) / a, (b + root) / a": (
                    "(x.mean() - hx) / (y.mean() + hy), (x.mean() + hx) / (y.mean() - hy)"
                ),
            },
            {"paid-ends"},
            "seeds are pairs",
        ),
        Wrong("variances have ddof=0", {"np.cov(x, y)": "np.cov(x, y, ddof=0)"}, PAID, "ddof=1"),
        Wrong(
            "the normal quantile for Student's",
            {"stats.t.ppf(0.5 + level / 2, len(x) - 1)": "stats.norm.ppf(0.5 + level / 2)"},
            PAID,
            "not the normal",
        ),
        Wrong("a one-sided quantile", {"0.5 + level / 2": "level"}, PAID, "two sides"),
        Wrong(
            "the arithmetic mean of the ratios",
            {
                "return x.mean() / y.mean(), (b - root) / a, (b + root) / a": (
                    "return statistics.interval(x / y, level)"
                )
            },
            {"paid-ends"},
            "arithmetic mean",
        ),
        Wrong(
            "the geometric mean of the ratios",
            {
                "return x.mean() / y.mean(), (b - root) / a, (b + root) / a": (
                    "return np.exp(statistics.interval(np.log(x / y), level))"
                )
            },
            PAID,
            "geometric mean",
        ),
        Wrong(
            "ends that mean nothing instead of an error",
            {"    if a <= 0:": "    if False:"},
            {"paid-unbounded"},
            "raise a ValueError",
        ),
        Wrong(
            "an error only far beyond the bound",
            {"if a <= 0": "if a <= -1"},
            {"paid-unbounded"},
            "raise a ValueError",
        ),
        Wrong(
            "the level is always 95%",
            {"0.5 + level / 2": "0.975"},
            {"paid-ends", "paid-unbounded"},
            "level is not used",
        ),
    ],
    "ratios": [
        Wrong(
            "the kernel's seconds are forgotten",
            {'chosen["seconds_kernel"] + chosen["seconds_query"]': 'chosen["seconds_query"]'},
            {"ratios-geometric", "ratios-paid"},
            "one of them is missing",
        ),
        Wrong(
            "the arithmetic mean of the ratios",
            {"np.exp(statistics.interval(np.log(x / y)))": "statistics.interval(x / y)"},
            {"ratios-geometric"},
            "arithmetic mean",
        ),
        Wrong(
            "the ratio is upside down",
            {
                'x, y = seconds["retrain"].to_numpy(), seconds[form].to_numpy()': (
                    'y, x = seconds["retrain"].to_numpy(), seconds[form].to_numpy()'
                )
            },
            {"ratios-form", "ratios-geometric", "ratios-paid"},
            "slow way",
        ),
        Wrong(
            "cycles are taken for seeds",
            {
                'total.groupby([chosen["series"], chosen["seed"]])': (
                    'total.groupby([chosen["series"], 100 * chosen["seed"] + chosen["cycle"]])'
                )
            },
            {"ratios-geometric", "ratios-paid"},
            "cycles of a seed",
        ),
        Wrong(
            "the faster cycle of each seed",
            {"]).mean().unstack": "]).min().unstack"},
            {"ratios-geometric", "ratios-paid"},
            "mean over the cycles",
        ),
        Wrong(
            "another baseline",
            {'seconds["retrain"].to_numpy(), ': 'seconds["retrain_centred"].to_numpy(), '},
            {"ratios-geometric", "ratios-paid"},
            "not retrain_centred",
        ),
    ],
    "alone": [
        Wrong("one step only", {"** steps": "** 1"}, {"alone-two", "alone-descent"}, "That is one step"),
        Wrong(
            "as many times the first step",
            {"(1 - (1 - rate * own) ** steps) / safe": "rate * steps + 0 * safe"},
            {"alone-descent"},
            "residual has shrunk",
        ),
        Wrong(
            "the limit of many steps",
            {"(1 - (1 - rate * own) ** steps) / safe": "1 / safe"},
            {"alone-two", "alone-descent"},
            "limit",
        ),
        Wrong(
            "gradient flow for gradient descent",
            {"(1 - rate * own) ** steps": "np.exp(-rate * own * steps)"},
            {"alone-descent"},
            "gradient flow",
        ),
        Wrong(
            "rows and columns exchanged",
            {"kernel * gain": "kernel * gain[:, None]"},
            {"alone-descent"},
            "rows and columns",
        ),
        Wrong(
            "softmax on the outputs of the squared loss",
            {
                "weights = kernel * gain": (
                    "weights = kernel * gain\n    prob = np.exp(f) / np.exp(f).sum(axis=1, keepdims=True)"
                ),
                "likely[c] - f[c]": "likely[c] - prob[c]",
            },
            {"alone-two", "alone-descent"},
            "no softmax",
        ),
        Wrong(
            "arg-min for arg-max in the label",
            {"np.eye(f.shape[1])[f.argmax(axis=1)]": "np.eye(f.shape[1])[f.argmin(axis=1)]"},
            {"alone-two", "alone-descent", "alone-dark"},
            "least likely",
        ),
        Wrong(
            "the label for the residual",
            {"likely[c] - f[c]": "likely[c]"},
            {"alone-two", "alone-descent"},
            "output is missing",
        ),
        Wrong(
            "division by zero",
            {"np.where(own > 0, own, 1.0)": "own"},
            {"alone-dark"},
            "moves nothing",
        ),
    ],
    "gains": [
        Wrong(
            "cycle 0 is counted",
            {'table[table["cycle"] > 0]': "table"},
            {"gains-mean", "gains-ends"},
            "cycle 0",
        ),
        Wrong(
            "one baseline for all",
            {"bought[way] - bought[own]": "bought[way] - bought[next(iter(pairs.values()))]"},
            {"gains-mean", "gains-ends"},
            "baseline of its own",
        ),
        Wrong(
            "accuracies for gains",
            {"bought[way] - bought[own]": "bought[way]"},
            {"gains-mean", "gains-ends"},
            "cancels in the difference",
        ),
        Wrong(
            "the unpaired interval",
            {
                "rows.append([d.mean(), d.mean() - half, d.mean() + half])": (
                    "apart = stats.ttest_ind(gains[a], gains[b], equal_var=False)\n"
                    "        ends = apart.confidence_interval(level)\n"
                    "        rows.append([d.mean(), ends.low, ends.high])"
                )
            },
            {"gains-ends"},
            "a pair",
        ),
        Wrong(
            "cycles are taken for seeds",
            {
                'groupby(["series", "seed"])["accuracy"].mean().unstack("series")': (
                    'set_index(["series", "seed", "cycle"])["accuracy"].unstack("series")'
                )
            },
            {"gains-ends"},
            "cycles of a seed",
        ),
        Wrong(
            "the normal quantile for Student's",
            {"stats.t.ppf(0.5 + level / 2, len(d) - 1)": "stats.norm.ppf(0.5 + level / 2)"},
            {"gains-ends"},
            "not the normal",
        ),
        Wrong("the standard deviation has ddof=0", {"ddof=1": "ddof=0"}, {"gains-ends"}, "ddof=1"),
        Wrong("the root of R is forgotten", {" / np.sqrt(len(d))": ""}, {"gains-ends"}, "s / sqrt(R)"),
        Wrong(
            "the sign is reversed",
            {"gains[a] - gains[b]": "gains[b] - gains[a]"},
            {"gains-mean", "gains-ends"},
            "sign is reversed",
        ),
        Wrong("the level is always 95%", {"0.5 + level / 2": "0.975"}, {"gains-ends"}, "level is not used"),
    ],
    "naive": [
        Wrong(
            "the label is taken from the oracle",
            {"np.eye(10)[(phi_p @ w_start).argmax(axis=1)]": "pool_labels"},
            {"naive-scores"},
            "true labels",
        ),
        Wrong(
            "softmax on the outputs of the squared loss",
            {
                "w -= rate * x[b].T @ (x[b] @ w - y[b]) / len(b)": (
                    "e = np.exp(x[b] @ w)\n"
                    "            w -= rate * x[b].T @ (e / e.sum(axis=1, keepdims=True) - y[b]) / len(b)"
                )
            },
            {"naive-scores"},
            "no softmax",
        ),
        Wrong(
            "the mean is over all 41 rows",
            {"/ len(b)": "/ len(x)"},
            {"naive-scores"},
            "not over all 41",
        ),
        Wrong(
            "retraining starts from zero",
            {"w = w_start.copy()": "w = 0 * w_start"},
            {"naive-scores"},
            "not from zero",
        ),
        Wrong(
            "changes are counted from the outputs before",
            {"np.mean(after, axis=0)": "phi_p @ w_start"},
            {"naive-scores"},
            "from the mean over the candidates",
        ),
        Wrong(
            "shared and own batches exchanged",
            {"if shared else": "if not shared else"},
            TWINS,
            "exchanged",
        ),
        Wrong(
            "arg-min for arg-max in the label",
            {".argmax(axis=1)]": ".argmin(axis=1)]"},
            {"naive-scores"},
            "least likely",
        ),
        Wrong(
            "the weights go on from candidate to candidate",
            {
                "    after = []": "    after, w = [], w_start.copy()",
                "        w = w_start.copy()\n": "",
            },
            TWINS,
        ),
        Wrong(
            "correlation of scores for that of ranks",
            {"statistics.rank_correlation, {}": "lambda a, b: np.corrcoef(a, b)[0, 1], {}"},
            {"naive-table"},
            "ranks",
        ),
        Wrong(
            "one draw against the exact scores for both",
            {"(alike(one, exact) + alike(two, exact)) / 2": "alike(one, exact)"},
            {"naive-table"},
            "not the first draw alone",
        ),
    ],
}
