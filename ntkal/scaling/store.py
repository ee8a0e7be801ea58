"""The kernel of a large pool on disk, in square blocks that any number of workers may have written."""

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Shaped

from ntkal.inputs import check_int

DESCRIPTION = "kernel.json"


class BlockedKernel:
    """A symmetric kernel matrix in a folder: a JSON description and a ``.npy`` file for each block.

    Only blocks on and below the diagonal are stored; the others are their transposes. Blocks are read when
    they are used, memory-mapped, so a kernel may be far larger than memory.

    Attributes:
        folder: Where it lies.
        n: Number of inputs.
        block: Inputs to a block; the last block may be smaller.
        dtype: Precision of the numbers.

    Raises:
        ValueError: When the folder holds no such kernel.

    Example:
        >>> folder = tempfile.mkdtemp()
        >>> small = write(np.array([[2.0, 1.0], [1.0, 3.0]]), folder, block=1)
        >>> small.column(1).tolist(), small.diagonal().tolist(), small.whole().tolist()
        ([1.0, 3.0], [2.0, 3.0], [[2.0, 1.0], [1.0, 3.0]])
    """

    def __init__(self, folder: str | os.PathLike):
        self.folder = Path(folder)
        try:
            made = json.loads((self.folder / DESCRIPTION).read_text())
            self.n, self.block, self.dtype = int(made["n"]), int(made["block"]), np.dtype(made["dtype"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"folder: {self.folder} holds no kernel in blocks ({error!r}); "
                "ntkal.scaling.blockwise.compute makes one."
            ) from error
        self.made: dict[str, Any] = made

    @property
    def shape(self) -> tuple[int, int]:
        """The shape of the matrix, (n, n)."""
        return self.n, self.n

    def blocks(self) -> list[tuple[int, int]]:
        """Give the (row, column) of each block that is stored when the kernel is whole."""
        return [(i, j) for i in range(-(-self.n // self.block)) for j in range(i + 1)]

    def missing(self) -> list[tuple[int, int]]:
        """Give the blocks that are not there yet, or whose file is not whole."""
        return [at for at in self.blocks() if not self._is_whole(at)]

    def rows(self, start: int, stop: int) -> Shaped[np.ndarray, "b n"]:
        """Read rows ``start`` to ``stop - 1``, shape (stop - start, n).

        Raises:
            ValueError: For rows outside the kernel, or when a block is missing.
        """
        start = check_int("start", start, low=0, high=self.n - 1)
        stop = check_int("stop", stop, low=start + 1, high=self.n)
        out = np.empty((stop - start, self.n), self.dtype)
        for i in range(start // self.block, -(-stop // self.block)):
            low = i * self.block
            mine = slice(max(start - low, 0), stop - low)
            for j in range(-(-self.n // self.block)):
                part = self._read(i, j)[mine]
                top = max(low - start, 0)
                out[top : top + len(part), j * self.block : j * self.block + part.shape[1]] = part
        return out

    def column(self, i: int) -> Shaped[np.ndarray, " n"]:
        """Read column i, shape (n,): what :func:`ntkal.kernels.pivoted_cholesky` asks for."""
        return self.rows(i, i + 1)[0]

    def diagonal(self) -> Shaped[np.ndarray, " n"]:
        """Read the diagonal, shape (n,)."""
        return np.concatenate([np.diag(self._read(i, i)) for i in range(-(-self.n // self.block))])

    def whole(self) -> Shaped[np.ndarray, "n n"]:
        """Read the whole matrix into memory, shape (n, n)."""
        return self.rows(0, self.n)

    def __matmul__(self, v: Float[np.ndarray, "n ..."]) -> Float[np.ndarray, "n ..."]:
        """Multiply by a vector or a matrix in float64, reading each stored block once."""
        v = np.asarray(v, dtype=np.float64)
        out = np.zeros(v.shape)
        for i, j in self.blocks():
            part = np.asarray(self._read(i, j), dtype=np.float64)
            low, left = i * self.block, j * self.block
            out[low : low + part.shape[0]] += part @ v[left : left + part.shape[1]]
            if i != j:
                out[left : left + part.shape[1]] += part.T @ v[low : low + part.shape[0]]
        return out

    def _path(self, i: int, j: int) -> Path:
        return self.folder / f"block-{i:05d}-{j:05d}.npy"

    def _size(self, i: int, j: int) -> tuple[int, int]:
        return tuple(min(self.block, self.n - k * self.block) for k in (i, j))

    def _read(self, i: int, j: int) -> np.ndarray:
        if j > i:
            return self._read(j, i).T
        if not self._is_whole((i, j)):
            raise ValueError(
                f"folder: block ({i}, {j}) of {self.folder} is missing or not whole, one of "
                f"{len(self.missing())} of {len(self.blocks())}; call ntkal.scaling.blockwise.compute again to go on."
            )
        return np.load(self._path(i, j), mmap_mode="r")

    def _is_whole(self, at: tuple[int, int]) -> bool:
        try:
            stored = np.load(self._path(*at), mmap_mode="r")
        except (OSError, ValueError, EOFError):
            return False
        return stored.shape == self._size(*at) and stored.dtype == self.dtype


def save(path: Path, fill: Callable[[Any], None]) -> None:
    """Write a file entirely or not at all: beside its place, forced to the disk, then renamed.

    Example:
        >>> path = Path(tempfile.mkdtemp()) / "a.npy"
        >>> save(path, lambda file: np.save(file, np.ones(2)))
        >>> np.load(path).tolist()
        [1.0, 1.0]
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            fill(file)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def create(folder: str | os.PathLike, n: int, block: int, dtype: Any, **made: Any) -> BlockedKernel:
    """Make an empty kernel of n inputs; its blocks are put in by :func:`put`.

    Args:
        folder: Folder for it, made if it is not there.
        n: Number of inputs, at least 1.
        block: Inputs to a block, at least 1.
        dtype: Precision of the numbers.
        **made: Further entries of the description, which JSON must be able to hold.

    Example:
        >>> create(tempfile.mkdtemp(), 3, 2, "float32").missing()
        [(0, 0), (1, 0), (1, 1)]
    """
    n, block = check_int("n", n, low=1), check_int("block", block, low=1)
    text = json.dumps({"n": n, "block": block, "dtype": np.dtype(dtype).name, **made}, indent=1)
    Path(folder).mkdir(parents=True, exist_ok=True)
    save(Path(folder) / DESCRIPTION, lambda file: file.write(text.encode()))
    return BlockedKernel(folder)


def put(kernel: BlockedKernel, i: int, j: int, values: Shaped[np.ndarray, "b d"]) -> None:
    """Put block (i, j), j at most i, in its place.

    Raises:
        ValueError: When its shape or precision is not that of the block, or an entry is not finite.

    Example:
        >>> kernel = create(tempfile.mkdtemp(), 1, 1, "float64")
        >>> put(kernel, 0, 0, np.array([[2.0]]))
        >>> kernel.missing()
        []
    """
    if values.shape != kernel._size(i, j) or values.dtype != kernel.dtype:
        raise ValueError(
            f"values: expected shape {kernel._size(i, j)} in {kernel.dtype} for block ({i}, {j}), got "
            f"{values.shape} in {values.dtype}."
        )
    if not np.isfinite(values).all():
        raise ValueError(f"values: block ({i}, {j}) has NaN or infinite entries; check inputs and params.")
    save(kernel._path(i, j), lambda file: np.save(file, np.ascontiguousarray(values)))


def pieces(kernel: BlockedKernel, i: int) -> slice:
    """Give the inputs of row block i.

    Example:
        >>> pieces(create(tempfile.mkdtemp(), 5, 2, "float64"), 2)
        slice(4, 5, None)
    """
    return slice(i * kernel.block, min((i + 1) * kernel.block, kernel.n))


def write(matrix: Shaped[np.ndarray, "n n"], folder: str | os.PathLike, *, block: int) -> BlockedKernel:
    """Store a kernel matrix that fits in memory.

    Example:
        >>> write(np.eye(3), tempfile.mkdtemp(), block=2).shape
        (3, 3)
    """
    matrix = np.asarray(matrix)
    kernel = create(folder, len(matrix), block, matrix.dtype)
    for i, j in kernel.blocks():
        put(kernel, i, j, matrix[pieces(kernel, i), pieces(kernel, j)])
    return kernel
