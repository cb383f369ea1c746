"""kill -9 of a watch: what it has left open is ended by the next start of any, and by none while it still runs."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from videos import film

from vigil.cli.main import main
from vigil.delivery.alert import read_alert
from vigil.delivery.outbox import Outbox
from vigil.delivery.watched import is_watched, watching

OUTBOX = Path("o.db")
WATCH = """
import sys, time
from pathlib import Path
from alert_feed import drawn_alert
from vigil.delivery.outbox import Outbox
from vigil.delivery.watched import watching
with Outbox(Path("o.db")) as outbox, watching(Path("o.db"), "gate"):
    outbox.put(drawn_alert(1, "gate"))
    print("open", flush=True)
    time.sleep(600)
"""


def detect(*words: str) -> None:
    assert main(["detect", *words, "--models", "crime_gate", "--threshold", "0.0001", "--outbox", str(OUTBOX)]) == 0


def open_cameras() -> list[str]:
    with Outbox(OUTBOX) as outbox:
        return [stored.alert.camera for stored in outbox.open_alerts()]


@pytest.mark.usefixtures("models")
def test_what_a_killed_watch_left_open_is_ended_by_the_next_of_another_film() -> None:
    film(Path("yard.mp4"), frames=16, fps=8, size=(96, 64))
    watch = subprocess.Popen([sys.executable, "-c", WATCH], stdout=subprocess.PIPE, text=True)
    try:
        assert watch.stdout is not None and watch.stdout.readline() == "open\n"
        detect("yard.mp4")
        assert open_cameras() == ["gate"], "its watch still runs"
    finally:
        watch.send_signal(signal.SIGKILL)
        watch.communicate()
    assert list(Path().glob("o.db.watched-*.lock")), "nobody has cleared up"
    detect("yard.mp4", "--alerts", "a.jsonl")
    assert open_cameras() == []
    ended = [json.loads(line) for line in Path("a.jsonl").read_text().splitlines()]
    assert ("gate", 2, "interrupted") in [(alert["camera"], alert["revision"], alert["ended"]) for alert in ended]
    assert not list(Path().glob("o.db.watched-*.lock"))


@pytest.mark.usefixtures("models")
def test_a_film_that_is_judged_again_after_a_kill_says_how_its_alert_ended() -> None:
    film(Path("gate.mp4"), frames=24, fps=8, size=(96, 64))
    detect("gate.mp4", "--alerts", "whole.jsonl")
    raised, ended = (read_alert(line, "") for line in Path("whole.jsonl").read_text().splitlines()[:2])
    assert ended.id == raised.id and raised.ended is None and ended.ended != "interrupted"
    OUTBOX.unlink()
    with Outbox(OUTBOX, [f"file {Path('again.jsonl').resolve()}"]) as outbox:
        outbox.put(raised)
    for _ in range(2):
        detect("gate.mp4", "--alerts", "again.jsonl")
    revisions = [read_alert(line, "") for line in Path("again.jsonl").read_text().splitlines()]
    of_alert = [alert for alert in revisions if alert.id == raised.id]
    ends = [(alert.revision, alert.ended) for alert in of_alert]
    assert ends == [(1, None), (2, "interrupted"), (3, ended.ended)]
    assert of_alert[-1].stop == ended.stop


def test_a_source_is_watched_for_as_long_as_anybody_watches_it() -> None:
    assert not is_watched(OUTBOX, "door")
    with watching(OUTBOX, "door"):
        with watching(OUTBOX, "door"):
            assert is_watched(OUTBOX, "door") and not is_watched(OUTBOX, "yard")
        assert is_watched(OUTBOX, "door")
    assert not is_watched(OUTBOX, "door")
    assert list(Path().glob("*.lock")) == []
