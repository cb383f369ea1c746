"""`vigil register`: a trained model as a version in the MLflow model registry."""

from pathlib import Path

import click

from vigil.cli.command import Command, json_option, print_result, require_project


@click.command(
    cls=Command,
    reads="models/MODEL",
    writes="mlflow.db, or what MLFLOW_TRACKING_URI names",
    example="vigil register pose_lstm",
)
@click.argument("model")
@click.option(
    "--models",
    type=click.Path(path_type=Path),
    default=Path("models"),
    show_default=True,
    metavar="DIR",
    help="The folder of trained models.",
)
@json_option
def register(model: str, models: Path, as_json: bool) -> None:
    """Put a model into MLflow's registry.

    It becomes the next version of its name. MODEL is its name in params.yaml.
    """
    from vigil.detect.model_folder import find_model_folder

    require_project()
    folder = find_model_folder(model, models)

    from vigil.engine import tracking
    from vigil.models import checkpoint

    trained = checkpoint.load_checkpoint(folder)
    name = trained.card.model
    version = tracking.register(name, trained.sha256, folder, checkpoint.__name__)
    call = f'mlflow.pyfunc.load_model("models:/{name}/{version}")'
    payload = {"name": name, "version": version, "load": call}
    print_result(payload, f"{name}, version {version}: {call}", as_json)
