"""Alerts about a camera itself: from when to when something was wrong with it."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from vigil.capture.frames import Frozen, Gone
from vigil.delivery.alert import Alert
from vigil.watch.camera_watch import measure_rate
from vigil.watch.health_alerts import HealthAlerts

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def alerts() -> list[Alert]:
    return []


@pytest.fixture
def health(alerts: list[Alert]) -> HealthAlerts:
    return HealthAlerts("gate", "rtsp://gate", "0" * 64, alerts.append)


def test_a_picture_that_stands_still_has_done_so_since_it_last_moved(health: HealthAlerts, alerts: list[Alert]) -> None:
    assert health.take(Frozen(NOON, Fraction(400), Fraction(100), is_over=False)) == "gate: camera frozen"
    assert health.take(Frozen(NOON + timedelta(seconds=30), Fraction(430), Fraction(100), is_over=True))
    raised, ended = alerts
    assert (raised.start.utc, raised.start.source_s) == ("2026-03-01T11:55:00.000Z", 100.0)
    assert ended.stop is not None and ended.ended == "released"
    assert (ended.start, ended.stop.utc, ended.stop.source_s) == (raised.start, "2026-03-01T12:00:30.000Z", 430.0)


def test_a_camera_that_is_gone_when_the_watch_ends_was_gone_until_then(
    health: HealthAlerts, alerts: list[Alert]
) -> None:
    health.take(Gone(NOON, Fraction(10), "no answer", False))
    health.finish(NOON + timedelta(hours=3))
    health.finish(NOON + timedelta(hours=4))
    raised, ended = alerts
    assert ended.stop is not None and ended.ended == "interrupted"
    assert (ended.stop.utc, ended.stop.source_s) == ("2026-03-01T15:00:00.000Z", 10810.0)
    assert ended.id == raised.id


def test_a_rate_is_that_of_the_time_there_was() -> None:
    eight_a_second = [index / 8 for index in range(800)]
    assert measure_rate(eight_a_second[:17], 2.0) == pytest.approx(8.5)
    assert measure_rate(eight_a_second, 99.9) == pytest.approx(8, rel=0.02)
    assert measure_rate(eight_a_second, 105.0) == pytest.approx(4, rel=0.05), "and has stood still for five seconds"
    assert measure_rate(eight_a_second[:3], 0.3) is None
    assert measure_rate(eight_a_second, 120.0) is None
