"""`vigil COMMAND ...`: arguments, printing and exit codes; nothing else."""

import argparse
import json
import math
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vigil.core import settings
from vigil.core.errors import VigilError

GB = 10**9


def main(argv: list[str] | None = None) -> int:
    settings.prepare()
    arguments = parser().parse_args(argv)
    try:
        code: int | None = arguments.command(arguments)
    except VigilError as error:
        print(f"vigil {arguments.name}: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"vigil {arguments.name}: {error.filename or ''}: {error.strerror or error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return code or 0


def sync(arguments: argparse.Namespace) -> None:
    """List every configured source into data/sources.csv."""
    from vigil.core.params import load
    from vigil.footage import sources

    _inside()
    section = load(arguments.params).get("datasets")
    if arguments.index:
        print(f"wrote {sources.index(section, arguments.index)}", file=sys.stderr)
    summary = sources.sync(section, arguments.out)
    print(json.dumps(summary, indent=2) if arguments.json else summary)


def store(arguments: argparse.Namespace) -> None:
    """Show what the store of finished per-video results holds, or bound its size."""
    from vigil.engine.store import Store

    _inside()
    answer = Store().gc(int(arguments.max_gb * GB)) if arguments.action == "gc" else Store().usage()
    print(json.dumps(asdict(answer), indent=2) if arguments.json else answer)


def results(arguments: argparse.Namespace) -> None:
    """Print what the last run found: the tables of metrics/*.json."""
    from vigil.report import results as tables

    found = tables.collect(arguments.metrics)
    if arguments.into:
        tables.write_into(arguments.into, tables.render(found))
        return
    print(json.dumps(found, indent=2, sort_keys=True) if arguments.json else tables.render(found))


def register(arguments: argparse.Namespace) -> None:
    """Put a trained model into the MLflow model registry as the next version of its name."""
    from vigil.engine import tracking
    from vigil.models import checkpoint

    _inside()
    folder = arguments.models / arguments.model
    loaded = checkpoint.load(folder)
    name = loaded.card.model
    version = tracking.register(name, loaded.sha256, folder, checkpoint.__name__)
    told = {"name": name, "version": version, "load": f'mlflow.pyfunc.load_model("models:/{name}/{version}")'}
    print(json.dumps(told, indent=2) if arguments.json else f"{name}, version {version}: {told['load']}")


def compare(arguments: argparse.Namespace) -> int:
    """Say whether a new model is better than an old one on the same frozen test set, by their scores.

    Exit code 0: none is worse; 1: one is, beyond chance; with --better also when none is better.
    """
    from vigil.report import promotion

    found = promotion.compare(arguments.old, arguments.new, arguments.rounds, arguments.seed)
    if arguments.json:
        print(json.dumps([one.as_json() for one in found], indent=2))
    else:
        print("\n".join(map(str, found)))
    verdicts = {one.verdict for one in found}
    return int("worse" in verdicts or (arguments.better and "better" not in verdicts))


def evaluate(arguments: argparse.Namespace) -> None:
    """A trained model on any other data, at its frozen thresholds, without touching the pipeline."""
    from vigil.cli.evaluate import evaluate as run
    from vigil.evaluation.model_metrics import render

    _inside()
    told = run(
        arguments.model,
        arguments.data,
        labels=arguments.labels,
        said=dict(arguments.said),
        kind=arguments.kind,
        options=dict(arguments.option),
        calibration=arguments.calibration,
        out=arguments.out,
    )
    print(json.dumps(told, indent=2, sort_keys=True) if arguments.json else "\n".join(render(told)))


def calibrate(arguments: argparse.Namespace) -> None:
    """Other thresholds for one camera, from some minutes of its normal video."""
    from vigil.cli.calibrate import calibrate as run
    from vigil.judging.calibrated import sentences

    _inside()
    out = arguments.out or Path(f"{Path(arguments.model).name}.calibration.json")
    made = run(
        arguments.model,
        arguments.normal,
        out=out,
        per_hour=arguments.false_alarms_per_hour,
        confidence=arguments.confidence,
        calibration=arguments.calibration,
    )
    told = made.model_dump(mode="json") | {"sha256": made.sha256}
    print(
        json.dumps(told, indent=2, sort_keys=True) if arguments.json else "\n".join([*sentences(made), f"wrote {out}"])
    )


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

    one = _command(commands, "compare", compare, "say whether a new model may take the place of an old one")
    one.add_argument("old", type=Path, help="scores of the old: test.npz, data/scores/<model>, or data/scores")
    one.add_argument("new", type=Path, help="scores of the new, on the same videos")
    one.add_argument("--better", action="store_true", help="fail also when no model is clearly better")
    one.add_argument("--rounds", type=rounds, default=1000, help="draws of the sources (default: %(default)s)")
    one.add_argument("--seed", type=int, default=7, help="of the draws (default: %(default)s)")

    one = _command(commands, "evaluate", evaluate, "a trained model on any other data, at its frozen thresholds")
    one.add_argument("model", help="name of a trained model, or its folder")
    one.add_argument("data", type=Path, help="folder of videos, table of landmarks, or a set of params.yaml")
    one.add_argument("--labels", type=Path, help="table of labels and spans (default: labels.csv in the folder)")
    one.add_argument(
        "--as",
        dest="said",
        type=meaning,
        action="append",
        default=[],
        metavar="LABEL=CLASS",
        help="what a label that the model does not know means to it; may be repeated, and LABEL= leaves it out",
    )
    one.add_argument("--kind", help="of source, as in params.yaml (default: folder, for a table landmark_csv)")
    one.add_argument(
        "--option", type=option, action="append", default=[], metavar="KEY=VALUE", help="of that kind; may be repeated"
    )
    one.add_argument("--out", type=Path, metavar="FILE", help="write the metrics there too, as JSON")
    _calibration(one)

    one = _command(commands, "calibrate", calibrate, "other thresholds for one camera, from its normal video")
    one.add_argument("model", help="name of a trained model, or its folder")
    one.add_argument(
        "--normal", type=Path, nargs="+", required=True, metavar="VIDEO", help="videos, or folders of them"
    )
    one.add_argument("--out", type=Path, metavar="FILE", help="(default: MODEL.calibration.json in this folder)")
    one.add_argument("--false-alarms-per-hour", type=float, help="that are acceptable (default: as it was)")
    one.add_argument("--confidence", type=float, help="of the promise that there will not be more (default: as it was)")
    _calibration(one)
    return whole


def _calibration(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "--calibration",
        type=Path,
        metavar="FILE",
        help="of the model (default: calibration/MODEL.json beside its folder)",
    )


def option(text: str) -> tuple[str, Any]:
    """KEY=VALUE, the value as YAML has it."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    key, equals, value = text.partition("=")
    if not key or not equals:
        raise argparse.ArgumentTypeError(f"{text}: expected KEY=VALUE")
    try:
        return key, YAML(typ="safe", pure=True).load(value)
    except YAMLError as error:
        raise argparse.ArgumentTypeError(f"{text}: not valid YAML: {' '.join(str(error).split())}") from None


def meaning(text: str) -> tuple[str, str]:
    """LABEL=CLASS, either as it is written; CLASS may be empty."""
    label, equals, name = (part.strip() for part in text.partition("="))
    if not label or not equals:
        raise argparse.ArgumentTypeError(f"{text}: expected LABEL=CLASS")
    return label, name


def _command(
    commands: Any, name: str, act: Callable[[argparse.Namespace], int | None], text: str
) -> argparse.ArgumentParser:
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


def rounds(text: str) -> int:
    number = int(text)
    if number < 100:
        raise argparse.ArgumentTypeError(f"{text}: expected 100 or more")
    return number


if __name__ == "__main__":
    sys.exit(main())
