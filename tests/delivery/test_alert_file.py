"""The file of alerts: each line once, whatever happened between writing it and noting that."""

import json
import os
import resource
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from alert_feed import QUICK, drawn_alert, keys, revisions
from hypothesis import given
from hypothesis import strategies as st
from receivers import wait_until

from vigil.core.errors import VigilError
from vigil.delivery.alert import alert_json, read_alert
from vigil.delivery.alert_file import AlertFile
from vigil.delivery.courier import Couriers
from vigil.delivery.deliveries import Delivery
from vigil.delivery.outbox import Outbox
from vigil.delivery.target import Unreachable
from vigil.delivery.targets import make_targets

FILE = Path("alerts.jsonl")


def delivery(number: int) -> Delivery:
    return Delivery("file", number + 1, "gate", "key", alert_json(drawn_alert(number)), 0, None)


def lines() -> list[str]:
    return FILE.read_text().splitlines()


def test_a_line_is_an_alert() -> None:
    AlertFile(FILE).send(delivery(0))
    AlertFile(FILE).send(delivery(1))
    assert [read_alert(line, "line") for line in lines()] == [drawn_alert(0), drawn_alert(1)]


@given(st.integers(0, len(delivery(1).body) + 1))
def test_wherever_a_write_was_torn_the_line_is_there_once(torn: int) -> None:
    first, second = delivery(0).body + "\n", delivery(1).body + "\n"
    FILE.write_text(first + second[:torn])
    AlertFile(FILE).send(delivery(1))
    assert FILE.read_text() == first + second
    FILE.write_text(second[:torn])
    AlertFile(FILE).send(delivery(1))
    assert FILE.read_text() == second


def test_a_last_line_of_somebody_else_without_an_end_stays_as_it_is() -> None:
    FILE.write_text("a note")
    AlertFile(FILE).send(delivery(0))
    assert lines() == ["a note", delivery(0).body]


def test_a_disk_that_is_full_in_the_middle_of_a_line_leaves_whole_lines() -> None:
    """A limit on the size of files stops a write half-way, as a full disk does."""
    program = (
        "import resource; from test_alert_file import delivery, FILE, AlertFile, Unreachable\n"
        "AlertFile(FILE).send(delivery(0)); size = FILE.stat().st_size + 100\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))\n"
        "try: AlertFile(FILE).send(delivery(1))\n"
        "except Unreachable as failure: print(failure)\n"
    )
    path = os.pathsep.join([os.environ["PYTHONPATH"], str(Path(__file__).parent)])
    said = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert said.stdout == "cannot be written: File too large\n", said.stderr
    assert lines() == [delivery(0).body]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


def is_taken(path: Path, number: int) -> bool:
    try:
        AlertFile(path).send(delivery(number))
    except Unreachable:
        return False
    return True


def test_a_full_disk_is_a_failure_that_passes(small_disk: Path) -> None:
    path, ballast = small_disk / FILE, small_disk / "ballast"
    AlertFile(path).send(delivery(0))
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    fits = [n for n in range(1, 12) if is_taken(path, n)]  # what is left of the last block of the file
    with pytest.raises(Unreachable, match="cannot be written: No space left on device"):
        AlertFile(path).send(delivery(99))
    ballast.unlink()
    AlertFile(path).send(delivery(99))
    assert path.read_text().splitlines() == [delivery(n).body for n in (0, *fits, 99)]


def test_a_file_that_was_renamed_is_followed_by_a_new_one() -> None:
    targets = make_targets([FILE])
    with Outbox(Path("outbox.sqlite"), [targets[0].name]) as outbox, Couriers(outbox, targets, QUICK) as couriers:
        outbox.put(drawn_alert(0))
        assert couriers.drain(20) == 0
        FILE.rename("alerts.jsonl.1")
        outbox.put(drawn_alert(1))
        assert couriers.drain(20) == 0
    assert lines() == [delivery(1).body]


def test_a_film_that_is_judged_again_fills_a_file_that_was_deleted_and_no_other() -> None:
    def judge_film() -> None:
        targets = make_targets([FILE])
        with Outbox(Path("outbox.sqlite"), [targets[0].name]) as outbox, Couriers(outbox, targets, QUICK) as couriers:
            for alert in revisions(5, 2):
                outbox.put(alert)
            assert couriers.drain(20) == 0

    judge_film()
    judge_film()
    assert [f"{line['id']}.{line['revision']}" for line in map(json.loads, lines())] == keys(revisions(5, 2))
    FILE.unlink()
    judge_film()
    assert [f"{line['id']}.{line['revision']}" for line in map(json.loads, lines())] == keys(revisions(5, 2))


def test_a_file_that_cannot_be_written_is_said_before_anything_runs() -> None:
    Path("notes").write_text("")
    with pytest.raises(VigilError, match=r"notes/alerts.jsonl: alerts cannot be written there: "):
        make_targets([Path("notes/alerts.jsonl")])
    with pytest.raises(VigilError, match="alerts cannot be written there: Is a directory"):
        make_targets([Path()])
    with pytest.raises(VigilError, match=r"/dev/full: no file but a device"):
        make_targets([Path("/dev/full")])


def test_a_file_that_becomes_writable_gets_all() -> None:
    targets = make_targets([Path("out/alerts.jsonl")])
    with Outbox(Path("outbox.sqlite"), [targets[0].name]) as outbox, Couriers(outbox, targets, QUICK) as couriers:
        Path("out/alerts.jsonl").unlink()
        Path("out").rmdir()
        Path("out").write_text("in the way")
        outbox.put(drawn_alert(0))
        wait_until(lambda: outbox.deliveries.states() and outbox.deliveries.states()[0].last_error)
        assert outbox.deliveries.states()[0].last_error == "cannot be written: Not a directory"
        Path("out").unlink()
        Path("out").mkdir()
        assert couriers.drain(20) == 0
    assert Path("out/alerts.jsonl").read_text() == delivery(0).body + "\n"


def test_two_outputs_of_one_name_are_refused() -> None:
    with pytest.raises(VigilError, match=r"alerts.jsonl: named as an output twice"):
        make_targets([FILE, Path("../") / Path.cwd().name / FILE])
