"""Right answers to problem set 8 in other clothes: they keep full marks."""

BANK = {
    "verdict": {
        "SciPy's interval": """
def interval(d, level):
    return stats.ttest_1samp(d, 0).confidence_interval(level)

def verdict(differences, level):
    low, high = interval(differences, level)
    if low > 0:
        return "beats"
    return "loses" if high < 0 else "cannot tell"
""",
        "a test": """
def verdict(differences, level):
    average, p = stats.ttest_1samp(differences, 0)
    if p >= 1 - level:
        return "cannot tell"
    return "beats" if average > 0 else "loses"
""",
    },
    "family": {
        "loops and SciPy's test, columns in another order": """
def interval(d):
    test = stats.ttest_1samp(d, 0)
    low, high = test.confidence_interval(0.95)
    return {"high": high, "low": low, "p": test.pvalue, "mean": sum(d) / len(d)}

def family(table, baseline):
    rows = table[table.cycle != 0]
    seeds = sorted(rows.seed.unique())
    def left(name):
        return [rows[(rows.series == name) & (rows.seed == s)].accuracy.mean() for s in seeds]
    names = [name for name in rows.series.unique() if name != baseline]
    found = {name: interval([a - b for a, b in zip(left(name), left(baseline))]) for name in names}
    most = 0.0
    for i, name in enumerate(sorted(names, key=lambda name: found[name]["p"])):
        most = max(most, min(1.0, (len(names) - i) * found[name]["p"]))
        found[name]["p_holm"] = most
    return pd.DataFrame(found).transpose()
""",
        "the library's Holm": """
def family(table, baseline):
    average = table[table["cycle"] > 0].pivot_table(index="seed", columns="series", values="accuracy")
    out = {}
    for name in average:
        if name != baseline:
            each = stats.ttest_rel(average[name], average[baseline])
            out[name] = [(average[name] - average[baseline]).mean(), *each.confidence_interval(), each.pvalue]
    out = pd.DataFrame.from_dict(out, orient="index", columns=["mean", "low", "high", "p"])
    return out.assign(p_holm=np.asarray(statistics.holm(out["p"].to_numpy())))
""",
    },
    "saved": {
        "lists and loops": """
def fit(labels, curve, target):
    best = list(np.maximum.accumulate(curve))
    if best[0] >= target:
        return [0, labels[0]]
    for i in range(1, len(best)):
        if best[i] >= target:
            share = (target - best[i - 1]) / (best[i] - best[i - 1])
            return 2 * [labels[i - 1] + share * (labels[i] - labels[i - 1])]
    return [labels[-1], float("inf")]

def saved_bounds(labels, ours, theirs, target):
    left = [(fit(labels, a, target), fit(labels, b, target)) for a, b in zip(ours, theirs)]
    return [[b[0] - a[1], b[1] - a[0]] for a, b in left]
""",
        "float32": """
def saved_bounds(labels, ours, theirs, target):
    def interval(curve):
        up = np.maximum.accumulate(curve)
        if target <= up[0]:
            return 0.0, float(labels[0])
        if target > up[-1]:
            return float(labels[-1]), np.inf
        i = np.searchsorted(up, target)
        at = labels[i - 1] + (labels[i] - labels[i - 1]) * (target - up[i - 1]) / (up[i] - up[i - 1])
        return at, at
    a, b = (np.array([interval(c) for c in curves]) for curves in (ours, theirs))
    return np.column_stack([b[:, 0] - a[:, 1], b[:, 1] - a[:, 0]]).astype(np.float32)
""",
    },
    "scales": {
        "loops, rows and columns in another order": """
def interval(v):
    low, high = stats.t.interval(LEVEL, len(v) - 1, np.mean(v), stats.sem(v))
    return np.mean(v), low, high

def accuracy(strategy, width, seed):
    rows = wide[(wide.strategy == strategy) & (wide.width == width) & (wide.seed == seed) & (wide.cycle > 0)]
    return rows.accuracy.mean()

each = {"logs": [], "points": []}
for seed in sorted(wide.seed.unique()):
    a, b = (np.array([accuracy(name, w, seed) for w in (16, 32, 64)]) for name in ("mlmoc", "random"))
    each["points"].append(100 * (a - b))
    each["logs"].append(100 * (np.log(1 - b) - np.log(1 - a)))
left = {}
for row, pick in (("slope", lambda v: stats.linregress([4, 5, 6], v).slope), (64, lambda v: v[2]),
                  (32, lambda v: v[1]), (16, lambda v: v[0])):
    left[row] = {}
    for scale, values in each.items():
        mean, low, high = interval([pick(v) for v in values])
        left[row] |= {scale: mean, scale + "_low": low, scale + "_high": high}
scales = pd.DataFrame.from_dict(left, orient="index")
""",
    },
    "report": {
        "SciPy's test, columns in another order": """
def state_of(low, high, mark):
    if low > mark:
        return "shown"
    if high < 0:
        return "contradicted"
    return "open"

def verdict_of(states):
    count = list(states).count("shown")
    if count == len(states):
        return "holds"
    if count > 0:
        return "holds in part"
    return "does not hold" if "contradicted" in list(states) else "not shown"

average = runs[runs.cycle > 0].pivot_table(index="seed", columns="series", values="accuracy")
report = pd.DataFrame(index=range(7), columns=["state", "high", "low", "mean"])
verdicts, left = {}, {}
for i, (claim, a, b, mark) in enumerate(PARTS):
    interval = stats.ttest_rel(100 * average[a], 100 * average[b]).confidence_interval(LEVEL)
    state = state_of(interval.low, interval.high, mark)
    report.loc[i] = [state, interval.high, interval.low, 100 * (average[a] - average[b]).mean()]
    left.setdefault(claim, []).append(state)
    verdicts[claim] = verdict_of(left[claim])
""",
    },
}
