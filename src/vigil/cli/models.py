"""`vigil models`: which trained models there are."""

from pathlib import Path
from typing import Any

import click

from vigil.cli.command import Command, json_option, print_result


@click.command(
    cls=Command,
    reads="models/, metrics/summary.json",
    writes="nothing",
    example="vigil models --json",
)
@click.option("--trained", type=click.Path(path_type=Path), metavar="DIR", help="The folder.  [default: models]")
@json_option
def models(trained: Path | None, as_json: bool) -> None:
    """List the trained models.

    That is what each looks at, how good it is, and where its alarm sounds.
    """
    from vigil.core import settings
    from vigil.core.errors import VigilError

    folder = trained or settings.root() / "models"
    rows = describe_models(folder, settings.root() / "metrics/summary.json")
    if not rows:
        raise VigilError(f"{folder}: no trained model. Run `vigil repro`.")
    print_result(rows, "\n".join(_format_row(name, row) for name, row in rows.items()), as_json)


def describe_models(folder: Path, summary: Path) -> dict[str, dict[str, Any]]:
    """Returns what is known of each model, by name; a skipped one says why."""
    from vigil.core.skipping import why_skipped
    from vigil.core.storage import read_json
    from vigil.detect.model_choice import FUSED, has_fused, is_ready
    from vigil.detect.model_folder import calibration_path, is_model, read_config
    from vigil.detect.trained import read_fusion
    from vigil.judging.calibration import read_calibration

    measured = read_json(summary) if summary.exists() else {}
    scores = measured.get("models", {}) | ({FUSED: measured[FUSED]} if FUSED in measured else {})
    rows: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob("*/")):
        name, reason = path.name, why_skipped(path)
        if reason:
            rows[name] = {"skipped": reason}
        elif is_model(path):
            config = read_config(path)
            row = {"input": config["input"], "classes": [entry["name"] for entry in config["classes"]]}
            if is_ready(folder, name):
                row["calibration"] = read_calibration(calibration_path(path)).sentences()
            rows[name] = row | _score(scores.get(name))
    if has_fused(folder):
        fused = read_fusion(folder, None)
        row = {"input": "models", "classes": list(fused.fusion.models)}
        rows[FUSED] = row | {"calibration": fused.alarm.calibration.sentences()} | _score(scores.get(FUSED))
    return rows


def _score(record: dict[str, Any] | None) -> dict[str, Any]:
    if record is None:
        return {}
    return {
        "metric": record["headline"],
        "value": record["value"],
        "low": record.get("low"),
        "high": record.get("high"),
    }


def _format_row(name: str, row: dict[str, Any]) -> str:
    if "skipped" in row:
        return f"{name}: skipped: {row['skipped']}"
    lines = [f"{name}: looks at {row['input']}: {', '.join(row['classes'])}"]
    if row.get("value") is not None:
        interval = "" if row["low"] is None else f" ({row['low']:.3f} to {row['high']:.3f})"
        lines.append(f"  {row['metric'].replace('_', ' ')} {row['value']:.3f}{interval} on the test split")
    lines += [f"  {sentence}" for sentence in row.get("calibration", ["not calibrated"])]
    return "\n".join(lines)
