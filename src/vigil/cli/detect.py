"""`vigil detect`: trained models on files and on cameras."""

import json
from pathlib import Path
from typing import Any

import click

from vigil.cli.command import Command

EXIT_CODES = (
    "0 done, and cameras stopped; 1 a problem, said in one line; 2 wrong usage; 3 a source is damaged or an output "
    "could not be written, what was found is kept; 130 recordings stopped"
)
BROKEN = 3
FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command(
    cls=Command,
    reads="the sources; trained models and their calibrations in models/",
    writes="what its options name",
    example="vigil detect gate.mp4 --models pose_cnn,i3d --video seen.mp4",
    exit_codes=EXIT_CODES,
)
@click.argument("sources", nargs=-1, metavar="SOURCE...")
@click.option(
    "--cameras",
    type=FILE,
    metavar="FILE",
    help="Cameras by name, each with source, models, zones, hours and calibration; all of them run where no SOURCE is "
    "named.  [default: the project's cameras.yaml, of which those run that are named]",
)
@click.option("--models", "names", metavar="A,B", help="The detectors, or `all`.  [default: fused, else all]")
@click.option(
    "--trained", type=FOLDER, metavar="DIR", help="The folder of trained models.  [default: the project's models]"
)
@click.option(
    "--runtime",
    type=click.Choice(["torch", "onnx"]),
    default="torch",
    show_default=True,
    help="What runs the models; onnx: what `vigil export` has written.",
)
@click.option(
    "--threshold",
    metavar="P",
    help="Alarm at this probability (0.7), at a percentile of normal frames (p90, p95, p98), or at `budget`; alerts "
    "say so.  [default: the frozen threshold]",
)
@click.option(
    "--budget",
    metavar="N/h",
    help="At most so many false alarms of each detector on each camera, in the long run: 1/h, 12/d, 3/w. Refused where "
    "the normal video of the calibration cannot promise it.",
)
@click.option(
    "--calibration",
    "calibrations",
    multiple=True,
    metavar="MODEL=FILE",
    help="A camera's own calibration, as `vigil calibrate` writes it.",
)
@click.option("--alerts", type=FILE, multiple=True, metavar="FILE", help="Append alerts, a line of JSON each.")
@click.option("--scores", type=FILE, metavar="FILE", help="Write the scores of every stored frame as CSV.")
@click.option("--objects", type=FILE, metavar="FILE", help="Write the box of everybody in every stored frame as CSV.")
@click.option("--landmarks", type=FILE, metavar="FILE", help="Write the 13 joints of everybody there as CSV.")
@click.option(
    "--attention-data",
    "attention",
    type=FILE,
    metavar="FILE",
    help="Write how much each frame of a clip weighed for a model that attends, as CSV.",
)
@click.option("--anomalies", type=FILE, metavar="FILE", help="Write a verdict on every recording as JSON.")
@click.option("--video", type=FILE, metavar="FILE", help="Write the recording with everything drawn into it (mp4).")
@click.option("--pictures", type=FOLDER, metavar="DIR", help="Draw timelines, attention and heat maps.")
@click.option("--clips", type=FOLDER, metavar="DIR", help="Cut a clip of every alert, with 5 s before and after.")
@click.option(
    "--batch",
    type=FOLDER,
    metavar="DIR",
    help="Verdict, video, pictures and clips in a folder for each recording, and index.html.",
)
@click.option(
    "--anonymise", is_flag=True, help="Hide heads in all that is written and shown, as far as people are found."
)
@click.option("--webhook", "webhooks", multiple=True, metavar="URL", help="Post alerts there, until it has them.")
@click.option(
    "--webhook-secret",
    type=FILE,
    metavar="FILE",
    help="The secret that posts are signed with.  [default: VIGIL_WEBHOOK_SECRET]",
)
@click.option("--mqtt", "brokers", multiple=True, metavar="URL", help="Publish alerts there: mqtt://HOST[:PORT].")
@click.option(
    "--mqtt-login",
    type=FILE,
    metavar="FILE",
    help="User and password, a line each.  [default: VIGIL_MQTT_USER, VIGIL_MQTT_PASSWORD]",
)
@click.option("--mqtt-ca", type=FILE, metavar="FILE", help="Certificates to trust brokers by.  [default: the system's]")
@click.option("--outbox", type=FILE, metavar="FILE", help="Where alerts are kept.  [default: .vigil/outbox.sqlite]")
@click.option(
    "--keep-days",
    type=float,
    metavar="N",
    help="Delete alerts that were over and delivered N days ago, with their pictures and clips.  [default: never]",
)
@click.option("--serve", metavar="[HOST:]PORT", help="Show cameras and alerts on a page.  [host: 127.0.0.1]")
@click.option("--token", type=FILE, metavar="FILE", help="What opens that page elsewhere.  [default: VIGIL_TOKEN]")
@click.option("--fps", type=float, default=10.0, show_default=True, help="Of folders of images.")
@click.option("--json", "as_json", is_flag=True, help="Print alerts as lines of JSON, and the summary too.")
def detect(sources: tuple[str, ...], **options: Any) -> int:
    """Look for what is abnormal.

    SOURCE is a file, a wildcard, a folder of videos or of images, the number of a webcam, rtsp://, http(s):// (MJPEG,
    HLS, a file, or a page that yt-dlp knows), a camera of cameras.yaml, or - for standard input. A line is printed for
    every alert as it is raised and as it ends.
    """
    if not sources and options["cameras"] is None:
        raise click.UsageError("Missing argument 'SOURCE...'.", click.get_current_context())
    from vigil.watch.refusals import check_request
    from vigil.watch.request import Request

    request = Request.of(sources, options)
    checked = check_request(request)

    from vigil.watch.command import run_detect  # takes seconds, which no mistake has to wait for

    summary = run_detect(request, checked, click.echo)
    if options["as_json"]:
        click.echo(json.dumps(summary, sort_keys=True))
    return BROKEN if summary["broken"] else 0
