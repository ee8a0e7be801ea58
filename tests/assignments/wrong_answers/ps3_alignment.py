"""Wrong answers to question 5 of problem set 3."""

from wrong_answers import Wrong

BANK = {
    "alignment": [
        Wrong(
            "uncentred kernels",
            {"k, wanted = centred(k), centred(y @ y.T)": "wanted = y @ y.T"},
            {"alignment-perfect", "alignment-values"},
            "Neither",
        ),
        Wrong(
            "an uncentred kernel of the labels",
            {"centred(k), centred(y @ y.T)": "centred(k), y @ y.T"},
            {"alignment-perfect", "alignment-values"},
            "labels' kernel has to be centred",
        ),
        Wrong(
            "the kernel is not centred",
            {"centred(k), centred(y @ y.T)": "k, centred(y @ y.T)"},
            {"alignment-perfect", "alignment-values"},
            "not the labels alone",
        ),
        Wrong(
            "centred on one side",
            {" - a.mean(axis=1)[:, None] + a.mean()": ""},
            {"alignment-values"},
            "on both sides",
        ),
        Wrong(
            "the overall mean is subtracted",
            {"return a - a.mean(axis=0) - a.mean(axis=1)[:, None] + a.mean()": "return a - a.mean()"},
            {"alignment-values"},
            "mean of its own",
        ),
        Wrong(
            "divided by the squares",
            {"np.linalg.norm(wanted))": "np.linalg.norm(wanted)) ** 2"},
            {"alignment-perfect", "alignment-values"},
            "squares of the norms",
        ),
        Wrong(
            "not divided",
            {" / (np.linalg.norm(k) * np.linalg.norm(wanted))": ""},
            {"alignment-perfect", "alignment-values"},
            "does not depend on the scale",
        ),
    ],
    "learns": [
        Wrong(
            "alignment over all digits",
            {"alignment(k[60:, 60:], y[60:])": "alignment(k, y)"},
            {"learns-alignment"},
            "over all 160 digits",
        ),
        Wrong(
            "seen and new exchanged",
            {
                "alignment(k[:60, :60], y[:60]), alignment(k[60:, 60:], y[60:])": (
                    "alignment(k[60:, 60:], y[60:]), alignment(k[:60, :60], y[:60])"
                )
            },
            {"learns-alignment"},
            "column of the other digits",
        ),
        Wrong(
            "start and end exchanged",
            {"zip(kernels_start, kernels_trained": "zip(kernels_trained, kernels_start"},
            {"learns-alignment", "learns-accuracy"},
            "other end of training",
        ),
        Wrong(
            "a ridge from the wrong diagonal",
            {"np.diag(k)[:60].mean()": "np.diag(k)[60:].mean()"},
            {"learns-accuracy"},
            "on the 60 labelled digits",
        ),
        Wrong("arg-min for arg-max", {"f.argmax": "f.argmin"}, {"learns-accuracy"}, "arg-min was taken"),
        Wrong(
            "accuracy on the labelled digits",
            {"f = k[60:, :60]": "f = k[:60, :60]", "y[60:].argmax": "y[:60].argmax"},
            {"learns-accuracy"},
            "on the labelled digits",
        ),
        Wrong(
            "error rates", {"f.argmax(axis=1) ==": "f.argmax(axis=1) !="}, {"learns-accuracy"}, "error rates"
        ),
        Wrong(
            "in per cent",
            {"right.mean()": "100 * right.mean()"},
            {"learns-form", "learns-accuracy"},
            "shares, between 0 and 1",
        ),
    ],
}
