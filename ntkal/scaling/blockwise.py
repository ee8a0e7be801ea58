"""The kernel of a large pool in blocks on disk, computed by Dask workers; whatever is killed, it goes on."""

import contextlib
import hashlib
import json
import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped

from ntkal.experiments.results import write_whole
from ntkal.experiments.workers import each
from ntkal.inputs import ArrayLike, check_int

DESCRIPTION = "kernel.json"
_PROBE = 4


class BlockedKernel:
    """A symmetric kernel matrix in a folder: a JSON description and a ``.npy`` file for each block.

    Only blocks on and below the diagonal are stored. They are read when they are used, memory-mapped, so a
    kernel may be far larger than memory. Their files carry a number that :func:`compute` drew for this one:
    what is left of another kernel in the same place is not read.

    Attributes:
        folder: Where it lies.
        shape: The shape of the matrix, (n, n).
        block: Inputs to a block; the last block may be smaller.
        count: Blocks to a row of blocks.
        dtype: Precision of the numbers.
        made: The whole description.

    Raises:
        ValueError: When the folder holds no such kernel.

    Example:
        >>> import tempfile
        >>> gram, x = lambda x1, x2=None: x1 @ (x1 if x2 is None else x2).T, np.array([[1.0], [2.0]])
        >>> small = compute(gram, x, tempfile.mkdtemp(), block=1, workers=0)
        >>> small.column(1).tolist(), small.diagonal().tolist(), small.whole().tolist()
        ([2.0, 4.0], [1.0, 4.0], [[1.0, 2.0], [2.0, 4.0]])
    """

    def __init__(self, folder: str | os.PathLike):
        self.folder = Path(folder)
        try:
            made = json.loads((self.folder / DESCRIPTION).read_text())
            self.id, self.block = str(made["id"]), int(made["block"])
            self.shape, self.dtype = (int(made["n"]),) * 2, np.dtype(made["dtype"])
            self.count = -(-len(self) // self.block)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"folder: {self.folder} has no kernel in blocks ({error!r}); ntkal.scaling.compute makes one."
            ) from error
        self.made: dict[str, Any] = made

    def blocks(self) -> list[tuple[int, int]]:
        """Give the (row, column) of each block that is stored when the kernel is whole."""
        return [(i, j) for i in range(self.count) for j in range(i + 1)]

    def missing(self) -> list[tuple[int, int]]:
        """Give the blocks that are not there yet, or whose file is not whole."""
        return [at for at in self.blocks() if self._stored(*at) is None]

    def rows(self, start: int, stop: int) -> Shaped[np.ndarray, "b n"]:
        """Read rows ``start`` to ``stop - 1``, shape (stop - start, n); a missing block is an error."""
        start = check_int("start", start, low=0, high=len(self) - 1)
        stop = check_int("stop", stop, low=start + 1, high=len(self))
        mine = {
            i: slice(max(start - i * self.block, 0), stop - i * self.block)
            for i in range(start // self.block, -(-stop // self.block))
        }
        return np.block([[self._read(i, j)[rows] for j in range(self.count)] for i, rows in mine.items()])

    def column(self, i: int) -> Shaped[np.ndarray, " n"]:
        """Read column i, shape (n,): what :func:`ntkal.kernels.pivoted_cholesky` asks for."""
        return self.rows(check_int("i", i, low=0, high=len(self) - 1), i + 1)[0]

    def diagonal(self) -> Shaped[np.ndarray, " n"]:
        """Read the diagonal, shape (n,)."""
        return np.concatenate([np.diag(self._read(i, i)) for i in range(self.count)])

    def whole(self) -> Shaped[np.ndarray, "n n"]:
        """Read the whole matrix into memory, shape (n, n)."""
        return self.rows(0, len(self))

    def __len__(self) -> int:
        return self.shape[0]

    def _path(self, i: int, j: int) -> Path:
        return self.folder / f"block-{self.id}-{i:05d}-{j:05d}.npy"

    def _size(self, *at: int) -> tuple[int, ...]:
        return tuple(min(self.block, len(self) - k * self.block) for k in at)

    def _stored(self, i: int, j: int) -> np.ndarray | None:
        try:
            found = np.load(self._path(i, j), mmap_mode="r")
        except (OSError, ValueError, EOFError):
            return None
        return found if (found.shape, found.dtype) == (self._size(i, j), self.dtype) else None

    def _read(self, i: int, j: int) -> np.ndarray:
        found = self._stored(max(i, j), min(i, j))
        if found is None:
            raise ValueError(
                f"folder: block {(max(i, j), min(i, j))} of {self.folder} is missing or not whole, one of "
                f"{len(self.missing())} of {len(self.blocks())}; call ntkal.scaling.compute again to go on."
            )
        return found.T if j > i else found


def compute(
    kernel: Callable[..., ArrayLike],
    x: Shaped[ArrayLike, "n ..."],
    out: str | os.PathLike,
    *,
    block: int = 2000,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: bool = False,
) -> BlockedKernel:
    """Compute the kernel matrix of x into a folder, one file a block; one that was begun there goes on.

    A block is written entirely or not at all, and a block that is there is not computed again. So a worker
    that is killed loses the block in hand and no more: Dask gives it to another. When this process is killed,
    the same call goes on in the same way. Whether the folder belongs to this kernel and these inputs is
    checked on resuming, by the inputs' checksum and by the kernel of four of them.

    Each block differentiates its own inputs, so an input is differentiated n / block times: take blocks as
    large as a worker's memory allows.

    Args:
        kernel: ``kernel(x1, x2=None) -> (n1, n2)``, symmetric. It goes to workers by cloudpickle, which
            cannot send JAX's compiled functions: have it build its network by name when it is called.
        x: Inputs, shape (n, ...); they are copied into the folder.
        out: Folder of the kernel. With a scheduler of your own all workers must see it by this path.
        block: Inputs to a block.
        workers: As in :func:`ntkal.experiments.workers.each`: 0 computes here, without Dask.
        scheduler: As there.
        progress: Whether to draw a progress bar on the standard error stream.

    Returns:
        The kernel, whole, to be read from its folder.

    Raises:
        ValueError: When the folder holds the kernel of other inputs, another kernel or blocks of another
            size; when the kernel is not symmetric, has NaN or infinite entries or cannot be sent to workers.
        ImportError, OSError: As :func:`ntkal.experiments.workers.each` does.

    Example:
        >>> import tempfile
        >>> x = np.array([[1.0], [2.0], [3.0]])
        >>> gram = lambda x1, x2=None: x1 @ (x1 if x2 is None else x2).T
        >>> compute(gram, x, tempfile.mkdtemp(), block=2, workers=0).whole().tolist()
        [[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [3.0, 6.0, 9.0]]
    """
    from tqdm import tqdm

    x = np.asarray(x)
    if x.ndim < 2 or len(x) == 0 or x.dtype.kind not in "biuf":
        got = f"{x.dtype} of shape {x.shape}"
        raise ValueError(f"x: expected numbers of shape (n, ...) with n >= 1, got {got}.")
    made = _begin(kernel, x, Path(out).resolve(), check_int("block", block, low=1))
    todo, inputs = made.missing(), made.folder / f"inputs-{made.made['inputs']}.npy"
    if todo and not inputs.exists():
        write_whole(inputs, lambda file: np.save(file, x))
    given = kernel, inputs, made
    items = {f"block {at}": at for at in todo}
    steps = each(_block, items, given, made.folder, argument="kernel", workers=workers, scheduler=scheduler)
    count = len(made.blocks())
    bar = tqdm(total=count, initial=count - len(todo), disable=not progress)
    with bar, contextlib.closing(steps):
        for _, failed in steps:
            if failed:
                raise failed
            bar.update()
    return made


def _begin(kernel: Callable, x: np.ndarray, folder: Path, block: int) -> BlockedKernel:
    """Open or make the folder; refuse one that belongs to something else."""
    few = x[np.unique(np.linspace(0, len(x) - 1, _PROBE).astype(int))]
    probe, across = np.asarray(kernel(few)), np.asarray(kernel(few, few))
    for values in (probe, across):
        if values.shape != (len(few), len(few)) or values.dtype.kind != "f" or not np.isfinite(values).all():
            raise ValueError(
                f"kernel: expected finite floating-point numbers of shape {(len(few), len(few))} for "
                f"{len(few)} inputs, got {values.dtype} of shape {values.shape}: {values.ravel()[:4]} ..."
            )
    if not (_alike(probe, across) and _alike(probe, probe.T)):
        raise ValueError("kernel: kernel(x) and kernel(x, x) must be the same symmetric matrix; they differ.")
    sums = hashlib.sha256(f"{x.dtype.str} {x.shape}".encode())
    sums.update(np.ascontiguousarray(x))
    described = {"inputs": sums.hexdigest()[:16], "block": block, "dtype": probe.dtype.name}
    if not (folder / DESCRIPTION).exists():
        more = {"id": uuid.uuid4().hex[:12], "n": len(x), "probe": probe.tolist()}
        text = json.dumps(described | more, indent=1).encode()
        write_whole(folder / DESCRIPTION, lambda file: file.write(text))
    there = BlockedKernel(folder)
    wrong = [f"{key} ({there.made.get(key)})" for key in described if there.made.get(key) != described[key]]
    if not _alike(there.made.get("probe"), probe):
        wrong.append("kernel")
    if wrong:
        said = f"{', '.join(wrong)}; give another folder, or move it away"
        raise ValueError(f"out: {folder} was begun with another {said}.")
    return there


def _alike(stored: Any, probe: np.ndarray) -> bool:
    """The same kernel up to the rounding of another machine."""
    stored = np.asarray(stored, dtype=float)
    tolerance = 100 * np.finfo(probe.dtype).eps * np.max(np.abs(probe))
    return stored.shape == probe.shape and bool(np.all(np.abs(stored - probe) <= tolerance))


def _block(at: tuple[int, int], given: tuple[Callable, Path, BlockedKernel]) -> None:
    """Compute a block and put it in its place, entirely or not at all, unless it has come there meanwhile."""
    kernel, inputs, made = given
    if made._stored(*at) is not None:
        return
    x = np.load(inputs, mmap_mode="r")
    left, right = (x[k * made.block : (k + 1) * made.block] for k in at)
    values = np.asarray(kernel(left) if at[0] == at[1] else kernel(left, right))
    if values.shape != made._size(*at) or values.dtype != made.dtype:
        wanted, got = f"{made.dtype} of shape {made._size(*at)}", f"{values.dtype} of shape {values.shape}"
        raise ValueError(f"kernel: expected {wanted} for block {at}, got {got}.")
    if not np.isfinite(values).all():
        raise ValueError(f"kernel: block {at} has NaN or infinite entries; check inputs and params.")
    write_whole(made._path(*at), lambda file: np.save(file, np.ascontiguousarray(values)))
