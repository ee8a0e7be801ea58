import jax
import numpy as np
import pandas as pd
import pytest

from ntkal import Lookahead, empirical_ntk, load, mlmoc, models
from ntkal import training as train
from ntkal.data import one_hot
from ntkal.experiments import results
from ntkal.kernels.sketch import gradient_sketch
from ntkal.scaling import pool_cost

SMALL = {"rank": 30, "labels": 20, "steps": 5, "width": 4}


def test_the_pool_is_drawn_by_the_generator_and_stays_in_range():
    one, two, other = (pool_cost.digits_pool(200, np.random.default_rng(s), skip=100) for s in (0, 0, 1))
    np.testing.assert_array_equal(one, two)
    assert np.abs(one - other).max() > 0.5
    assert one.min() >= 0
    assert one.max() <= 1
    assert len(np.unique(one.reshape(200, -1), axis=0)) == 200


def test_making_a_pool_does_not_alter_the_digits():
    before = load("digits").x_train.copy()
    pool_cost.digits_pool(50, np.random.default_rng(0))
    np.testing.assert_array_equal(load("digits").x_train, before)


def test_the_pick_is_that_of_the_dense_look_ahead_with_the_exact_mean():
    row = pool_cost.measure(120, seed=3, dtype="float64", **SMALL)
    digits, n = load("digits"), SMALL["labels"]
    x_l, y_l = digits.x_train[:n], np.asarray(one_hot(digits.y_train[:n], 10))
    x = np.concatenate([x_l, pool_cost.digits_pool(120, np.random.default_rng(3), skip=n)])
    model = models.get("cnn", input_shape=(8, 8, 1), classes=10, width=4)
    keys = jax.random.split(jax.random.key(3), 3)
    config = train.TrainConfig(steps=5, batch_size=n)
    params, _ = train.fit(model, model.init(keys[0]), x_l, y_l, config, keys[1])
    f = np.asarray(train.predict(model, params, x))
    exact = np.asarray(empirical_ntk(model.apply, params, x)).astype(float)
    phi = np.asarray(gradient_sketch(model.apply, params, x, rank=30, key=keys[2])).astype(float)
    ridge = 0.01 * exact[:n, :n].trace() / n
    sketched = phi @ phi.T
    inverse = np.linalg.inv(sketched[:n, :n] + ridge * np.eye(n))
    cov = sketched[n:, n:] - sketched[n:, :n] @ inverse @ sketched[:n, n:]
    mean = f[n:] + exact[n:, :n] @ np.linalg.solve(exact[:n, :n] + ridge * np.eye(n), y_l - f[:n])
    dense = Lookahead(jax.numpy.asarray(mean), jax.numpy.asarray(cov), ridge)
    assert row["pick"] == int(np.argmax(mlmoc(dense)))
    assert row["factor_bytes"] == 8 * 120 * 30
    assert row["dense_bytes"] == 8 * 120 * 120
    assert all(row[f"seconds_{step}"] > 0 for step in ("sketch", "kernel", "fit", "norm", "reveal"))


@pytest.mark.slow
def test_the_command_measures_each_size_in_its_own_process_and_says_how(tmp_path, capsys):
    out = tmp_path / "large.parquet"
    pool_cost.main(["40", "60", "--rank", "5", "--out", str(out)])
    table, made = results.read(out)
    assert table["m"].tolist() == [40, 60]
    assert (table["rank"] == 5).all()
    assert made["command"] == "python -m ntkal.large 40 60 --rank 5 --seed 0"
    assert "peak_bytes" in capsys.readouterr().out


class Here:
    """In place of the processes: a measurement that fails at 60."""

    def __init__(self, *args, **options):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return False

    def map(self, measure, sizes):
        for m in sizes:
            if m == 60:
                raise MemoryError("no more")
            yield {"m": m}


def test_a_size_that_fails_loses_no_row_before_it(tmp_path, monkeypatch):
    monkeypatch.setattr(pool_cost, "ProcessPoolExecutor", Here)
    with pytest.raises(MemoryError, match="no more"):
        pool_cost.main(["40", "50", "60", "--out", str(tmp_path / "large.parquet")])
    assert results.read(tmp_path / "large.parquet")[0]["m"].tolist() == [40, 50]


def test_the_stored_table_is_bounded_in_memory_and_says_how_it_was_made():
    table, made = pool_cost.stored()
    assert made["command"].startswith("python -m ntkal.large ")
    assert made["commit"]
    biggest = table.loc[table["m"].idxmax()]
    assert biggest["m"] >= 20_000
    assert biggest["peak_bytes"] < 4 * 2**30
    assert set(pool_cost.STEPS) == {c.removeprefix("seconds_") for c in table if c.startswith("seconds_")}
    assert isinstance(table, pd.DataFrame)
