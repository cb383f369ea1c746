"""Mistakes in what a user has asked `vigil detect` for, said before the libraries are loaded that run models.

sources = check_request(request)    VigilError in one line; else the sources that will be watched

Loading takes seconds, which no mistake has to wait for: so nothing here may import torch, and a test holds it to that.
"""

from collections.abc import Sequence
from pathlib import Path

from vigil.capture.addresses import look_up_cameras
from vigil.capture.camera_file import load_cameras
from vigil.capture.network import require_webcams
from vigil.capture.sources import Source, expand_sources, project_cameras
from vigil.core.errors import VigilError
from vigil.delivery.addresses import read_secret
from vigil.delivery.outbox import Outbox
from vigil.delivery.page.access import TOKEN_VARIABLE, Access
from vigil.delivery.page.address import bind_socket, parse_address
from vigil.detect.alarm_words import read_threshold, refuse_both
from vigil.detect.model_choice import FUSED, check_choice, choose_models, looks_at_people, raises_alarm
from vigil.watch.request import Request


def check_request(request: Request) -> list[Source]:
    """The sources, once it is sure that they, the models and the outputs can be had, as far as files say it."""
    _refuse_idle_options(request)
    refuse_both(request.threshold, request.budget)
    if request.threshold is not None:
        read_threshold(request.threshold)
    sources = look_up_cameras(_find_sources(request))
    live = [source for source in sources if source.is_live]
    if live and len(live) < len(sources):
        raise VigilError("cameras and recordings together: run them apart, for a recording ends and a camera does not.")
    require_webcams(live)
    _refuse_hours([source for source in sources if not source.is_live])
    request.outputs.check(len(sources), _used_files(request, sources))
    if live:
        request.outputs.refuse_of_recordings()
    elif request.serve is not None:
        raise VigilError("--serve: of cameras alone. What recordings show is in index.html of --batch.")
    for source in sources:
        if not source.is_live and source.kind not in ("file", "images"):
            request.outputs.require_files(source.address)
    _check_models(request, sources)
    _check_delivery(request)
    return sources


def _refuse_idle_options(request: Request) -> None:
    """VigilError where an option says how something is done that nobody has asked for."""
    pairs = (
        ("--webhook-secret", request.webhook_secret, "--webhook", request.webhooks),
        ("--mqtt-login", request.mqtt_login, "--mqtt", request.brokers),
        ("--mqtt-ca", request.mqtt_ca, "--mqtt", request.brokers),
        ("--token", request.token, "--serve", request.serve),
        ("--keep-days", request.keep_days, "--alerts, --webhook, --mqtt, --serve or --outbox", request.delivers),
    )
    for option, value, partner, is_asked_for in pairs:
        if value is not None and not is_asked_for:
            raise VigilError(f"{option}: does nothing without {partner}. Add that, or leave it out.")


def _find_sources(request: Request) -> list[Source]:
    """What is named; of a file of cameras that is named all, where nothing else is."""
    cameras = project_cameras() if request.cameras is None else load_cameras(request.cameras)
    if request.cameras is not None and not cameras:
        raise VigilError(f"{request.cameras}: no camera in it. Expected such as `door: {{source: ...}}`.")
    return expand_sources(request.sources or cameras, cameras)


def _used_files(request: Request, sources: Sequence[Source]) -> dict[Path, str]:
    """Files that no output may be written over, and what they are."""
    used = {Path(source.address): "a source" for source in sources if not source.is_live}
    used |= dict.fromkeys(request.calibrations.values(), "a calibration")
    used[request.outbox_path] = "the outbox"
    if request.cameras is not None:
        used[request.cameras] = "the file of cameras"
    return used


def _refuse_hours(recordings: Sequence[Source]) -> None:
    for source in recordings:
        if source.entry is not None and source.entry.hours is not None:
            raise VigilError(
                f"camera {source.name}: hours of a recording: nobody says when it was made; leave them out."
            )


def _check_models(request: Request, sources: Sequence[Source]) -> None:
    """VigilError where models are missing, raise no alarm, or do not look at what is to be written."""
    detectors, running = set[str](), set[str]()
    for source in sources:
        names, calibrations = request.choose_models(source)
        try:
            detectors |= set(choose_models(request.trained, names))
            running |= set(check_choice(request.trained, names, calibrations, request.runtime))
        except VigilError as error:
            if source.entry is None:
                raise
            raise VigilError(f"camera {source.name}: {error}") from None
    if FUSED not in detectors and not any(raises_alarm(request.trained, name) for name in detectors):
        raise VigilError(
            "none of these models raises alerts: they name what another has raised. Add that one, such as crime_gate."
        )
    for option, path in (("--objects", request.outputs.objects), ("--landmarks", request.outputs.landmarks)):
        if path is not None and not any(looks_at_people(request.trained, name) for name in running):
            raise VigilError(
                f"{option}: none of {', '.join(sorted(running))} looks at people: add a model that does, such as "
                "panic or pose_cnn."
            )


def _check_delivery(request: Request) -> None:
    """VigilError where alerts cannot be kept, sent or shown."""
    if request.serve is not None:
        host, port = parse_address(request.serve)
        Access(host, read_secret(TOKEN_VARIABLE, request.token))
        bind_socket(host, port).close()
    if request.delivers:
        request.make_targets()
        Outbox(request.outbox_path).close()
