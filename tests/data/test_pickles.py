import os
import pickle
import pickletools

import numpy as np
import pytest
from published import python2_pickle

from ntkal.data import pickles


def test_what_python_2_wrote_is_read(rng):
    value = {
        b"data": rng.integers(0, 256, (4, 300), dtype=np.uint8),
        b"labels": [3, 0, 255, 70000],
        b"names": [b"cat", b"x" * 300],
        b"turned": np.asfortranarray(rng.integers(0, 256, (3, 5), dtype=np.uint8)),
    }
    content = python2_pickle(value)
    # The file is of the kind that it should be: texts as Python 2's strings, and only NumPy's old names.
    found = [(code.name, argument) for code, argument, _ in pickletools.genops(content)]
    assert {"SHORT_BINSTRING", "BINSTRING"} <= {code for code, _ in found}
    names = {argument for code, argument in found if code == "GLOBAL"}
    assert names == {"numpy.core.multiarray _reconstruct", "numpy ndarray", "numpy dtype"}
    expected = pickle.loads(content, encoding="bytes")
    read = pickles.read(content)
    assert read.keys() == expected.keys() == value.keys()
    for key in value:
        np.testing.assert_array_equal(read[key], expected[key])
    assert read[b"data"].dtype == np.uint8
    assert read[b"labels"] == value[b"labels"]


class Calls:
    """Pickles as a call."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_that_runs_a_command_is_refused_and_not_run(protocol, tmp_path):
    for function, arguments in (
        (os.mkdir, (str(tmp_path / "made"),)),
        (eval, (f"__import__('os').mkdir({str(tmp_path / 'made')!r})",)),
    ):
        content = pickle.dumps({"data": Calls(function, *arguments)}, protocol=protocol)
        module = function.__module__ if protocol > 2 or function is not eval else "__builtin__"
        with pytest.raises(ValueError, match=f"names {module}.{function.__name__}, which .* was not run"):
            pickles.read(content)
        assert not list(tmp_path.iterdir())
        pickle.loads(content)  # it would have
        (tmp_path / "made").rmdir()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"cnumpy\nload\n.", "names numpy.load"),
        (b"cnumpy\nfromfile\n.", "names numpy.fromfile"),
        (b"cnumpy.core.multiarray\nscalar\n.", "names numpy.core.multiarray.scalar"),
        (b"cbuiltins\ngetattr\n.", "names builtins.getattr"),
        (b"c_codecs\nencode\n.", "names _codecs.encode"),
        (b"\x80\x04\x8c\x05numpy\x8c\x10ndarray.__base__\x93.", "names numpy.ndarray.__base__"),
        (b"(S'x'\nios\nsystem\n.", "names os.system"),
        (b"(cos\nsystem\nS'x'\no.", "names os.system"),
        (b"Pelsewhere\n.", "refers to objects outside itself"),
        (b"cnumpy\nndarray\n(tR.", "not written as NumPy writes it"),
        (b"]q\x00.", "expected a dict, found list"),
        (b"", "damaged .pickle exhausted before seeing STOP"),
        (b"\xff", "damaged"),
        (b"}U\x04data.", "expected a dict, found bytes"),
        (b"}U\x04dat", "damaged .expected 4 bytes in a string1, but only 3 remain"),
    ],
)
def test_anything_else_is_refused(content, message):
    with pytest.raises(ValueError, match=message):
        pickles.read(content)


@pytest.mark.parametrize("state", [b"}U\x01xK\x01s", b"N}U\x01xK\x01s\x86"])
def test_a_pickle_cannot_change_the_stand_ins(state):
    for name in (b"numpy\nndarray", b"numpy\ndtype", b"numpy.core.multiarray\n_reconstruct"):
        with pytest.raises(ValueError, match="damaged"):
            pickles.read(b"c" + name + b"\n" + state + b"b.")
    assert not any(hasattr(stand_in, "x") for stand_in in pickles._ALLOWED.values())


@pytest.mark.parametrize("array", [np.arange(4.0), np.arange(4), np.array([None, {}]), np.array([b"a"])])
def test_arrays_of_other_kinds_are_refused(array):
    with pytest.raises(ValueError, match="expected an array of bytes .uint8., found one of another kind"):
        pickles.read(python2_pickle({b"data": array}))


def test_an_array_whose_bytes_do_not_fill_its_shape_is_refused():
    content = python2_pickle({b"data": np.arange(6, dtype=np.uint8).reshape(2, 3)})
    for wrong in (b"K\x02K\x04\x86", b"K\x01K\x01\x86", b"U\x01aK\x03\x86"):
        assert content.count(b"K\x02K\x03\x86") == 1
        with pytest.raises(ValueError, match="pickle: an array is not written as NumPy writes it"):
            pickles.read(content.replace(b"K\x02K\x03\x86", wrong))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_half_a_pickle_is_refused(share, rng):
    content = python2_pickle({b"data": rng.integers(0, 256, (4, 300), dtype=np.uint8)})
    with pytest.raises(ValueError, match="pickle: "):
        pickles.read(content[: int(share * len(content))])
