"""Wrong answers that students give to problem set 3, and what each must lose."""

from wrong_answers import Wrong, ps3_alignment

BANK = {
    "momentum": [
        Wrong(
            "the momentum is forgotten",
            {" + momentum * (f - f_old)": "", " + momentum * (g - g_old)": ""},
            {"momentum-path"},
            "the momentum is missing",
        ),
        Wrong(
            "no momentum at the test inputs",
            {" + momentum * (g - g_old)": ""},
            {"momentum-path", "momentum-limit"},
            "their own last two values",
        ),
        Wrong(
            "Nesterov's momentum",
            {"residual = f - y": "residual = f + momentum * (f - f_old) - y"},
            {"momentum-path"},
            "Nesterov",
        ),
        Wrong(
            "the gradient is averaged",
            {"- rate * k_": "- (1 - momentum) * rate * k_"},
            {"momentum-step", "momentum-path"},
            "not (1 - mu) eta",
        ),
        Wrong(
            "the loss is divided by n",
            {"- rate * k_": "- rate / len(y) * k_"},
            {"momentum-step", "momentum-path"},
            "do not divide by n",
        ),
        Wrong(
            "one step too many",
            {"range(steps)": "range(steps + 1)"},
            {"momentum-step", "momentum-path"},
            "one step too many",
        ),
        Wrong(
            "the sign is reversed",
            {"residual = f - y": "residual = y - f"},
            {"momentum-step", "momentum-path", "momentum-limit"},
            "sign is reversed",
        ),
        Wrong(
            "the test outputs start at zero",
            {"f, g = f_train, f_test": "f, g = f_train, 0 * f_test"},
            {"momentum-step", "momentum-path", "momentum-limit"},
            "start at f_test",
        ),
        Wrong(
            "all outputs start at zero",
            {"f, g = f_train, f_test": "f, g = 0 * f_train, 0 * f_test"},
            {"momentum-step", "momentum-path", "momentum-limit"},
        ),
        Wrong(
            "the arguments are changed",
            {
                "f_old, g_old = f, g": "u, v = 0 * f, 0 * g",
                "f_new = f - rate * k_train @ residual + momentum * (f - f_old)": (
                    "u = momentum * u - rate * k_train @ residual"
                ),
                "g_new = g - rate * k_test @ residual + momentum * (g - g_old)": (
                    "v = momentum * v - rate * k_test @ residual"
                ),
                "f_old, g_old, f, g = f, g, f_new, g_new": "f += u\n        g += v",
            },
            {"momentum-arguments"},
            "Work on a copy",
        ),
    ],
    "conv": [
        Wrong(
            "the factor 1 / sqrt(width) is forgotten",
            {"(np.sqrt(filters) * z.shape[1])": "z.shape[1]", "pooled2.T / filters": "pooled2.T"},
            {"conv-values", "conv-width"},
            "1 / sqrt(N) is missing",
        ),
        Wrong(
            "the factor is forgotten in the hidden layer",
            {"(np.sqrt(filters) * z.shape[1])": "z.shape[1]"},
            {"conv-values", "conv-width"},
            "hidden layer's gradients",
        ),
        Wrong(
            "only equal positions meet",
            {".sum(axis=(1, 3))": ".trace(axis1=1, axis2=3)"},
            {"conv-hand", "conv-values"},
            "weights are shared",
        ),
        Wrong(
            "a bias at each position",
            {"h1, h2) + 1": "h1, h2) + np.eye(h1.shape[1])[:, None]"},
            {"conv-hand", "conv-values"},
            "The bias is shared",
        ),
        Wrong(
            "the bias does not learn", {"h1, h2) + 1": "h1, h2)"}, {"conv-hand", "conv-values"}, "bias b is a"
        ),
        Wrong(
            "the readout weights are forgotten",
            {"v * (z > 0)": "(z > 0)"},
            {"conv-hand", "conv-values"},
            "readout weights v",
        ),
        Wrong(
            "summed over positions",
            {"(np.sqrt(filters) * z.shape[1])": "np.sqrt(filters)", ".mean(axis=1)": ".sum(axis=1)"},
            {"conv-hand", "conv-values"},
            "mean over the positions",
        ),
        Wrong(
            "the derivative of a linear unit",
            {"v * (z > 0)": "v * np.ones_like(z)"},
            {"conv-values"},
            "derivative of the ReLU",
        ),
        Wrong(
            "the readout alone",
            {"return readout + hidden": "return readout"},
            {"conv-hand", "conv-values"},
            "gradients of v alone",
        ),
        Wrong(
            "the hidden layer alone",
            {"return readout + hidden": "return hidden"},
            {"conv-hand", "conv-values"},
            "readout v learns too",
        ),
        Wrong(
            "rows and columns exchanged",
            {"return readout + hidden": "return (readout + hidden).T"},
            {"conv-values"},
            "shape",
        ),
    ],
    "top": [
        Wrong(
            "the start is a vector of ones",
            {"np.random.default_rng(seed).standard_normal(size)": "np.ones(size)"},
            {"top-bound", "top-start"},
            "draw the start",
        ),
        Wrong(
            "the start is a unit vector",
            {"np.random.default_rng(seed).standard_normal(size)": "np.eye(size)[0]"},
            {"top-bound", "top-start"},
            "a unit vector",
        ),
        Wrong(
            "never normalised",
            {"        v = v / np.linalg.norm(v)\n": ""},
            {"top-value", "top-bound", "top-start", "top-network"},
        ),
        Wrong(
            "the rate for the eigenvalue",
            {"float(value)": "float(2 / value)"},
            {"top-value", "top-bound", "top-start", "top-network"},
        ),
        Wrong(
            "the square of the norm",
            {"value, v = v @ image, image": "value, v = image @ image, image"},
            {"top-value", "top-bound", "top-start", "top-network"},
            "never above",
        ),
        Wrong(
            "the norm of the image",
            {"value, v = v @ image, image": "value, v = np.linalg.norm(image), image"},
            {"top-bound"},
            "not the Rayleigh quotient",
        ),
        Wrong(
            "a quotient of sums",
            {"value, v = v @ image, image": "value, v = image.sum() / v.sum(), image"},
            {"top-bound", "top-start"},
            "of the last vector",
        ),
        Wrong(
            "one product too many",
            {"return float(value)": "return float(v @ product(v) / (v @ v))"},
            {"top-count"},
            "at most 7 products",
        ),
        Wrong(
            "the whole matrix",
            {
                "return float(value)": (
                    "return np.linalg.eigvalsh(np.array([product(e) for e in np.eye(size)]))[-1]"
                )
            },
            {"top-bound", "top-count"},
            "at most 7 products",
        ),
    ],
    **ps3_alignment.BANK,
}
