import pickle

import jax
import numpy as np
import pytest
from networks import SMALL
from networks import make as network

from ntkal import empirical_ntk
from ntkal.scaling.network_kernel import NetworkKernel


@pytest.mark.parametrize(("name", "logit"), [("mlp", "first"), ("cnn", "sum")])
def test_after_its_journey_it_is_the_network_s_kernel(rng, name, logit):
    model = network(name, "float32")
    params = model.init(jax.random.key(3))
    shape = SMALL[name]["input_shape"]
    options = {key: value for key, value in SMALL[name].items() if key != "input_shape"}
    kernel = pickle.loads(pickle.dumps(NetworkKernel(name, shape, 3, params, options, logit)))
    x1, x2 = (rng.uniform(size=(n, *shape)).astype(np.float32) for n in (4, 3))
    np.testing.assert_array_equal(kernel(x1), empirical_ntk(model.apply, params, x1, logit=logit))
    np.testing.assert_array_equal(kernel(x1, x2), empirical_ntk(model.apply, params, x1, x2, logit=logit))


def test_a_network_that_does_not_exist_is_refused_here_and_not_on_a_worker(as_user):
    with pytest.raises(ValueError, match="unknown 'perceptron'"):
        NetworkKernel("perceptron", (2,), 3, {})
