"""Cameras: all of them are watched until somebody stops it, and what is open then is ended and flushed."""

import json
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Lock
from types import FrameType
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch

from vigil.capture.live.camera import Camera, read_cameras
from vigil.capture.live.camera_params import CameraParams
from vigil.capture.sources import Source
from vigil.core import settings
from vigil.delivery.addresses import read_secret
from vigil.delivery.alert import Alert
from vigil.detect.alerts import AlertChange
from vigil.watch.camera_watch import CameraWatch
from vigil.watch.detectors import Detectors
from vigil.watch.request import Request, Say, describe_change
from vigil.watch.sending import Sending
from vigil.watch.step_tables import StepTables

if TYPE_CHECKING:
    from vigil.delivery.page.server import PageServer


class Stop:
    """Set by SIGINT or SIGTERM; threads look at it."""

    def __init__(self) -> None:
        self.is_asked = False

    def ask(self, _number: int, _frame: FrameType | None) -> None:
        self.is_asked = True


@contextmanager
def stop_by_signal() -> Iterator[Stop]:
    """A first signal asks for the end, and what is open is then ended; the handlers are put back afterwards."""
    stop = Stop()
    before = {number: signal.signal(number, stop.ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def watch_cameras(
    sources: Sequence[Source], detectors: Detectors, request: Request, sending: Sending | None, say: Say
) -> dict[str, Any]:
    """Watches until it is stopped, on all cores; `say` gets a line for every alert. Returns the summary.

    Each thread judges its share of the cameras, and finds people by networks of its own: those of `detectors` in the
    first, and what the others load for themselves. Trained models are read once, for all of them.
    """
    began, say = time.monotonic(), _one_at_a_time(say)
    with ExitStack() as stack:
        stop = stack.enter_context(stop_by_signal())
        tables = stack.enter_context(StepTables(request.outputs, detectors.scoring))
        cores = min(settings.available_cores(), len(sources))
        shares = [sources[number::cores] for number in range(cores)]
        stack.enter_context(_one_core_a_thread())
        threads = [stack.enter_context(ThreadPoolExecutor(1, "judge")) for _ in shares]
        loading = [
            thread.submit(Detectors(request, share).__enter__)
            for thread, share in zip(threads[1:], shares[1:], strict=True)
        ]
        loaded = [detectors, *(stack.push(loaded_detectors.result()) for loaded_detectors in loading)]
        of_thread = [
            _start(share, share_detectors, request, sending, say, stack)
            for share, share_detectors in zip(shares, loaded, strict=True)
        ]
        watches = {camera: watch for share in of_thread for camera, watch in share.items()}
        page: PageServer | None = None
        if request.serve is not None:
            assert sending is not None and request.evidence is not None
            serving = _serve(request.serve, request.token, sending, watches, request.evidence)
            page = stack.enter_context(serving)
            print(f"cameras and alerts: {page.url}", file=sys.stderr, flush=True)
        judging = [thread.submit(_judge, share, tables, stop) for thread, share in zip(threads, of_thread, strict=True)]
        try:
            while not stop.is_asked and not wait(judging, timeout=0.5, return_when=FIRST_COMPLETED).done:
                page = say_if_dead(page)
                if sending is not None:
                    sending.check()
        finally:
            stop.is_asked = True
            wait(judging)
            for watch in watches.values():
                stack.callback(watch.finish)  # each of them, whatever becomes of the others
        for judged in judging:
            judged.result()
        return _summarise(watches, began, detectors)


def _judge(watches: Mapping[Camera, CameraWatch], tables: StepTables, stop: Stop) -> None:
    """Judges what these cameras give, the newest frame of each, until it shall stop."""
    while not stop.is_asked:
        for camera, item in read_cameras(list(watches), timeout_s=0.5):
            step = watches[camera].take(item)
            if step is not None:
                tables.write(camera.source.name, step)


def _one_at_a_time(say: Say) -> Say:
    """The same, for several threads: a line is whole before the next begins."""
    lock = Lock()

    def say_alone(line: str) -> None:
        with lock:
            say(line)

    return say_alone


@contextmanager
def _one_core_a_thread() -> Iterator[None]:
    """Libraries that compute on several threads keep to the one that calls them: every core has a thread of ours."""
    of_opencv, of_torch = cv2.getNumThreads(), torch.get_num_threads()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(of_opencv)
        torch.set_num_threads(of_torch)


def _start(
    sources: Sequence[Source],
    detectors: Detectors,
    request: Request,
    sending: Sending | None,
    say: Say,
    stack: ExitStack,
) -> dict[Camera, CameraWatch]:
    """Starts the cameras."""

    def put(alert: Alert) -> None:
        if sending is not None:
            sending.put(alert)

    watches: dict[Camera, CameraWatch] = {}
    for source in sources:
        if sending is not None:
            stack.enter_context(sending.watching(source.name))

        def tell(line: str, change: AlertChange | None, name: str = source.name) -> None:
            if change is not None:
                line = describe_change(change, name, request.as_json)
            elif request.as_json:
                line = json.dumps({"change": "camera", "source": name, "message": line}, sort_keys=True)
            say(line)

        detector = detectors.of(source).copy()
        flow = detector.plan.flow
        params = CameraParams(size_px=detector.plan.frames.size, square_px=flow.size if flow else None)
        camera = stack.enter_context(Camera(source, params))
        watches[camera] = CameraWatch(camera, detector, request.evidence, put, tell)
    return watches


@contextmanager
def _serve(
    address: str, token: Path | None, sending: Sending, watches: dict[Camera, CameraWatch], evidence: Path
) -> Iterator["PageServer"]:
    from vigil.delivery.page.access import TOKEN_VARIABLE, Access
    from vigil.delivery.page.address import parse_address
    from vigil.delivery.page.app import make_app
    from vigil.delivery.page.server import PageServer

    host, port = parse_address(address)
    access = Access(host, read_secret(TOKEN_VARIABLE, token))
    evidence.mkdir(parents=True, exist_ok=True)
    app = make_app(
        sending.outbox, lambda: [watch.snapshot() for watch in watches.values()], evidence, access, sending.problems
    )
    with PageServer(app, host, port) as server:
        yield server


def say_if_dead(page: "PageServer | None") -> "PageServer | None":
    """The page while it is served. One that has died is said, once, and stops no camera."""
    if page is None or page.is_alive():
        return page
    print(
        f"{page.url}: the page has ended. Cameras are watched on and alerts are sent; start vigil anew to see them.",
        file=sys.stderr,
        flush=True,
    )
    return None


def _summarise(watches: dict[Camera, CameraWatch], began: float, detectors: Detectors) -> dict[str, Any]:
    cameras = {}
    for camera, watch in watches.items():
        figures = camera.figures()
        lags = np.array(watch.lags)
        cameras[camera.source.name] = {
            "alerts": watch.alerts,
            "captured": figures.captured,
            "looked_at": figures.read,
            "failures": figures.failures,
            "restarts": figures.restarts,
            "lag_p50_s": round(float(np.median(lags)), 3) if len(lags) else None,
            "lag_p95_s": round(float(np.quantile(lags, 0.95)), 3) if len(lags) else None,
        }
    return {
        "cameras": cameras,
        "alerts": sum(watch.alerts for watch in watches.values()),
        "elapsed_s": round(time.monotonic() - began, 1),
        "detectors": detectors.alarming,
        "broken": [],
    }
