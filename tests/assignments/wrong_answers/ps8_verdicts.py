"""Wrong answers that students give to problem set 8, and what each must lose."""

from wrong_answers import Wrong

SAVED = {"saved-known", "saved-dips", "saved-ends"}
REPORT = {"report-numbers"}

VERDICT = {"verdict-three", "verdict-many"}

BANK = {
    "verdict": [
        Wrong("the sign of the mean", {"> half": "> 0", "< -half": "< 0"}, VERDICT, "no verdict"),
        Wrong("the standard deviation has ddof=0", {"ddof=1": "ddof=0"}, {"verdict-many"}, "ddof=1"),
        Wrong(
            "the normal quantile for Student's",
            {"stats.t.ppf(0.5 + level / 2, len(d) - 1)": "stats.norm.ppf(0.5 + level / 2)"},
            VERDICT,
            "not the normal",
        ),
        Wrong("a one-sided quantile", {"0.5 + level / 2": "level"}, VERDICT, "two sides"),
        Wrong("the level is always 95%", {"0.5 + level / 2": "0.975"}, {"verdict-many"}, "level is not used"),
        Wrong("the root of R is forgotten", {" / np.sqrt(len(d))": ""}, VERDICT, "s / sqrt(R)"),
        Wrong("theirs minus ours", {"d = np.asarray(": "d = -np.asarray("}, VERDICT, "is a win"),
    ],
    "family": [
        Wrong(
            "sorted by the size of the means",
            {"order = np.argsort(p)": 'order = np.argsort(-out["mean"].abs().to_numpy())'},
            {"family-holm"},
            "not by the size of the means",
        ),
        Wrong(
            "sorted by the ends of the intervals",
            {"order = np.argsort(p)": 'order = np.argsort(-out["low"].to_numpy())'},
            {"family-holm"},
        ),
        Wrong(
            "the maximum is forgotten",
            {"np.maximum.accumulate(stepped)": "stepped"},
            {"family-holm"},
            "maximum is missing",
        ),
        Wrong(
            "Bonferroni's factor for all",
            {"np.arange(len(p), 0, -1) * p[order]": "len(p) * p[order]"},
            {"family-holm"},
            "Bonferroni",
        ),
        Wrong(
            "factors from k - 1 to 0",
            {"np.arange(len(p), 0, -1)": "np.arange(len(p))[::-1]"},
            {"family-holm"},
            "not from k - 1",
        ),
        Wrong(
            "a probability above one",
            {"np.minimum(1, np.arange(len(p), 0, -1) * p[order])": "np.arange(len(p), 0, -1) * p[order]"},
            {"family-holm"},
            "at most 1",
        ),
        Wrong(
            "corrected values in sorted order",
            {"adjusted[order] = np": "adjusted[:] = np"},
            {"family-holm"},
            "each to its own series",
        ),
        Wrong(
            "the share of false findings",
            {'out["p_holm"] = adjusted': 'out["p_holm"] = stats.false_discovery_control(p)'},
            {"family-holm"},
            "share of false findings",
        ),
        Wrong(
            "cycle 0 is counted",
            {'table[table["cycle"] > 0]': "table"},
            {"family-mean", "family-intervals"},
            "cycle 0",
        ),
        Wrong(
            "cycles are taken for seeds",
            {
                'groupby(["series", "seed"])["accuracy"].mean().unstack("series")': (
                    'set_index(["series", "seed", "cycle"])["accuracy"].unstack("series")'
                )
            },
            {"family-intervals"},
            "cycles of a seed",
        ),
        Wrong(
            "unpaired intervals and tests",
            {
                "rows[name] = [d.mean(), d.mean() - half, d.mean() + half, p]": (
                    "apart = stats.ttest_ind(bought[name], bought[baseline], equal_var=False)\n"
                    "        ends = apart.confidence_interval()\n"
                    "        rows[name] = [d.mean(), ends.low, ends.high, apart.pvalue]"
                )
            },
            {"family-intervals"},
            "are pairs",
        ),
        Wrong(
            "the normal distribution for Student's",
            {
                "stats.t.ppf(0.975, len(d) - 1)": "stats.norm.ppf(0.975)",
                "stats.t.sf(": "stats.norm.sf(",
                "d.std(ddof=1), len(d) - 1)": "d.std(ddof=1))",
            },
            {"family-intervals"},
            "not the normal",
        ),
        Wrong("the standard deviation has ddof=0", {"ddof=1": "ddof=0"}, {"family-intervals"}, "ddof=1"),
        Wrong("a one-sided p value", {"2 * stats.t.sf": "stats.t.sf"}, {"family-intervals"}, "two sides"),
        Wrong(
            "the sign is reversed",
            {"bought[name] - bought[baseline]": "bought[baseline] - bought[name]"},
            {"family-mean", "family-intervals"},
            "sign is reversed",
        ),
    ],
    "saved": [
        Wrong(
            "a run that never arrives counts as arriving at the end",
            {"return labels[-1], np.inf": "return labels[-1], labels[-1]"},
            {"saved-ends"},
            "with its last label",
        ),
        Wrong(
            "the labels at the start are taken for the labels needed",
            {"return 0.0, labels[0]": "return labels[0], labels[0]"},
            {"saved-ends"},
            "perhaps fewer",
        ),
        Wrong(
            "a run that never arrives is left out as NaN",
            {"return labels[-1], np.inf": "return np.nan, np.nan"},
            {"saved-ends"},
            "NaN",
        ),
        Wrong(
            "a large number for infinity",
            {"return labels[-1], np.inf": "return labels[-1], 1e9"},
            {"saved-ends"},
            "not a large number",
        ),
        Wrong(
            "a curve that arrives with its last label has not arrived",
            {"if rising[-1] < target": "if rising[-1] <= target"},
            {"saved-ends"},
            "has arrived",
        ),
        Wrong(
            "no running maximum",
            {"np.maximum.accumulate(curve)": "np.asarray(curve)"},
            {"saved-dips"},
            "running maximum",
        ),
        Wrong(
            "the first point at or above the target",
            {"np.interp(target, rising[points], labels[points])": "labels[after]"},
            SAVED,
            "straight lines",
        ),
        Wrong(
            "the sign is reversed",
            {"[their_low - high, their_high - low]": "[low - their_high, high - their_low]"},
            SAVED,
            "sign is reversed",
        ),
        Wrong(
            "low minus low and high minus high",
            {"[their_low - high, their_high - low]": "[their_low - low, their_high - high]"},
            {"saved-ends"},
        ),
    ],
    "scales": [
        Wrong(
            "cycle 0 is counted",
            {'wide[wide["cycle"] > 0]': "wide"},
            {"scales-widths"},
            "cycle 0",
        ),
        Wrong(
            "the normal quantile for Student's",
            {"stats.t.ppf(0.5 + LEVEL / 2, len(values) - 1)": "stats.norm.ppf(0.5 + LEVEL / 2)"},
            {"scales-widths"},
            "not the normal",
        ),
        Wrong("the standard deviation has ddof=0", {"ddof=1": "ddof=0"}, {"scales-widths"}, "ddof=1"),
        Wrong(
            "the ratio is upside down",
            {"(1 - theirs) / (1 - ours)": "(1 - ours) / (1 - theirs)"},
            {"scales-widths"},
            "upside down",
        ),
        Wrong(
            "the share of errors removed",
            {"np.log((1 - theirs) / (1 - ours))": "(1 - (1 - ours) / (1 - theirs))"},
            {"scales-widths"},
            "share of errors",
        ),
        Wrong(
            "accuracies for errors",
            {"np.log((1 - theirs) / (1 - ours))": "np.log(ours / theirs)"},
            {"scales-widths"},
            "Errors are asked for",
        ),
        Wrong(
            "the slope against the width",
            {"np.log2(np.array([16.0, 32.0, 64.0]))": "np.array([16.0, 32.0, 64.0])"},
            {"scales-slope"},
            "binary logarithm",
        ),
        Wrong(
            "the slope against the natural logarithm",
            {"np.log2(": "np.log("},
            {"scales-slope"},
            "a doubling",
        ),
        Wrong(
            "two doublings for one",
            {
                "np.polyfit(at, gain[[16, 32, 64]].to_numpy().T, 1)[0]": (
                    "(gain[64] - gain[16]).to_numpy() * (at[1] - at[0])"
                )
            },
            {"scales-slope"},
            "two doublings",
        ),
        Wrong(
            "the row of the slope has another name",
            {'numbers["slope"]': 'numbers["doubling"]'},
            {"scales-form", "scales-slope"},
            "got the rows",
        ),
        Wrong(
            "seeds paired at random",
            {
                "100 * (ours - theirs))": (
                    "100 * (ours - theirs.sample(frac=1, random_state=0).set_index(ours.index)))"
                )
            },
            {"scales-widths"},
        ),
    ],
    "report": [
        Wrong(
            "shares for points",
            {"d = 100 * (": "d = 1 * ("},
            {"report-numbers"},
            "In points",
        ),
        Wrong("cycle 0 is counted", {'runs[runs["cycle"] > 0]': "runs"}, REPORT, "cycle 0"),
        Wrong(
            "the normal quantile for Student's",
            {"stats.t.ppf(0.5 + LEVEL / 2, len(d) - 1)": "stats.norm.ppf(0.5 + LEVEL / 2)"},
            REPORT,
            "not the normal",
        ),
        Wrong("the standard deviation has ddof=0", {"ddof=1": "ddof=0"}, REPORT, "ddof=1"),
        Wrong(
            "cycles are taken for seeds",
            {
                'groupby(["series", "seed"])["accuracy"].mean().unstack("series")': (
                    'set_index(["series", "seed", "cycle"])["accuracy"].unstack("series")'
                )
            },
            REPORT,
            "cycles of a seed",
        ),
        Wrong(
            "the sign is reversed",
            {"bought[ours] - bought[theirs]": "bought[theirs] - bought[ours]"},
            REPORT,
            "sign is reversed",
        ),
        Wrong(
            "the mark is zero for all",
            {"if low > mark": "if low > 0"},
            {"report-states"},
            "shown, not ",
        ),
        Wrong(
            "all that is not shown is contradicted",
            {'"contradicted" if high < 0 else "open"': '"contradicted"'},
            {"report-states"},
            "open, not contradicted",
        ),
        Wrong(
            "an open part refutes the claim",
            {'"does not hold" if "contradicted" in states else "not shown"': '"does not hold"'},
            {"report-verdicts"},
            "not shown, not does not hold",
        ),
        Wrong(
            "words of its own",
            {'return "holds" if': 'return "confirmed" if'},
            {"report-verdicts"},
            "holds, not confirmed",
        ),
        Wrong(
            "the level is always 95%",
            {"0.5 + LEVEL / 2": "0.5 + 0.97 / 2"},
            REPORT,
        ),
        Wrong(
            "a column too many",
            {"high, mark)})": 'high, mark), "mark": mark})'},
            {"report-form"},
            "got the columns",
        ),
    ],
}
