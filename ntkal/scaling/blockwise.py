"""The kernel of a large pool, computed block by block on Dask workers; whatever is killed, it goes on."""

import hashlib
import os
import pickle
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from ntkal.experiments.workers import RETRIES, connect, finished
from ntkal.inputs import ArrayLike, check_int
from ntkal.scaling import store
from ntkal.scaling.store import BlockedKernel

INPUTS = "inputs.npy"
_PROBE = 4
_WHY = (
    "Most likely for want of memory: take smaller blocks or fewer workers; the same call goes on from here."
)


def compute(
    kernel: Callable[..., ArrayLike],
    x: Float[ArrayLike, "n ..."],
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
    checked on resuming, by the inputs' checksum and by the kernel of the first four.

    Each block differentiates its own inputs, so an input is differentiated n / block times: take blocks as
    large as a worker's memory allows.

    Args:
        kernel: ``kernel(x1, x2=None) -> (n1, n2)``, symmetric, such as a
            :class:`ntkal.scaling.network_kernel.NetworkKernel`; it is sent to the workers by cloudpickle, which cannot send
            JAX's compiled functions.
        x: Inputs, shape (n, ...); they are copied into the folder, where the workers read them.
        out: Folder of the kernel. With a scheduler of your own all workers must see it by this path.
        block: Inputs to a block.
        workers: As in :func:`ntkal.experiments.sweep.run`; 0 computes in this process, without Dask.
        scheduler: As in :func:`ntkal.experiments.sweep.run`.
        progress: Whether to draw a progress bar on the standard error stream.

    Returns:
        The kernel, whole, to be read from its folder.

    Raises:
        ValueError: When the folder holds the kernel of other inputs, another kernel or blocks of another
            size; when a block has NaN or infinite entries; when the kernel cannot be sent to workers.
        ImportError: When Dask is not installed and ``workers`` is not 0.
        OSError: When the scheduler cannot be reached, or when one block killed several workers.

    Source:
        Rocklin, "Dask: parallel computation with blocked algorithms and task scheduling", SciPy 2015.

    Example:
        >>> import tempfile
        >>> x = np.array([[1.0], [2.0], [3.0]])
        >>> gram = lambda x1, x2=None: x1 @ (x1 if x2 is None else x2).T
        >>> made = compute(gram, x, tempfile.mkdtemp(), block=2, workers=0)
        >>> made.whole().tolist()
        [[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [3.0, 6.0, 9.0]]
    """
    from tqdm import tqdm

    x = np.asarray(x)
    if x.ndim < 2 or len(x) == 0:
        raise ValueError(f"x: expected inputs of shape (n, ...) with n >= 1, got {x.shape}.")
    folder = Path(out).resolve()
    made = _begin(kernel, x, folder, check_int("block", block, low=1))
    todo = made.missing()
    here = workers == 0 and scheduler is None
    with tqdm(total=len(made.blocks()), initial=len(made.blocks()) - len(todo), disable=not progress) as bar:
        for _ in _here(kernel, made, todo) if here else _on_dask(kernel, made, todo, workers, scheduler):
            bar.update()
    return made


def _begin(kernel: Callable, x: np.ndarray, folder: Path, block: int) -> BlockedKernel:
    """Open or make the folder; refuse one that belongs to something else."""
    probe = np.asarray(kernel(x[:_PROBE]))
    size = min(_PROBE, len(x))
    if probe.shape != (size, size):
        raise ValueError(f"kernel: expected shape ({size}, {size}) for {size} inputs, got {probe.shape}.")
    sums = hashlib.sha256(np.ascontiguousarray(x).tobytes()).hexdigest()
    if not (folder / store.DESCRIPTION).exists():
        folder.mkdir(parents=True, exist_ok=True)
        # The description comes last: where it is, the inputs are.
        store.save(folder / INPUTS, lambda file: np.save(file, x))
        made = {"inputs": sums, "probe": probe.astype(float).tolist()}
        return store.create(folder, len(x), block, probe.dtype, **made)
    there = BlockedKernel(folder)
    wrong = [
        what
        for what, same in (
            ("inputs", there.made.get("inputs") == sums),
            (f"block size ({there.block})", there.block == block),
            (f"precision ({there.dtype})", there.dtype == probe.dtype),
            ("kernel", _alike(there.made.get("probe"), probe)),
        )
        if not same
    ]
    if wrong:
        raise ValueError(
            f"out: {folder} was begun with another {', '.join(wrong)}; give another folder, or move it away."
        )
    return there


def _alike(stored: Any, probe: np.ndarray) -> bool:
    """The same kernel up to the rounding of another machine."""
    stored = np.asarray(stored, dtype=float)
    tolerance = 100 * np.finfo(probe.dtype).eps * np.max(np.abs(probe))
    return stored.shape == probe.shape and bool(np.all(np.abs(stored - probe) <= tolerance))


def _one(kernel: Callable, folder: Path, at: tuple[int, int]) -> None:
    """What a worker does: one block, from the inputs in the folder to its file there."""
    made = BlockedKernel(folder)
    if made._is_whole(at):
        return
    x = _inputs(folder / INPUTS)
    left = x[store.pieces(made, at[0])]
    values = kernel(left) if at[0] == at[1] else kernel(left, x[store.pieces(made, at[1])])
    store.put(made, *at, np.asarray(values))


def _pack(kernel: Callable, folder: Path) -> tuple[Path, str]:
    import cloudpickle

    try:
        data = cloudpickle.dumps(kernel)
    except (TypeError, AttributeError, pickle.PicklingError) as error:
        raise ValueError(
            f"kernel: it cannot be sent to workers ({error}); give a ntkal.scaling.network_kernel.NetworkKernel, or "
            "workers=0 to compute in this process."
        ) from error
    digest = hashlib.sha256(data).hexdigest()
    path = folder / f"kernel-{digest[:16]}.pickle"
    store.save(path, lambda file: file.write(data))
    return path, digest


@lru_cache(maxsize=1)
def _unpack(path: Path, digest: str) -> Callable:
    import cloudpickle

    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != digest:
        raise ValueError(f"{path}: changed since it was written, so nothing in it is run.")
    return cloudpickle.loads(data)


def _remote(path: Path, digest: str, at: tuple[int, int]) -> None:
    _one(_unpack(path, digest), path.parent, at)


@lru_cache(maxsize=1)
def _inputs(path: Path) -> np.ndarray:
    return np.load(path, mmap_mode="r")


def _here(kernel: Callable, made: BlockedKernel, todo: list[tuple[int, int]]) -> Iterator[None]:
    for at in todo:
        yield _one(kernel, made.folder, at)


def _on_dask(
    kernel: Callable,
    made: BlockedKernel,
    todo: list[tuple[int, int]],
    workers: int | None,
    scheduler: str | None,
) -> Iterator[None]:
    if not todo:
        return
    with connect(workers, scheduler) as client:
        from distributed import KilledWorker

        # By a file, not with each block, since it carries the network's weights; nor by Dask's memory,
        # which a killed worker takes with it.
        path, digest = _pack(kernel, made.folder)
        futures = {client.submit(_remote, path, digest, at, pure=False): at for at in todo}
        try:
            for future in finished(client, futures):
                error = future.exception()
                if isinstance(error, KilledWorker):
                    raise OSError(
                        f"Block {futures[future]} ended {RETRIES} worker processes in a row. {_WHY}"
                    ) from None
                if error is not None:
                    raise error
                yield
        finally:
            client.cancel(list(futures))
            path.unlink(missing_ok=True)
