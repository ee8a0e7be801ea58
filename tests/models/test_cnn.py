import jax
import numpy as np
from networks import make, moved, size

from ntkal import models


def test_a_convolution_by_hand(rng):
    model = make("cnn")
    params = moved(model.init(jax.random.key(0)), rng)
    x = rng.normal(size=(1, 8, 7, 2))
    h = x
    for layer in range(3):
        kernel, bias = (np.asarray(params["weights"][f"conv{layer}_{part}"]) for part in ("kernel", "bias"))
        padded = np.pad(h, ((0, 0), (1, 1), (1, 1), (0, 0)))
        out = np.zeros((*h.shape[:3], 5))
        for row in range(h.shape[1]):
            for column in range(h.shape[2]):
                patch = padded[0, row : row + 3, column : column + 3]
                out[0, row, column] = np.tensordot(patch, kernel, 3) + bias
        h = np.maximum(out, 0)
        np.testing.assert_allclose(model.stages(params, x)[layer], h.mean((1, 2)), rtol=1e-12)
        if layer < 2:  # an odd last column is averaged with the border's zeros left out
            tall, broad = -(-h.shape[1] // 2), -(-h.shape[2] // 2)
            h = np.array(
                [
                    [
                        [h[0, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2].mean((0, 1)) for j in range(broad)]
                        for i in range(tall)
                    ]
                ]
            )
    np.testing.assert_allclose(model.features(params, x), h.mean((1, 2)), rtol=1e-12)


def test_the_size_of_the_cnn():
    assert size(models.cnn((28, 28, 1), 10)) == 19_146
