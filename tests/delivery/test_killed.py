"""kill -9 of whoever raises alerts, over and over: nothing is lost, and what arrives twice has the same key."""

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import alert_feed
import pytest
from alert_feed import keys, revisions
from receivers import Broker, Receiver, mosquitto, subscribed, wait_until

ALERTS, CAMERAS = 60, 3


def has_all(keys_received: Callable[[], list[str]], count: int) -> bool:
    return len(keys_received()) >= count


def run_and_kill(tmp_path: Path, kills: int) -> None:
    """Webhook, file, and MQTT where there is a broker."""
    receiver, broker, rng = Receiver(tmp_path / "receiver"), Broker(tmp_path), random.Random(5)
    alerts = tmp_path / "alerts.jsonl"
    orders = {
        "outbox": str(tmp_path / "outbox.sqlite"), "alerts": ALERTS, "cameras": CAMERAS, "every_s": 0.01,
        "file": str(alerts), "webhook": receiver.url,
    }  # fmt: skip

    def start(**also: float) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, alert_feed.__file__, json.dumps(orders | also)], stdout=subprocess.PIPE
        )

    def lines() -> int:
        return len(alerts.read_bytes().splitlines()) if alerts.exists() else 0

    with ExitStack() as stack:
        stack.enter_context(receiver)
        receipts = [receiver.taken]
        if mosquitto() is not None:
            stack.enter_context(broker)
            receipts.append(stack.enter_context(subscribed(broker.port)).keys)
            orders["mqtt"] = f"mqtt://127.0.0.1:{broker.port}"
        for kill in range(kills):
            process, more = start(), lines() + rng.randrange(1, max(2 * ALERTS // (kills + 1), 2))
            wait_until(lambda: lines() >= more or process.poll() is not None, 60)  # noqa: B023
            time.sleep(rng.uniform(0.0, 0.05))
            process.send_signal(signal.SIGKILL)
            process.communicate()
            if kill % 3 == 1:  # the receiver too
                receiver.kill()
                receiver.start()
        process = start(every_s=0.0)
        process.communicate(timeout=120)
        assert process.returncode == 0
        expected = keys(revisions(ALERTS, CAMERAS))
        for keys_received in receipts:
            wait_until(partial(has_all, keys_received, len(expected)))
    written = [json.loads(line) for line in alerts.read_text().splitlines()]
    assert [f"{alert['id']}.{alert['revision']}" for alert in written] == expected, "in the file once and in order"
    for keys_received in receipts:
        received = keys_received()
        assert sorted(received) == sorted(expected), "nothing is lost"
        for n in range(CAMERAS):
            of_camera = keys(alert for alert in revisions(ALERTS, CAMERAS) if alert.camera == f"camera {n}")
            assert [key for key in received if key in of_camera] == of_camera
    bodies = {(post["headers"]["webhook-id"], post["body"]) for post in receiver.posts()}
    assert len(bodies) == len(expected), "what arrives twice is the same"


def test_a_process_that_is_killed_twice_loses_nothing(tmp_path: Path) -> None:
    run_and_kill(tmp_path, 2)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_process_that_is_killed_twenty_times_loses_nothing(tmp_path: Path) -> None:
    run_and_kill(tmp_path, 20)


def test_sigterm_ends_within_a_second_and_what_waits_is_delivered_by_the_next(tmp_path: Path) -> None:
    receiver = Receiver(tmp_path / "receiver")
    orders = {"outbox": str(tmp_path / "outbox.sqlite"), "alerts": 5, "cameras": 1, "webhook": receiver.url}
    command = [sys.executable, alert_feed.__file__, json.dumps(orders)]
    receiver.behave("hang")
    with receiver:
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        wait_until(receiver.posts)
        began = time.monotonic()
        process.terminate()
        process.communicate(timeout=10)
        assert time.monotonic() - began < 2.0, "a second, and what a busy machine takes to end a process"
        receiver.behave("take")
        assert subprocess.run(command, check=False, stdout=subprocess.PIPE, timeout=60).returncode == 0
    assert receiver.taken() == keys(revisions(5, 1))
