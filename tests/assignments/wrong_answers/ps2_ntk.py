"""Wrong answers that students give to problem set 2, and what each must lose."""

from wrong_answers import Wrong

DIAGONAL = {"leaky-diagonal"}  # a wrong value is wrong at shared inputs too

BANK = {
    "leaky": [
        Wrong(
            "the formulas of ReLU",
            {
                "return slope * k + (1 - slope) ** 2 * value, slope + (1 - slope) ** 2 * derivative": (
                    "return value, derivative"
                ),
                "(1 + slope**2) / 2": "0.5",
            },
            {*DIAGONAL, "leaky-linear", "leaky-nngp", "leaky-ntk"},
            "kernel of ReLU units",
        ),
        Wrong(
            "what is NaN is replaced afterwards",
            {
                "np.clip(k / norm, -1, 1)": "k / norm",
                "return k, theta": "return np.nan_to_num(k), np.nan_to_num(theta)",
            },
            {"leaky-diagonal"},
            "do not replace what is NaN",
        ),
        Wrong(
            "the kernels of the library",
            {
                "    d = x1.shape[1]\n": (
                    "    dense = stax.Dense(1, W_std=np.sqrt(sw2), b_std=np.sqrt(sb2))\n"
                    "    layers = [dense, stax.LeakyRelu(slope)] * depth\n"
                    "    both = stax.serial(*layers, dense)[2](x1, x2, ('nngp', 'ntk'))\n"
                    "    return np.asarray(both.nngp), np.asarray(both.ntk)\n    d = x1.shape[1]\n"
                )
            },
            {"leaky-nngp", "leaky-ntk"},
            "write the kernels with NumPy",
        ),
        Wrong(
            "the mixed products are forgotten",
            {"return slope * k +": "return slope**2 * k +", "value, slope +": "value, slope**2 +"},
            {*DIAGONAL, "leaky-nngp", "leaky-ntk"},
            "mixed products",
        ),
        Wrong(
            "no division by d",
            {"d = x1.shape[1]": "d = 1"},
            {*DIAGONAL, "leaky-linear", "leaky-nngp", "leaky-ntk"},
            "number of inputs d",
        ),
        Wrong(
            "biases in the first layer only",
            {
                "a = sb2 + sw2 * (1 ": "a = sw2 * (1 ",
                "b = sb2 + sw2 * (1 ": "b = sw2 * (1 ",
                "k = sb2 + sw2 * value": "k = sw2 * value",
            },
            {*DIAGONAL, "leaky-linear", "leaky-nngp", "leaky-ntk"},
            "Every layer has biases",
        ),
        Wrong(
            "one layer too few",
            {"range(depth)": "range(depth - 1)"},
            {*DIAGONAL, "leaky-linear", "leaky-nngp", "leaky-ntk"},
            "too few",
        ),
        Wrong(
            "one layer too many",
            {"range(depth)": "range(depth + 1)"},
            {*DIAGONAL, "leaky-linear", "leaky-nngp", "leaky-ntk"},
            "too many",
        ),
        Wrong(
            "the layer's own term is forgotten",
            {"theta = k + sw2": "theta = sw2"},
            {*DIAGONAL, "leaky-ntk"},
            "Each layer adds",
        ),
        Wrong(
            "nothing comes from below",
            {"theta = k + sw2 * derivative * theta": "theta = k"},
            {*DIAGONAL, "leaky-ntk"},
            "That is the NNGP kernel",
        ),
        Wrong(
            "the weight variance is forgotten below",
            {"k + sw2 * derivative": "k + derivative"},
            {*DIAGONAL, "leaky-ntk"},
            "factor sw2",
        ),
        Wrong(
            "the derivative belongs to the wrong layer",
            {"theta = k + sw2 * derivative * theta": "theta = k + sw2 * expectations(k, a, b)[1] * theta"},
            {"leaky-ntk"},
            "layer below",
        ),
        Wrong(
            "rows and columns of the variances exchanged",
            {
                "np.sum(x1**2, axis=1)[:, None]": "np.sum(x1**2, axis=1)[None, :]",
                "np.sum(x2**2, axis=1)[None, :]": "np.sum(x2**2, axis=1)[:, None]",
            },
            {"leaky-linear", "leaky-nngp", "leaky-ntk"},
        ),
        Wrong(
            "the cosine is not clipped",
            {"np.clip(k / norm, -1, 1)": "k / norm"},
            {"leaky-diagonal"},
            "Clip it",
        ),
    ],
    "tangent": [
        Wrong(
            "the factor 1 / sqrt(width) is forgotten",
            {"sw2 / width * np": "sw2 * np", "sw2 / width * (on1": "sw2 * (on1"},
            {"tangent-values"},
            "1 / N is missing",
        ),
        Wrong(
            "divided by the root of the width",
            {
                "sw2 / width * np": "sw2 / np.sqrt(width) * np",
                "sw2 / width * (on1": "sw2 / np.sqrt(width) * (on1",
            },
            {"tangent-values"},
            "root of N",
        ),
        Wrong(
            "the readout bias does not learn",
            {".T + sb2\n    hidden": ".T\n    hidden"},
            {"tangent-unit", "tangent-values", "tangent-off"},
            "readout bias c",
        ),
        Wrong(
            "the hidden bias does not learn",
            {"(sw2 / d * x1 @ x2.T + sb2)": "(sw2 / d * x1 @ x2.T)"},
            {"tangent-unit", "tangent-values"},
            "bias b of the hidden layer",
        ),
        Wrong("readout weights not squared", {"a**2": "a"}, {"tangent-unit", "tangent-values"}),
        Wrong(
            "the readout alone",
            {"return readout + hidden": "return readout"},
            {"tangent-unit", "tangent-values"},
            "readout alone",
        ),
        Wrong(
            "the hidden layer alone",
            {"return readout + hidden": "return hidden"},
            {"tangent-unit", "tangent-values", "tangent-off"},
            "hidden layer alone",
        ),
        Wrong(
            "the derivative of a linear unit",
            {"(z1 > 0).astype(float), (z2 > 0).astype(float)": "np.ones_like(z1), np.ones_like(z2)"},
            {"tangent-values", "tangent-off"},
            "derivative of the ReLU",
        ),
        Wrong(
            "no division by d in the gradient",
            {"sw2 / d * x1 @ x2.T": "sw2 * x1 @ x2.T"},
            {"tangent-values"},
            "divided by the root of d",
        ),
        Wrong(
            "a loop over the inputs",
            {"return readout + hidden": "return np.array([list(row) for row in (readout + hidden)])"},
            {"tangent-values"},
            "loops over the inputs",
        ),
        Wrong(
            "rows and columns exchanged",
            {"return readout + hidden": "return (readout + hidden).T"},
            {"tangent-values"},
            "shape",
        ),
    ],
    "path": [
        Wrong(
            "the clock of a loss divided by n",
            {"for t in times:": "for t in np.asarray(times) / len(y):"},
            {"path-times", "path-singular"},
            "divided by n:",
        ),
        Wrong(
            "the loss without its half",
            {"for t in times:": "for t in 2 * np.asarray(times):"},
            {"path-times", "path-singular"},
            "one half",
        ),
        Wrong(
            "what is missing for what is learned",
            {"-np.expm1(-safe * t)": "np.exp(-safe * t)"},
            {"path-limit", "path-times", "path-singular"},
            "still missing",
        ),
        Wrong(
            "no division by the eigenvalues",
            {"-np.expm1(-safe * t) / safe": "-np.expm1(-safe * t)"},
            {"path-limit", "path-times", "path-singular"},
            "divided by its eigenvalue",
        ),
        Wrong(
            "rows and columns of the eigenvectors exchanged",
            {"vectors @ (": "vectors.T @ (", "(vectors.T @ y)": "(vectors @ y)"},
            {"path-limit", "path-times", "path-singular"},
        ),
        Wrong(
            "every time is the end",
            {"-np.expm1(-safe * t) / safe": "1 / safe"},
            {"path-times", "path-singular"},
            "times are not used",
        ),
        Wrong(
            "small eigenvalues are taken for zero",
            {"1e-12 * np.abs(values).max()": "1e-3 * np.abs(values).max()"},
            {"path-singular"},
            "is not zero",
        ),
        Wrong(
            "what is small is measured by one",
            {"1e-12 * np.abs(values).max()": "1e-10"},
            {"path-singular"},
            "beside the largest",
        ),
        Wrong(
            "a decomposition for each time",
            {"    for t in times:\n": "    for t in times:\n        vectors = np.linalg.eigh(theta_ll)[1]\n"},
            {"path-times"},
            "one eigendecomposition",
        ),
        Wrong(
            "division by zero",
            {"np.where(small, t, -np.expm1(-safe * t) / safe)": "(1 - np.exp(-values * t)) / values"},
            {"path-singular"},
            "eigenvalue zero",
        ),
    ],
    "stopping": [
        Wrong("arg-min of the outputs", {"f.argmax": "f.argmin"}, {"stopping-curves"}, "arg-min was taken"),
        Wrong(
            "the right labels twice",
            {"accuracies(y_right), accuracies(y_wrong)": "accuracies(y_right), accuracies(y_right)"},
            {"stopping-curves"},
            "training on the other labels",
        ),
        Wrong(
            "the curves are exchanged",
            {"accuracies(y_right), accuracies(y_wrong)": "accuracies(y_wrong), accuracies(y_right)"},
            {"stopping-curves"},
            "training on the other labels",
        ),
        Wrong(
            "error rates",
            {"np.mean(f.argmax(axis=1) == test_labels)": "np.mean(f.argmax(axis=1) != test_labels)"},
            {"stopping-curves"},
            "error rates",
        ),
        Wrong(
            "the worst time",
            {"np.argmax(accuracy_wrong)": "np.argmin(accuracy_wrong)"},
            {"stopping-time"},
            "larger",
        ),
        Wrong(
            "the index of the time",
            {"times[np.argmax(accuracy_wrong)]": "np.argmax(accuracy_wrong)"},
            {"stopping-time"},
            "perhaps its index",
        ),
        Wrong(
            "one time short",
            {"for t in times]": "for t in times[:-1]]", "times[::4]": "times[:-1:4]"},
            {"stopping-form", "stopping-curves", "stopping-time"},
        ),
    ],
}
