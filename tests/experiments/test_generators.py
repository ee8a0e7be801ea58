import itertools

import jax

from ntkal.experiments.generators import PURPOSES, key, stream


def test_streams_differ_by_seed_purpose_and_cycle():
    each = list(itertools.product((0, 1), PURPOSES, (0, 1)))
    draws = {float(stream(*one).random()) for one in each}
    keys = {tuple(jax.random.key_data(key(*one)).tolist()) for one in each}
    assert len(draws) == len(keys) == len(each)
