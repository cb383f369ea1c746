"""What capturing a camera costs, and how late its frames are: `python benchmarks/capture.py SOURCE [--seconds 60]`.

SOURCE is whatever `vigil detect` takes that has no end, such as rtsp://127.0.0.1:8554/door. Prints one line of JSON:
lag from capture to the hands of the reader, CPU of the capturing process for a frame, memory, frames lost.
"""

import argparse
import json
import time

import psutil

from vigil.capture.addresses import look_up
from vigil.capture.frames import Event, Frame
from vigil.capture.live.camera import Camera
from vigil.capture.live.camera_params import CameraParams
from vigil.capture.sources import parse_source


def measure(address: str, seconds: float, size_px: int | None) -> dict[str, object]:
    """Reads every frame for `seconds`, from the first on."""
    with Camera(look_up(parse_source(address)), CameraParams(size_px=size_px)) as camera:
        opened = time.monotonic()
        while not isinstance(camera.read(1), Frame):
            pass
        first_s = time.monotonic() - opened
        time.sleep(1)
        reader, capture = psutil.Process(), psutil.Process(psutil.Process().children()[-1].pid)
        begun, cpu = time.monotonic(), (_cpu_s(reader), _cpu_s(capture))
        before = camera.figures()
        lags, events, shape = list[float](), list[Event](), (0, 0, 0)
        while time.monotonic() - begun < seconds:
            item = camera.read(1)
            if isinstance(item, Frame):
                lags.append(camera.figures().lag_s)
                shape = item.image.shape
            elif item is not None:
                events.append(item)
        after = camera.figures()
        captured = after.captured - before.captured
        lags.sort()
        return {
            "size": f"{shape[1]}x{shape[0]}",
            "fps": round(captured / seconds, 1),
            "first_frame_s": round(first_s, 2),
            "lag_ms": {str(share): round(1000 * lags[int(share / 100 * (len(lags) - 1))], 1) for share in (50, 95, 99)},
            "capture_cpu_ms_a_frame": round(1000 * (_cpu_s(capture) - cpu[1]) / captured, 2),
            "reader_cpu_ms_a_frame": round(1000 * (_cpu_s(reader) - cpu[0]) / captured, 2),
            "capture_rss_mib": capture.memory_info().rss >> 20,
            "capture_own_mib": capture.memory_full_info().uss >> 20,
            "not_read": captured - (after.read - before.read),
            "events": len(events),
        }


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--size", type=int, help="px, the shorter side of frames")
    arguments = parser.parse_args()
    print(json.dumps(measure(arguments.source, arguments.seconds, arguments.size)))
