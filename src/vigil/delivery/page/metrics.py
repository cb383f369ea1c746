"""Cameras, alerts and deliveries as Prometheus reads them."""

import time
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

from vigil.delivery.outbox import Outbox
from vigil.delivery.page.cameras import Cameras


class LiveMetrics(Collector):
    """Reads everything anew whenever it is asked."""

    def __init__(self, outbox: Outbox, cameras: Cameras) -> None:
        self._outbox = outbox
        self._cameras = cameras

    def collect(self) -> Iterator[Metric]:
        yield from self._collect_cameras()
        yield from self._collect_alerts()
        yield from self._collect_targets()

    def _collect_cameras(self) -> Iterator[Metric]:
        cameras = self._cameras()
        live = GaugeMetricFamily("vigil_camera_live", "1 while frames come from the camera.", labels=["camera"])
        fps = GaugeMetricFamily("vigil_camera_fps", "Frames judged a second.", labels=["camera"])
        lag = GaugeMetricFamily("vigil_camera_lag_seconds", "From the camera to the newest score.", labels=["camera"])
        both = ["camera", "detector"]
        score = GaugeMetricFamily("vigil_detector_score", "Newest raw score.", labels=both)
        threshold = GaugeMetricFamily("vigil_detector_threshold", "Score from which an alert is raised.", labels=both)
        for camera in cameras:
            live.add_metric([camera.name], float(camera.state == "live"))
            if camera.fps is not None:
                fps.add_metric([camera.name], camera.fps)
            if camera.lag_s is not None:
                lag.add_metric([camera.name], camera.lag_s)
            for reading in camera.readings:
                threshold.add_metric([camera.name, reading.detector], reading.threshold)
                if reading.score is not None:
                    score.add_metric([camera.name, reading.detector], reading.score)
        yield from (live, fps, lag, score, threshold)

    def _collect_alerts(self) -> Iterator[Metric]:
        raised = CounterMetricFamily("vigil_alerts", "Alerts that were raised.", labels=["camera", "label"])
        for camera, label, count in self._outbox.totals():
            raised.add_metric([camera, label], count)
        yield raised
        yield GaugeMetricFamily("vigil_alerts_open", "Alerts that go on.", value=len(self._outbox.open_alerts()))

    def _collect_targets(self) -> Iterator[Metric]:
        now, of_target = time.time(), ["target"]
        waiting = GaugeMetricFamily("vigil_deliveries_waiting", "Not delivered yet.", labels=of_target)
        oldest = GaugeMetricFamily("vigil_deliveries_oldest_seconds", "Age of the oldest that waits.", labels=of_target)
        parked = GaugeMetricFamily("vigil_deliveries_parked", "Refused, or given up.", labels=of_target)
        delivered = CounterMetricFamily("vigil_deliveries", "Delivered.", labels=of_target)
        failing = GaugeMetricFamily("vigil_target_failing_seconds", "Since when it fails; 0: well.", labels=of_target)
        for target in self._outbox.deliveries.states():
            waiting.add_metric([target.name], target.waiting)
            oldest.add_metric([target.name], 0.0 if target.oldest_waiting is None else now - target.oldest_waiting)
            parked.add_metric([target.name], target.parked)
            delivered.add_metric([target.name], target.delivered)
            failing.add_metric([target.name], 0.0 if target.failing_since is None else now - target.failing_since)
        yield from (waiting, oldest, parked, delivered, failing)


def metrics_text(outbox: Outbox, cameras: Cameras) -> bytes:
    """Returns all metrics in the text format of Prometheus."""
    registry = CollectorRegistry()
    registry.register(LiveMetrics(outbox, cameras))
    return generate_latest(registry)
