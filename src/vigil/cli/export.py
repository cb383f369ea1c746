"""`vigil export`: trained models as ONNX."""

from pathlib import Path

import click

from vigil.cli.command import Command, json_option, print_result


@click.command(
    cls=Command,
    reads="the models",
    writes="onnx/MODEL.onnx beside the folder of each model, for `vigil detect --runtime onnx`",
    example="vigil export panic i3d",
)
@click.argument("models", nargs=-1, required=True, metavar="MODEL...")
@click.option("--trained", type=click.Path(path_type=Path), metavar="DIR", help="The models.  [default: the project's]")
@json_option
def export(models: tuple[str, ...], trained: Path | None, as_json: bool) -> None:
    """Write trained models as ONNX.

    MODEL is a name, or `all`. What ONNX Runtime makes of each is compared with what torch does before it is written,
    and nothing is written that differs.
    """
    from vigil.core import settings
    from vigil.core.errors import VigilError
    from vigil.detect.model_choice import FUSED, onnx_path
    from vigil.detect.model_folder import CONFIG, find_model_folder, is_model

    folder = trained or settings.root() / "models"
    names = list(models)
    if names == ["all"]:
        names = sorted(path.parent.name for path in folder.glob(f"*/{CONFIG}") if is_model(path.parent))
        if not names:
            raise VigilError(f"{folder}: no trained model. Run `vigil repro`.")
    for name in names:
        if name == "all":
            raise VigilError("all: stands alone. Name `all`, or models: panic i3d.")
        if name == FUSED:
            raise VigilError(f"{FUSED}: hears models and is none. Export these; `vigil detect` fuses what they say.")
    folders = [find_model_folder(name, folder) for name in names]

    from vigil.detect.onnx.export import export_model  # takes seconds, which no mistake has to wait for
    from vigil.models.checkpoint import load_checkpoint

    written = {}
    for path in folders:
        out = onnx_path(path.parent, path.name)
        distance = export_model(load_checkpoint(path), out)
        written[path.name] = {"path": str(out), "distance": distance}
        if not as_json:
            click.echo(f"{path.name}: wrote {out}, which says what torch says to {distance:.1e} of the largest value")
    if as_json:
        print_result(written, "", as_json)
