"""What made a table: the command, the code, the versions and the machine."""

import datetime
import hashlib
import importlib.metadata
import platform
import shlex
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

_PACKAGES = ("jax", "jaxlib", "flax", "optax", "numpy")


def collect(*, command: str | None = None, seeds: Iterable[int] = (), **more) -> dict:
    """Say what makes a table: command, commit, versions, device, seeds and date.

    Args:
        command: The command that makes the table; as this process was started, if not given.
        seeds: Seeds of the runs in the table.
        **more: Further entries, which JSON must be able to hold (a configuration, for instance).

    Returns:
        A dictionary with the keys ``command``, ``commit`` and ``dirty`` (``None`` outside a checkout),
        ``lock`` (the start of the SHA-256 of ``requirements.lock``), ``versions``, ``device``, ``backend``,
        ``seeds`` and ``date`` (UTC, ISO 8601), and those of ``more``.

    Example:
        >>> collect(command="by hand", seeds=[0, 1])["seeds"]
        [0, 1]
    """
    import jax

    import ntkal

    devices = jax.devices()
    versions = {"python": platform.python_version(), "ntkal": ntkal.__version__}
    versions |= {name: importlib.metadata.version(name) for name in _PACKAGES}
    return {
        "command": command or _command(sys.argv),
        **_checkout(),
        "versions": versions,
        "device": f"{len(devices)} x {devices[0].device_kind} ({platform.machine()})",
        "backend": jax.default_backend(),
        "seeds": [int(seed) for seed in seeds],
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        **more,
    }


def gather(records: Sequence[Mapping], configs: Mapping[str, Mapping], **more) -> dict:
    """Say what makes a table of many runs: this command, and when, where and with which code they were made.

    Args:
        records: What :func:`collect` said of each run.
        configs: The settings of each run, by its name.
        **more: Further entries, as in :func:`collect`.

    Returns:
        What :func:`collect` gives, and ``runs``: commits, devices, first date and settings of the runs, and
        what tells the user's own data and network from others, where there are such.

    Example:
        >>> made = gather([collect(command="by hand", seeds=[3])], {"margin": {"seed": 3}})
        >>> made["seeds"], made["runs"]["configs"]
        ([3], {'margin': {'seed': 3}})
    """
    runs = {
        "commits": sorted({f"{r['commit']}{' (changed)' if r['dirty'] else ''}" for r in records}),
        "devices": sorted({r["device"] for r in records}),
        "first": min(r["date"] for r in records),
        "configs": dict(configs),
    }
    runs |= {"own": records[0]["own"]} if "own" in records[0] else {}
    return collect(seeds=sorted({seed for r in records for seed in r["seeds"]}), runs=runs, **more)


def _command(argv: Sequence[str]) -> str:
    program = Path(argv[0] if argv else "")
    if program.name == "__main__.py" and program.parent.name == "ntkal":
        return shlex.join(["python", "-m", "ntkal", *argv[1:]])
    if program.name.startswith(("ipykernel", "colab_kernel")):
        return "a notebook"
    return shlex.join([program.name or "python", *argv[1:]])


def _checkout() -> dict:
    """Commit and lock of the checkout that the package is used from; None where there is none."""
    root = Path(__file__).resolve().parents[2]
    lock = root / "requirements.lock"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:12] if lock.exists() else None
    top = _git(root, "rev-parse", "--show-toplevel")
    if top is None or Path(top).resolve() != root:
        return {"commit": None, "dirty": None, "lock": digest}
    dirty = bool(_git(root, "status", "--porcelain", "--", "ntkal", "requirements.lock"))
    return {"commit": _git(root, "rev-parse", "HEAD"), "dirty": dirty, "lock": digest}


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
