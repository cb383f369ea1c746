"""`vigil COMMAND ...`: arguments, printing and exit codes; nothing else."""

import argparse
import json
import math
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vigil import settings
from vigil.errors import VigilError

GB = 10**9


def main(argv: list[str] | None = None) -> int:
    settings.prepare()
    arguments = parser().parse_args(argv)
    try:
        arguments.command(arguments)
    except VigilError as error:
        print(f"vigil {arguments.name}: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"vigil {arguments.name}: {error.filename or ''}: {error.strerror or error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def sync(arguments: argparse.Namespace) -> None:
    """List every configured source into data/sources.csv."""
    from vigil import sources
    from vigil.params import load

    _inside()
    section = load(arguments.params).get("datasets")
    if arguments.index:
        print(f"wrote {sources.index(section, arguments.index)}", file=sys.stderr)
    summary = sources.sync(section, arguments.out)
    print(json.dumps(summary, indent=2) if arguments.json else summary)


def store(arguments: argparse.Namespace) -> None:
    """Show what the store of finished per-video results holds, or bound its size."""
    from vigil.store import Store

    _inside()
    answer = Store().gc(int(arguments.max_gb * GB)) if arguments.action == "gc" else Store().usage()
    print(json.dumps(asdict(answer), indent=2) if arguments.json else answer)


def results(arguments: argparse.Namespace) -> None:
    """Print what the last run found: the tables of metrics/*.json."""
    from vigil import results as tables

    found = tables.collect(arguments.metrics)
    if arguments.into:
        tables.write_into(arguments.into, tables.render(found))
        return
    print(json.dumps(found, indent=2, sort_keys=True) if arguments.json else tables.render(found))


def register(arguments: argparse.Namespace) -> None:
    """Put a trained model into the MLflow model registry as the next version of its name."""
    from vigil import tracking

    _inside()
    name, version = tracking.register(arguments.models / arguments.model)
    told = {"name": name, "version": version, "load": f'mlflow.pyfunc.load_model("models:/{name}/{version}")'}
    print(json.dumps(told, indent=2) if arguments.json else f"{name}, version {version}: {told['load']}")


def parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser(
        prog="vigil", description="Raw CCTV footage in, trustworthy alerts about abnormal behaviour out."
    )
    commands = whole.add_subparsers(dest="name", required=True, metavar="COMMAND")

    one = _command(
        commands, "sync", sync, "list every configured source into data/sources.csv, so that new videos are seen"
    )
    one.add_argument(
        "--params", type=Path, default=Path("params.yaml"), help="where `datasets` is (default: %(default)s)"
    )
    one.add_argument(
        "--out", type=Path, default=Path("data/sources.csv"), help="the table to write (default: %(default)s)"
    )

    one.add_argument(
        "--index", metavar="SET", help="first write the data.csv of this set of kind frame_folders, from its folders"
    )

    one = _command(commands, "store", store, "the store of finished per-video results: usage, or gc to bound its size")
    one.add_argument(
        "action", choices=["usage", "gc"], help="usage: what lies there; gc: evict the least recently used"
    )
    one.add_argument("--max-gb", type=gigabytes, default=20.0, help="GB that may stay after gc (default: %(default)s)")

    one = _command(commands, "results", results, "print the tables of metrics/*.json")
    one.add_argument("--metrics", type=Path, default=Path("metrics"), help="the folder (default: %(default)s)")
    one.add_argument("--into", type=Path, metavar="FILE", help="write them into this document, between its two marks")

    one = _command(commands, "register", register, "put a trained model into the MLflow model registry")
    one.add_argument("model", help="its name in params.yaml, such as pose_lstm")
    one.add_argument(
        "--models", type=Path, default=Path("models"), help="the folder of trained models (default: %(default)s)"
    )
    return whole


def _command(commands: Any, name: str, act: Callable[[argparse.Namespace], None], text: str) -> argparse.ArgumentParser:
    one: argparse.ArgumentParser = commands.add_parser(name, help=text, description=act.__doc__)
    one.add_argument("--json", action="store_true", help="print JSON")
    one.set_defaults(command=act)
    return one


def _inside() -> None:
    """What is written outside a project is found by nobody again."""
    if not (settings.root() / ".dvc").is_dir():
        raise VigilError(f"{Path.cwd()}: not in a vigil project. Run it in the project's folder.")


def gigabytes(text: str) -> float:
    number = float(text)
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"{text}: expected a number from 0 up")
    return number


if __name__ == "__main__":
    sys.exit(main())
