import numpy as np
import pytest
from networks import SMALL

from ntkal import models


def test_every_family_is_listed():
    assert models.names() == tuple(sorted(SMALL))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("resnet", {}, "name: unknown 'resnet' .*; choose one of cnn, mlp, resnet18, wide_resnet"),
        ("mlp", {"depht": 3}, "mlp: unknown option 'depht'; choose among width, depth, activation"),
        ("mlp", {"width": 0}, "width: expected a whole number at least 1, got 0"),
        ("mlp", {"activation": "swish"}, "activation: unknown 'swish'"),
        ("cnn", {"parameterization": "mup"}, "parameterization: unknown 'mup'; choose one of ntk, standard"),
        ("cnn", {"sigma_w": 0.0}, "sigma_w: expected a positive number, got 0.0"),
        ("cnn", {"sigma_b": -1}, "sigma_b: expected a finite number of at least 0, got -1"),
        ("cnn", {"input_shape": (28, 28)}, "input_shape: cnn takes images"),
        ("mlp", {"input_shape": 4}, "input_shape: expected a tuple such as"),
        ("mlp", {"input_shape": ()}, "input_shape: expected a tuple such as .* got .."),
        ("mlp", {"classes": 0}, "classes: expected a whole number at least 1, got 0"),
        ("wide_resnet", {"width": 30}, "width: expected a multiple of 4, .* got 30"),
        ("resnet18", {"width": 12}, "width: expected a multiple of 8, .* got 12"),
        ("resnet18", {"width": 4}, "width: expected a whole number at least 8, got 4"),
        ("resnet18", {"input_shape": (4,)}, "input_shape: resnet18 takes images"),
        ("wide_resnet", {"blocks": 3}, "blocks: expected a whole number between 1 and 2, got 3"),
        ("mlp", {"dtype": "float16"}, "dtype: unknown 'float16' .*; choose one of float32, float64"),
        ("mlp", {"dtype": None}, "dtype: unknown 'None'"),
        ("cnn", {"dtype": "single precision"}, "dtype: unknown 'single precision'"),
        ("cnn", {"sigma_w": True}, "sigma_w: expected a finite number of at least 0, got True"),
        ("mlp", {"input_shape": (8, 8.0)}, "input_shape: expected a whole number, got 8.0"),
        ("mlp", {"input_shape": (True,)}, "input_shape: expected a whole number, got True"),
    ],
)
def test_bad_options_are_named(name, options, message, as_user):
    with pytest.raises(ValueError, match=message):
        models.get(name, **({"input_shape": (8, 8, 1), "classes": 2} | options))


@pytest.mark.parametrize(
    ("name", "option", "accepted", "refused"),
    [
        ("mlp", "width", 1, True),
        ("mlp", "width", 24, 24.0),
        ("mlp", "depth", 1, True),
        ("mlp", "depth", 0, False),
        ("mlp", "classes", 1, True),
        ("cnn", "width", 8, 8.0),
        ("cnn", "sigma_w", 1, True),
        ("cnn", "sigma_b", 0.0, False),
        ("cnn", "classes", 2, 2.0),
        ("wide_resnet", "blocks", 1, True),
        ("wide_resnet", "width", 16, 16.0),
        ("resnet18", "width", 16, 16.0),
    ],
)
def test_what_is_refused_does_not_depend_on_what_was_made_before(name, option, accepted, refused, as_user):
    options = {"input_shape": (8, 8, 1), "classes": 2}
    made = models.get(name, **(options | {option: accepted}))
    with pytest.raises(ValueError, match=f"^{option}: expected a .*, got {refused}"):
        models.get(name, **(options | {option: refused}))
    assert models.get(name, **(options | {option: np.asarray(accepted)[()]})) is made
