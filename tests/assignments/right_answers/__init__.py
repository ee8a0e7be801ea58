"""Right answers in other clothes, which must have all points: a module a set, a dictionary `BANK` by cell.

An answer is the whole cell, under a name that says what is unusual: another library, a container, a
precision, a loop, or helpers with names that somebody's tests might have taken. `NAMES` are such names.
"""

NAMES = """
stats softmax each fit accuracy left average interval mean low high both luck d ends right student
welch problem full refits x y k g f j rng wanted residuals given copies picks pools size of have
sets name chosen library nngp ntk few many x_few x_many drawn by_gradients network one dark theta
late roots t_ll t_tl some targets end twice block integral got curve near eta by_parameters windows
positions apart once parts small value top calls counted basis crowded estimates features only_rows
halves seen new every column clipped written_out spots kinds now then moved weights with_label other
trainings watched soft uneven by_pairs ones nothing found reading by_rule misses line_of code scores
case cases slips rule grade numbers without steps unchanged Checker WrongAnswer linalg special
functools copy itertools label test
""".split()  # noqa: SIM905
