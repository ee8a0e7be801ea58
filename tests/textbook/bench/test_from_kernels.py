from ntkal.textbook.bench.from_kernels import made_up, profile


def test_the_steps_have_the_operations_of_the_whole():
    table = profile(made_up(30, 40, 3), repeats=1)
    assert table["operations"].sum() == 30**3 / 3 + 30**2 * 40 + 40**2 * 30
    assert (table["seconds"] > 0).all()
