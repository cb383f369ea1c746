"""`vigil evaluate`: a trained model on any other footage."""

from pathlib import Path
from typing import Any

import click

from vigil.cli.command import Command, calibration_option, json_option, print_result, require_project


class ClassOfLabel(click.ParamType):
    """LABEL=CLASS, either as it is written; CLASS may be empty."""

    name = "LABEL=CLASS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        label, equals, class_name = (word.strip() for word in value.partition("="))
        if not label or not equals:
            self.fail(f"{value}: expected LABEL=CLASS.", param, ctx)
        return label, class_name


class KindOption(click.ParamType):
    """KEY=VALUE, the value as YAML has it."""

    name = "KEY=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Any]:
        from ruamel.yaml import YAML
        from ruamel.yaml.error import YAMLError

        key, equals, text = value.partition("=")
        if not key or not equals:
            self.fail(f"{value}: expected KEY=VALUE.", param, ctx)
        try:
            return key, YAML(typ="safe", pure=True).load(text)
        except YAMLError as error:
            self.fail(f"{value}: not valid YAML: {error}", param, ctx)


@click.command(
    cls=Command,
    reads="models/MODEL, its calibration, DATA",
    writes="FILE of --out; what is computed of each video, in .vigil/store, so that it is quick the next time",
    example="vigil evaluate panic ~/cctv --as brawl=Fighting --out cctv.json",
)
@click.argument("model")
@click.argument("data", type=click.Path(path_type=Path))
@click.option(
    "--labels",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Table of labels and spans: video, label, start_s, stop_s.  [default: labels.csv in the folder]",
)
@click.option(
    "--as",
    "class_of_label",
    type=ClassOfLabel(),
    multiple=True,
    help="What a label that the model does not know means to it. May be repeated; LABEL= leaves its videos out.",
)
@click.option(
    "--kind", help="Kind of dataset, as in params.yaml.  [default: folder; for a .csv of landmarks, landmark_csv]"
)
@click.option("--option", "options", type=KindOption(), multiple=True, help="A key of that kind. May be repeated.")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE", help="Write the metrics into this file too, as JSON."
)
@calibration_option
@json_option
def evaluate(
    model: str,
    data: Path,
    labels: Path | None,
    class_of_label: tuple[tuple[str, str], ...],
    kind: str | None,
    options: tuple[tuple[str, Any], ...],
    out: Path | None,
    calibration: Path | None,
    as_json: bool,
) -> None:
    """Judge other footage with a trained model.

    Its thresholds stay as they were frozen, and what is printed is how good it is there.

    MODEL is the name of a trained model, or its folder. DATA is a folder of videos in folders named after their class,
    one video (with --labels), a table of landmarks, or the name of a dataset in params.yaml. The pipeline and its
    results stay as they are.
    """
    from vigil.cli.own_videos import refuse_footage
    from vigil.detect.model_folder import find_calibration, find_model_folder

    require_project()
    find_calibration(find_model_folder(model), calibration)
    refuse_footage(data, kind, dict(options), labels)

    from vigil.cli.evaluation import evaluate_footage  # takes seconds, which no mistake has to wait for
    from vigil.evaluation.model_metrics import summary_lines

    metrics = evaluate_footage(
        model,
        data,
        labels=labels,
        class_of_label=dict(class_of_label),
        kind=kind,
        options=dict(options),
        calibration=calibration,
        out=out,
    )
    print_result(metrics, "\n".join(summary_lines(metrics)), as_json)
