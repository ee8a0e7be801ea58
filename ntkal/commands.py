"""More commands: ``python -m ntkal sweep``, ``python -m ntkal figure`` and ``python -m ntkal bench``."""

import argparse
import sys
from pathlib import Path
from typing import Any

_BENCH = (
    ("n", 1000, "labelled inputs"),
    ("m", 4000, "pool inputs"),
    ("classes", 10, "classes"),
    ("inputs", 2000, "inputs of the networks whose kernels are timed, 0 for none"),
)


def add_sweep(subparsers: Any) -> None:
    """Add ``sweep`` to the command line."""
    parser = subparsers.add_parser(
        "sweep",
        help="run a grid of runs on Dask and gather one table",
        description="Run every series and seed of a TOML file, on all cores of this machine or on a Dask "
        "cluster. A sweep that was interrupted goes on when the same command is given again.",
    )
    parser.add_argument("config", metavar="CONFIG", help="TOML file of the sweep")
    parser.add_argument("--size", help="a size that the file has")
    _shared(parser, "runs/ and the file's name")
    parser.set_defaults(action=_sweep)


def add_figure(subparsers: Any) -> None:
    """Add ``figure`` to the command line."""
    parser = subparsers.add_parser(
        "figure",
        help="run and draw a figure of the paper",
        description="Run what a figure of the paper shows, at one of three sizes, and draw it. Interrupted, "
        "it goes on when the same command is given again.",
    )
    parser.add_argument("name", metavar="NAME", help="1a, 1b, 2a, 2b, 2c, 3a or 3b")
    parser.add_argument(
        "--size", default="smoke", help="smoke (seconds; the default), laptop (up to hours) or paper (a GPU)"
    )
    _shared(parser, "runs/figure-NAME-SIZE")
    parser.set_defaults(action=_figure)


def add_bench(subparsers: Any) -> None:
    """Add ``bench`` to the command line."""
    parser = subparsers.add_parser(
        "bench",
        help="time the fast paths beside their peers",
        description="Time each fast path and its peer in one run, and check that their results agree. The "
        "ratios hold for this machine; quote them, not the seconds.",
    )
    for name, value, text in _BENCH:
        parser.add_argument(f"--{name}", type=int, default=value, help=f"{text} (default: {value})")
    parser.add_argument(
        "--out", metavar="FILE", help="write the table to a Parquet file, with its provenance"
    )
    parser.add_argument(
        "--growth",
        action="store_true",
        help="time how the seconds grow with the sizes, in place of the table",
    )
    parser.set_defaults(action=_bench)


def _bench(arguments: argparse.Namespace) -> int:
    from ntkal.experiments import provenance, results
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
        made = provenance.collect(command=command, seeds=[0], sizes=None if arguments.growth else sizes)
        print(f"Written to {results.write(table, arguments.out, made)}")
    return 0


def _shared(parser: argparse.ArgumentParser, folder: str) -> None:
    parser.add_argument("--out", metavar="DIR", help=f"folder of the runs and the table (default: {folder})")
    parser.add_argument("--seeds", type=int, nargs="+", default=[], help="seeds in place of the file's")
    parser.add_argument(
        "--workers", type=int, help="local worker processes (default: one a core; 0: this process)"
    )
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="a Dask scheduler's tcp://host:port, or its file"
    )


def _sweep(arguments: argparse.Namespace) -> int:
    from ntkal.experiments import sweep

    jobs = sweep.read(arguments.config, size=arguments.size, seeds=arguments.seeds)
    stem = Path(arguments.config).stem + (f"-{arguments.size}" if arguments.size else "")
    out = Path(arguments.out or Path("runs") / stem)
    return _watched(lambda: _show(sweep.run(jobs, out, **_options(arguments)), out), out)


def _figure(arguments: argparse.Namespace) -> int:
    from ntkal.textbook import figures

    out = Path(arguments.out or Path("runs") / f"figure-{arguments.name}-{arguments.size}")
    figures.jobs(arguments.name, arguments.size, arguments.seeds)

    def work() -> None:
        table, _ = figures.make(
            arguments.name, arguments.size, out=out, seeds=arguments.seeds, **_options(arguments)
        )
        _show(table, out)
        print(f"Drawn in {out / 'figure.png'}")

    return _watched(work, out)


def _options(arguments: argparse.Namespace) -> dict[str, Any]:
    return {"workers": arguments.workers, "scheduler": arguments.scheduler, "progress": True}


def _show(table: Any, out: Path) -> None:
    from ntkal.experiments import statistics, sweep

    last = table[table["cycle"] == table["cycle"].max()]
    shown = statistics.summary(last, by=["series", "labels"])
    print(shown.to_string(index=False, na_rep="-", float_format="{:.4f}".format))
    print(f"Written to {out / sweep.TABLE}")


def _watched(work: Any, out: Path) -> int:
    try:
        work()
    except KeyboardInterrupt:
        print(
            f"\nntkal: interrupted; give the same command again to go on from what is finished in {out}.",
            file=sys.stderr,
        )
        return 130
    return 0
