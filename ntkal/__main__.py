"""The command line: ``python -m ntkal run``, ``sweep``, ``figure``, ``bench`` and ``doctor``."""

import argparse
import os
import sys
from pathlib import Path
from typing import Any, NoReturn

from ntkal import commands, doctor

_SETTINGS = {
    "data": (str, "data set, such as mnist5k or digits"),
    "model": (str, "network, such as cnn or mlp"),
    "strategy": (str, "acquisition strategy, such as mlmoc, margin or random"),
    "mode": (
        str,
        "batch, sequential (true labels one by one) or hallucinated (likely labels)",
    ),
    "cycles": (int, "times that labels are bought"),
    "start": (int, "labels at the start"),
    "query": (int, "labels bought in each cycle"),
    "subset": (str, "unlabelled inputs to choose from in each cycle, or all"),
    "seed": (int, "seed of every random draw"),
    "width": (int, "width of the network"),
    "steps": (int, "gradient steps of each training"),
}


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
    parser = _Parser(
        prog="python -m ntkal", description="Look-ahead active learning with neural tangent kernels."
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    subparsers = parser.add_subparsers(dest="subcommand", required=True, metavar="COMMAND")
    for add_parser in (
        _add_run,
        commands.add_sweep,
        commands.add_figure,
        commands.add_bench,
        doctor.add_parser,
    ):
        add_parser(subparsers)
    arguments = parser.parse_args(argv)
    try:
        return arguments.action(arguments)
    except KeyboardInterrupt:
        print("ntkal: interrupted", file=sys.stderr)
        return 130
    except (ValueError, ArithmeticError, OSError, ImportError) as error:
        if arguments.debug:
            raise
        said = [str(error), *getattr(error, "__notes__", [])]
        print(f"ntkal: {' '.join(' '.join(said).split())}", file=sys.stderr)
        return 2 if isinstance(error, ValueError) else 1


def _add_run(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "run",
        help="run pool-based active learning and print a row for each cycle",
        description="Run pool-based active learning: train, choose, label, again. Flags override the file; "
        "what neither sets takes its default. A run that was interrupted goes on when the same command is "
        "given again.",
    )
    parser.add_argument("--config", metavar="FILE", help="TOML file with the settings of the run")
    for name, (kind, text) in _SETTINGS.items():
        parser.add_argument(f"--{name}", type=kind, help=text)
    parser.add_argument(
        "--out", metavar="DIR", help="folder for run.parquet (default: one a configuration, in runs/)"
    )
    parser.add_argument("--fresh", action="store_true", help="start again even if the folder holds a run")
    parser.set_defaults(action=_run)


def _run(arguments: argparse.Namespace) -> int:
    from ntkal.experiments import checkpoint, config, loop

    settings = config.read_toml(arguments.config) if arguments.config else {}
    for name in _SETTINGS:
        value = getattr(arguments, name)
        if value is None:
            continue
        if name == "subset" and value != "all":
            value = _whole(name, value)
        if name == "steps":
            train = settings.setdefault("train", {})
            if isinstance(train, dict):
                train["steps"] = value
        else:
            settings[name] = value
    made = config.RunConfig.from_mapping(settings)
    folder = Path(arguments.out) if arguments.out else Path("runs") / made.name
    try:
        table = loop.run(made, out=folder, progress=True, fresh=arguments.fresh)
    except KeyboardInterrupt:
        print(
            f"\nntkal: interrupted; give the same command again (without --fresh) to go on from the last "
            f"whole cycle in {folder}.",
            file=sys.stderr,
        )
        return 130
    shown = table.drop(columns=["data", "model", "strategy", "mode", "seed", "picks"])
    if shown["ridge"].isna().all():
        shown = shown.drop(columns="ridge")
    formats = {name: "{:.2f}".format for name in shown if name.startswith("seconds_")}
    formats |= {"accuracy": "{:.4f}".format, "ridge": "{:.3g}".format}
    print(f"{made.strategy} ({made.mode}) on {made.data}, {made.model}, seed {made.seed}")
    print(shown.to_string(index=False, na_rep="-", formatters=formats))
    print(f"Written to {folder / checkpoint.FILE}")
    return 0


def _whole(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{name}: expected a whole number or all, got {text!r}.") from None


if __name__ == "__main__":
    # A reader such as `head` that closes the pipe early is no error of ours.
    try:
        code = main()
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code)
