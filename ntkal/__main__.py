"""The command line: ``python -m ntkal run``, ``sweep``, ``figure``, ``bench`` and ``doctor``."""

import argparse
import contextlib
import inspect
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import ntkal

_SETTINGS = {
    "data": (str, "data set, such as mnist5k or digits"),
    "model": (str, "network, such as cnn or mlp"),
    "strategy": (str, "acquisition strategy, such as mlmoc, margin or random"),
    "mode": (str, "batch, sequential (true labels one by one) or hallucinated (likely labels)"),
    "cycles": (int, "times that labels are bought"),
    "start": (int, "labels at the start"),
    "query": (int, "labels bought in each cycle"),
    "subset": (str, "unlabelled inputs to choose from in each cycle, or all"),
    "seed": (int, "seed of every random draw"),
    "width": (int, "width of the network"),
    "steps": (int, "gradient steps of each training"),
}
_BENCH = (
    ("n", 1000, "labelled inputs"),
    ("m", 4000, "pool inputs"),
    ("classes", 10, "classes"),
    ("inputs", 2000, "inputs of the networks whose kernels are timed, 0 for none"),
)


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints are one sentence, like those of the package."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"ntkal: {message} (see {self.prog} --help)\n")


def main(argv: list[str] | None = None) -> int:
    """Run a subcommand and return the exit code.

    0: done. 1: something failed on the way. 2: a setting is wrong. 130: interrupted.

    Args:
        argv: The arguments after the program's name; those of this process if None.
    """
    arguments = _parser().parse_args(argv)
    try:
        return arguments.action(arguments) or 0
    except KeyboardInterrupt as interrupt:
        print(f"\nntkal: {'; '.join(['interrupted', *_notes(interrupt)])}", file=sys.stderr)
        return 130
    except (ValueError, ArithmeticError, OSError, ImportError) as error:
        if arguments.debug:
            raise
        said = " ".join([str(error), *_notes(error)])
        print(f"ntkal: {' '.join(said.split())}", file=sys.stderr)
        return 2 if isinstance(error, ValueError) else 1


def _notes(error: BaseException) -> list[str]:
    return getattr(error, "__notes__", [])


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m ntkal", description="Look-ahead active learning with neural tangent kernels."
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    parser.add_argument("--version", action="version", version=ntkal.__version__)
    subparsers = parser.add_subparsers(dest="subcommand", required=True, metavar="COMMAND")

    def command(name: str, action: Callable[[argparse.Namespace], int | None]) -> argparse.ArgumentParser:
        said = inspect.getdoc(action) or ""
        added = subparsers.add_parser(name, help=said.splitlines()[0], description=said)
        added.set_defaults(action=action)
        return added

    run, sweep, figure = command("run", _run), command("sweep", _sweep), command("figure", _figure)
    run.add_argument("--config", metavar="FILE", help="TOML file with the settings of the run")
    for name, (kind, text) in _SETTINGS.items():
        run.add_argument(f"--{name}", type=kind, help=text)
    run.add_argument("--fresh", action="store_true", help="start again even if the folder holds a run")
    sweep.add_argument("config", metavar="CONFIG", help="TOML file of the sweep")
    sweep.add_argument("--size", help="a size that the file has")
    figure.add_argument("name", metavar="NAME", help="1a, 1b, 2a, 2b, 2c, 3a or 3b")
    sizes = "smoke (seconds; the default), laptop (up to hours) or paper (a GPU)"
    figure.add_argument("--size", default="smoke", help=sizes)
    folders = {run: "one a configuration, in runs/", sweep: "runs/ and the file's name"}
    for added, folder in (folders | {figure: "runs/figure-NAME-SIZE"}).items():
        added.add_argument("--out", metavar="DIR", help=f"folder of what is made (default: {folder})")
    for added in (sweep, figure):
        added.add_argument("--seeds", type=int, nargs="+", default=[], help="seeds in place of the file's")
        processes = "local worker processes (default: one a core; 0: this process)"
        added.add_argument("--workers", type=int, help=processes)
        address = "a Dask scheduler's tcp://host:port, or its file"
        added.add_argument("--scheduler", metavar="ADDRESS", help=address)
    bench = command("bench", _bench)
    for name, value, text in _BENCH:
        bench.add_argument(f"--{name}", type=int, default=value, help=f"{text} (default: {value})")
    bench.add_argument("--out", metavar="FILE", help="write the table to a Parquet file, with its provenance")
    growth = "time how the seconds grow with the sizes, in place of the table"
    bench.add_argument("--growth", action="store_true", help=growth)
    command("doctor", _doctor)
    return parser


def _run(arguments: argparse.Namespace) -> None:
    """Run pool-based active learning and print a row for each cycle.

    Train, choose, label, again. Flags override the file; what neither sets takes its default. When it was
    interrupted, the same command (without --fresh) goes on from the last whole cycle.
    """
    from ntkal.experiments import checkpoint, config, loop

    settings = config.read_toml(arguments.config) if arguments.config else {}
    given = {name: getattr(arguments, name) for name in _SETTINGS if getattr(arguments, name) is not None}
    if given.get("subset", "all") != "all":
        given["subset"] = _whole("subset", given["subset"])
    if "steps" in given and isinstance(settings.setdefault("train", {}), dict):
        settings["train"]["steps"] = given["steps"]
    given.pop("steps", None)
    made = config.RunConfig.from_mapping(settings | given)
    folder = Path(arguments.out or Path("runs") / made.name)
    with _resumable(folder):
        table = loop.run(made, out=folder, progress=True, fresh=arguments.fresh)
    shown = table.drop(columns=["data", "model", "strategy", "mode", "seed", "picks"])
    if shown["ridge"].isna().all():
        shown = shown.drop(columns="ridge")
    formats = {name: "{:.2f}".format for name in shown if name.startswith("seconds_")}
    formats |= {"accuracy": "{:.4f}".format, "ridge": "{:.3g}".format}
    print(f"{made.strategy} ({made.mode}) on {made.data}, {made.model}, seed {made.seed}")
    print(shown.to_string(index=False, na_rep="-", formatters=formats))
    print(f"Written to {folder / checkpoint.FILE}")


def _whole(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{name}: expected a whole number or all, got {text!r}.") from None


def _sweep(arguments: argparse.Namespace) -> None:
    """Run a grid of runs on Dask and gather one table.

    Every series and seed of a TOML file, on all cores of this machine or on a Dask cluster. When it was
    interrupted, the same command goes on from what is finished.
    """
    from ntkal.experiments import sweep

    jobs = sweep.read(arguments.config, size=arguments.size, seeds=arguments.seeds)
    stem = Path(arguments.config).stem + (f"-{arguments.size}" if arguments.size else "")
    out = Path(arguments.out or Path("runs") / stem)
    with _resumable(out):
        _show(sweep.run(jobs, out, **_options(arguments)), out)


def _figure(arguments: argparse.Namespace) -> None:
    """Run and draw a figure of the paper.

    What it shows, at one of three sizes. When it was interrupted, the same command goes on from what is
    finished.
    """
    from ntkal.textbook import figures

    name, size, seeds = arguments.name, arguments.size, arguments.seeds
    out = Path(arguments.out or Path("runs") / f"figure-{name}-{size}")
    figures.jobs(name, size, seeds)
    with _resumable(out):
        table, _ = figures.make(name, size, out=out, seeds=seeds, **_options(arguments))
    _show(table, out)
    print(f"Drawn in {out / 'figure.png'}")


def _options(arguments: argparse.Namespace) -> dict[str, Any]:
    return {"workers": arguments.workers, "scheduler": arguments.scheduler, "progress": True}


def _show(table: Any, out: Path) -> None:
    from ntkal.experiments import statistics, sweep

    last = table[table["cycle"] == table["cycle"].max()]
    shown = statistics.summary(last, by=["series", "labels"])
    print(shown.to_string(index=False, na_rep="-", float_format="{:.4f}".format))
    print(f"Written to {out / sweep.TABLE}")


@contextlib.contextmanager
def _resumable(folder: Path) -> Iterator[None]:
    """Have an interruption say how to go on."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        again = "give the same command again (without --fresh) to go on from what is finished"
        interrupt.add_note(f"{again} in {folder}.")
        raise


def _bench(arguments: argparse.Namespace) -> None:
    """Time the fast paths beside their peers.

    Each fast path and its peer in one run, and a check that their results agree. The ratios hold for this
    machine; quote them, not the seconds.
    """
    from ntkal.experiments import results
    from ntkal.textbook import bench
    from ntkal.textbook.bench import growth

    sizes = {name: getattr(arguments, name) for name, _, _ in _BENCH}
    chosen = ["--growth"] if arguments.growth else [f"--{name} {size}" for name, size in sizes.items()]
    if arguments.growth:
        table = growth.run()
        print(growth.exponents(table).to_string(index=False, float_format="{:.2f}".format))
    else:
        table = bench.run(**sizes)
        print(", ".join(f"{name}={value}" for name, value in sizes.items()))
        print(bench.shown(table).to_string(index=False))
    if arguments.out:
        command = " ".join(["python -m ntkal bench", *chosen])
        made = results.provenance(command=command, seeds=[0], sizes=None if arguments.growth else sizes)
        print(f"Written to {results.write(table, arguments.out, made)}")


def _doctor(arguments: argparse.Namespace) -> int:
    """Print versions, devices and data found, and what is wrong with what fix.

    The exit code is 0 when all is well and 1 when something is wrong.
    """
    from ntkal import doctor

    report = doctor.examine()
    print(report.text())
    return 1 if report.problems else 0


if __name__ == "__main__":
    # A reader such as `head` that closes the pipe early is no error of ours.
    try:
        code = main()
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code)
