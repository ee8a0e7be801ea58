"""Wrong answers that students give to problem set 4, and what each must lose."""

from wrong_answers import Wrong, ps4_retraining

BANK = {
    "far": [
        Wrong(
            "a softmax on squared-loss outputs",
            {
                "    p = np.maximum(outputs, 0)\n    total = p.sum(axis=1, keepdims=True)\n": (
                    "    p = special.softmax(outputs, axis=1)\n    total = p.sum(axis=1, keepdims=True)\n"
                )
            },
            {"far-picks"},
            "A softmax",
        ),
        Wrong(
            "all gradients are formed",
            {
                "inner = (r @ r.T) * (phi @ phi.T)": (
                    "g = (r[:, :, None] * phi[:, None]).reshape(len(r), -1)\n    inner = g @ g.T"
                )
            },
            {"far-memory"},
            "use the factors",
        ),
        Wrong(
            "all gradients are formed by JAX",
            {
                "inner = (r @ r.T) * (phi @ phi.T)": (
                    "import jax.numpy as jnp\n"
                    "    g = jnp.einsum('ic,id->icd', r, phi).reshape(len(r), -1)\n"
                    "    inner = np.array(g @ g.T)"
                )
            },
            {"far-memory"},
            "use the factors",
        ),
        Wrong(
            "the outputs are taken for probabilities",
            {"r = p - np.eye": "r = outputs - np.eye"},
            {"far-picks"},
            "no probabilities yet",
        ),
        Wrong(
            "the least likely label",
            {"[p.argmax(axis=1)]": "[outputs.argmin(axis=1)]"},
            {"far-first", "far-picks"},
            "not the least likely",
        ),
        Wrong(
            "the nearest for the farthest",
            {"np.argmax(size)": "np.argmin(size)", "-np.inf": "np.inf", "np.argmax(left)": "np.argmin(left)"},
            {"far-first", "far-picks"},
            "nearest and not the farthest",
        ),
        Wrong(
            "far from the last pick only",
            {"np.minimum(nearest, squared[picks[-1]])": "squared[picks[-1]]"},
            {"far-picks"},
            "Far from the last pick",
        ),
        Wrong(
            "the features alone",
            {"(r @ r.T) * (phi @ phi.T)": "phi @ phi.T"},
            {"far-first", "far-picks"},
            "core-set",
        ),
        Wrong("the outputs alone", {" * (phi @ phi.T)": ""}, {"far-picks"}, "by the outputs alone"),
        Wrong(
            "a sum of inner products",
            {"(r @ r.T) * (phi @ phi.T)": "r @ r.T + phi @ phi.T"},
            {"far-picks"},
            "products, not sums",
        ),
        Wrong(
            "a candidate may be picked twice",
            {"np.where(np.isin(np.arange(len(p)), picks), -np.inf, nearest)": "nearest"},
            {"far-copies"},
            "not different",
        ),
    ],
    "noisy": [
        Wrong(
            "the noise is forgotten",
            {"np.where(classes[c] == answer, 1 - noise, noise)": "(classes[c] == answer)"},
            {"noisy-scores", "noisy-coin"},
            "noise is not used",
        ),
        Wrong(
            "the candidate is taken for known",
            {
                "(special.entr(p) + special.entr(1 - p)).sum()": (
                    "np.delete(special.entr(p) + special.entr(1 - p), c).sum()"
                )
            },
            {"noisy-scores", "noisy-coin"},
            "does not settle",
        ),
        Wrong(
            "the doubt about answers",
            {
                "                scores[c] -=": (
                    "                p = p * (1 - noise) + (1 - p) * noise\n                scores[c] -="
                )
            },
            {"noisy-scores", "noisy-coin", "noisy-known"},
            "entropies of answers",
        ),
        Wrong(
            "the sign is reversed",
            {"scores[c] -=": "scores[c] +="},
            {"noisy-clean", "noisy-scores", "noisy-coin"},
            "sign is reversed",
        ),
        Wrong(
            "bits",
            {"return scores": "return scores / np.log(2)"},
            {"noisy-clean", "noisy-scores", "noisy-coin"},
            "natural logarithms",
        ),
        Wrong(
            "answers without their probabilities",
            {"weight.sum() * (special": "(special"},
            {"noisy-clean", "noisy-scores", "noisy-coin"},
        ),
        Wrong(
            "the threshold belongs to the ones",
            {"[:, None] > np.arange": "[:, None] >= np.arange"},
            {"noisy-clean", "noisy-scores", "noisy-coin"},
        ),
        Wrong(
            "the posterior is not normalised",
            {"(weight / weight.sum())": "weight"},
            {"noisy-clean", "noisy-scores", "noisy-coin", "noisy-known"},
        ),
        Wrong(
            "division by zero",
            {"            if weight.sum() > 0:\n": "            if True:\n"},
            {"noisy-known"},
            "probability zero",
        ),
    ],
    "rules": [
        Wrong(
            "a softmax on squared-loss outputs",
            {
                "p = np.maximum(np.asarray(post.mean), 0)\n    p = p / p.sum(axis=1, keepdims=True)": (
                    "p = special.softmax(np.asarray(post.mean), axis=1)"
                ),
                'link="clip"': 'link="softmax"',
            },
            {"rules-picks"},
            "a softmax of squared-loss outputs",
        ),
        Wrong(
            "arg-min for arg-max",
            {"= -np.inf": "= np.inf", "np.argmax(scores)": "np.argmin(scores)"},
            {"rules-picks"},
            "arg-min for arg-max",
        ),
        Wrong(
            "the look-ahead label is taken from the oracle",
            {
                "def score(rule, post, rng):": "def score(rule, post, rng, r):",
                "score(rule, post, rng).copy()": "score(rule, post, rng, r).copy()",
                "return np.asarray(ntkal.mlmoc_norm(post))": (
                    "s, true = np.asarray(post.cov), y_train[pools[r]]\n"
                    "        reach = np.abs(s).sum(axis=0) / (np.diag(s) + 0.1)\n"
                    "        return np.linalg.norm(true - np.asarray(post.mean), axis=1) * reach"
                ),
            },
            {"rules-picks"},
            "mlmoc: the look-ahead label was taken from the oracle",
        ),
        Wrong(
            "the look-ahead is not updated",
            {"            post = post.reveal(c, y_train[pools[r][c]])\n": ""},
            {"rules-picks"},
            "the model is not retrained",
        ),
        Wrong(
            "a candidate may be bought twice",
            {"            scores[chosen] = -np.inf\n": ""},
            {"rules-picks"},
            "bought twice",
        ),
        Wrong(
            "picks are used as rows of the training set",
            {"pools[r][chosen]]": "chosen]"},
            {"rules-curves"},
            "positions in the pool",
        ),
        Wrong(
            "accuracy on the pool",
            {
                "def accuracy(labelled):": "def accuracy(labelled, r):",
                "accuracy(starts[r])": "accuracy(starts[r], r)",
                "pools[r][chosen]]))": "pools[r][chosen]]), r)",
                "kernel(x_test, x)": "kernel(x_train[pools[r]], x)",
                "== y_test": "== digits.y_train[pools[r]]",
            },
            {"rules-curves"},
            "accuracy on the pool",
        ),
        Wrong("error rates", {"== y_test": "!= y_test"}, {"rules-curves"}, "error rates"),
        Wrong(
            "the accuracy of the arg-min",
            {"@ weights).argmax": "@ weights).argmin"},
            {"rules-curves"},
            "arg-min was taken",
        ),
        Wrong(
            "the sign of the mean decides",
            {"high < 0 else": "True else", "low > 0": "mean > 0"},
            {"rules-verdicts"},
            "sign of a mean is no verdict",
        ),
        Wrong(
            "the ends of the curves are compared",
            {"np.mean(ours, axis=1) - np.mean(theirs, axis=1)": "np.subtract(ours, theirs)[:, -1]"},
            {"rules-verdicts"},
            "not its end",
        ),
        Wrong(
            "the start set is not on the curve",
            {"line = [accuracy(starts[r])]": "line = []"},
            {"rules-form", "rules-curves"},
            "curves have the shapes",
        ),
    ],
    **ps4_retraining.BANK,
}
