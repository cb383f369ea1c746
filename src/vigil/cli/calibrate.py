"""`vigil calibrate`: thresholds of one camera's own."""

from collections.abc import Sequence
from pathlib import Path

import click

from vigil.cli.command import Command, calibration_option, json_option, print_result, require_project

NORMAL = "--normal"


class CalibrateCommand(Command):
    """Takes several videos after one --normal, as a shell writes out a wildcard."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, repeat_option(NORMAL, args))


def repeat_option(option: str, arguments: Sequence[str]) -> list[str]:
    """`--normal a b --out c` as `--normal a --normal b --out c`."""
    repeated: list[str] = []
    within = False
    for argument in arguments:
        if argument.startswith("-"):
            within = argument == option
        elif within and repeated[-1] != option:
            repeated.append(option)
        repeated.append(argument)
    return repeated


@click.command(
    cls=CalibrateCommand,
    reads="models/MODEL, its calibration, the videos",
    writes="FILE of --out, for `vigil evaluate --calibration FILE`; what is computed of each video, in .vigil/store",
    example="vigil calibrate panic --normal quiet-night.mp4 quiet-day.mp4 --false-alarms-per-hour 1",
)
@click.argument("model")
@click.option(
    NORMAL,
    "normal_videos",
    type=click.Path(path_type=Path),
    multiple=True,
    required=True,
    metavar="VIDEO...",
    help="Videos of the camera in which nothing abnormal happens, or folders of them. To a model of where things move "
    "(activity), videos in which nothing moves.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The calibration to write.  [default: MODEL.calibration.json in this folder]",
)
@click.option(
    "--false-alarms-per-hour", type=float, metavar="NUMBER", help="How many are acceptable.  [default: as before]"
)
@click.option(
    "--confidence",
    type=float,
    metavar="SHARE",
    help="How sure the promise is that there will not be more, over 0.5 and under 1.  [default: as before]",
)
@click.option(
    "--separate",
    is_flag=True,
    help="Each file is a recording of its own, as of another day. Without it, files of a folder whose names differ "
    "in numbers alone are one recording that was cut into pieces: one recording alone can promise nothing.",
)
@calibration_option
@json_option
def calibrate(
    model: str,
    normal_videos: tuple[Path, ...],
    out: Path | None,
    false_alarms_per_hour: float | None,
    confidence: float | None,
    separate: bool,
    calibration: Path | None,
    as_json: bool,
) -> None:
    """Make thresholds for one camera.

    They come from some minutes of its normal video. MODEL is the name of a trained model, or its folder.
    """
    from vigil.cli.own_videos import list_videos
    from vigil.core.errors import VigilError
    from vigil.core.storage import read_json
    from vigil.detect.model_choice import check_calibration_file
    from vigil.detect.model_folder import find_calibration, find_model_folder
    from vigil.engine.declarations import read_module
    from vigil.watch.outputs import require_folder

    require_project()
    folder = find_model_folder(model)
    path = find_calibration(folder, calibration)
    if calibration is not None:
        check_calibration_file(path, folder)
    frozen = read_json(path)
    options = {"false_alarms_per_hour": false_alarms_per_hour, "confidence": confidence}
    if isinstance(frozen, dict) and isinstance(frozen.get("params"), dict):
        changes = {key: value for key, value in options.items() if value is not None}
        read_module("vigil.judging.calibration")["CalibrationParams"].read(frozen["params"] | changes, "options")
    out = out or Path(f"{folder.name}.calibration.json")
    if out.is_dir():
        raise VigilError(f"--out {out}: a folder. Name a file, such as {out / folder.name}.calibration.json.")
    if out.resolve() in [video.resolve() for video in list_videos(normal_videos)]:
        raise VigilError(f"--out {out}: that is a video of --normal, which would be lost. Name another file.")
    require_folder(out.parent, "--out")

    from vigil.cli.camera_calibration import calibrate_camera  # takes seconds, which no mistake has to wait for

    recalibrated = calibrate_camera(
        model,
        normal_videos,
        out=out,
        false_alarms_per_hour=false_alarms_per_hour,
        confidence=confidence,
        calibration=calibration,
        separate=separate,
    )
    payload = recalibrated.to_json() | {"sha256": recalibrated.sha256}
    print_result(payload, "\n".join([*recalibrated.sentences(), f"wrote {out}"]), as_json)
