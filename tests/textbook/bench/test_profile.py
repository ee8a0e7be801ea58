from ntkal.textbook.bench import profile
from ntkal.textbook.bench.pool_scores import operations
from ntkal.textbook.bench.problem import made_up


def test_the_steps_have_the_operations_of_the_whole():
    table = profile.norm_form(made_up(30, 40, 3), repeats=1)
    assert table["operations"].sum() == operations(30, 40)
    assert (table["seconds"] > 0).all()
