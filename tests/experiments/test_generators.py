import jax

from ntkal.experiments import generators as streams
from ntkal.experiments.generators import key, stream


def test_streams_differ_by_seed_purpose_and_cycle():
    draws = {
        float(stream(seed, purpose, cycle).random())
        for seed in (0, 1)
        for purpose in streams._STREAMS
        for cycle in (0, 1)
    }
    keys = {
        tuple(jax.random.key_data(key(seed, purpose, cycle)).tolist())
        for seed in (0, 1)
        for purpose in streams._STREAMS
        for cycle in (0, 1)
    }
    assert len(draws) == len(keys) == 4 * len(streams._STREAMS)
