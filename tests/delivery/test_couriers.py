"""Couriers: in order for each camera, one target in nobody's way, and at rest within a second."""

import itertools
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from alert_feed import QUICK, drawn_alert, ended_alert, keys, revisions
from receivers import wait_until

from vigil.delivery.alert import read_alert
from vigil.delivery.alert_file import AlertFile
from vigil.delivery.courier import Couriers
from vigil.delivery.database import OutboxFull
from vigil.delivery.deliveries import Delivery
from vigil.delivery.outbox import Outbox
from vigil.delivery.target import Backoff, Failed, Interrupted, Refused, Unreachable

PATH = Path("outbox.sqlite")


class Mailbox:
    """A target in memory, that fails as it is told."""

    def __init__(self, name: str = "mailbox") -> None:
        self.name = name
        self.got: list[str] = []
        self.tried: list[tuple[float, str]] = []
        self.failures: dict[str, Exception] = {}  # by the key of a delivery; "*" for all
        self.hangs = False
        self._interrupted = threading.Event()

    def check(self) -> None: ...

    def is_empty(self) -> bool:
        return False

    def idle(self) -> None: ...

    def send(self, delivery: Delivery) -> None:
        self.tried.append((time.monotonic(), delivery.key))
        if self.hangs:
            self._interrupted.wait(30)
            raise Interrupted
        if failure := self.failures.get("*") or self.failures.get(delivery.key):
            raise failure
        self.got.append(delivery.key)

    def interrupt(self) -> None:
        self._interrupted.set()

    def close(self) -> None: ...


def key(number: int, camera: str = "gate") -> str:
    return keys([drawn_alert(number, camera)])[0]


def test_everything_arrives_in_the_order_of_each_camera() -> None:
    mailbox = Mailbox()
    with Outbox(PATH, ["mailbox"]) as outbox, Couriers(outbox, [mailbox], QUICK) as couriers:
        for alert in revisions(50, 3):
            outbox.put(alert)
        assert couriers.drain(20) == 0
    assert mailbox.got == keys(revisions(50, 3))


def test_an_alert_that_makes_trouble_holds_up_its_camera_and_no_other() -> None:
    mailbox = Mailbox()
    mailbox.failures[key(1)] = Failed("answers 500")
    with Outbox(PATH, ["mailbox"]) as outbox, Couriers(outbox, [mailbox], QUICK) as couriers:
        for number in range(4):
            outbox.put(drawn_alert(number))
            outbox.put(drawn_alert(number, "yard"))
        wait_until(lambda: len([1 for _, tried in mailbox.tried if tried == key(1)]) > 3)
        assert mailbox.got == [key(0), *(key(n, "yard") for n in range(4))]
        assert outbox.deliveries.states()[0].last_error == "answers 500"
        mailbox.failures.clear()
        assert couriers.drain(20) == 0
    assert mailbox.got[5:] == [key(1), key(2), key(3)]


def test_a_refusal_is_said_once_for_each_reason_and_counted_in_the_end(caplog: pytest.LogCaptureFixture) -> None:
    mailbox = Mailbox()
    for number in range(4):
        mailbox.failures[key(number)] = Refused(f"answers 400 Bad Request: no alert {number}")
    mailbox.failures[key(4)] = Refused("answers 413 Content Too Large")
    with Outbox(PATH, ["mailbox"]) as outbox, Couriers(outbox, [mailbox], QUICK) as couriers:
        for number in range(6):
            outbox.put(drawn_alert(number))
        assert couriers.drain(20) == 0
        first, other = (record.getMessage() for record in caplog.records)
        assert first.startswith(f"mailbox: will not take {key(0)}: answers 400 Bad Request: no alert 0. ")
        assert other.startswith(f"mailbox: will not take {key(4)}: answers 413 Content Too Large. ")
    assert [record.getMessage() for record in caplog.records[2:]] == [
        "mailbox: 4 revisions not taken: answers 400 Bad Request"
    ]
    assert mailbox.got == [key(5)]


def test_what_is_refused_is_parked_with_the_reason_and_can_be_let_go() -> None:
    mailbox = Mailbox()
    mailbox.failures[key(1)] = Refused("answers 400 Bad Request")
    with Outbox(PATH, ["mailbox"]) as outbox, Couriers(outbox, [mailbox], QUICK) as couriers:
        for number in range(3):
            outbox.put(drawn_alert(number))
        assert couriers.drain(20) == 0
        assert mailbox.got == [key(0), key(2)]
        state = outbox.deliveries.states()[0]
        assert (state.parked, state.waiting, state.delivered) == (1, 0, 2)
        assert state.last_error == "answers 400 Bad Request"
        mailbox.failures.clear()
        assert outbox.deliveries.release_parked("mailbox") == 1
        assert couriers.drain(20) == 0
    assert mailbox.got == [key(0), key(2), key(1)]


def test_a_target_that_is_away_is_asked_less_and_less_and_gets_all_when_it_is_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    mailbox, backoff = Mailbox(), Backoff(first_s=0.1, longest_s=0.4)
    mailbox.failures["*"] = Unreachable("connection refused")
    with Outbox(PATH, ["mailbox"]) as outbox, Couriers(outbox, [mailbox], backoff) as couriers:
        for alert in revisions(5, 2):
            outbox.put(alert)
        wait_until(lambda: len(mailbox.tried) == 5)
        waits = [after[0] - before[0] for before, after in zip(mailbox.tried, mailbox.tried[1:], strict=False)]
        for wait, longest in zip(waits, (0.1, 0.2, 0.4, 0.4), strict=True):
            assert wait >= longest / 2
        assert {tried for _, tried in mailbox.tried} == {key(0, "camera 0")}, "only the first is tried"
        mailbox.failures.clear()
        assert couriers.drain(20) == 0
    assert mailbox.got == keys(revisions(5, 2))
    assert caplog.messages == [
        "mailbox: connection refused. What waits for it is kept and tried again.", "mailbox: reached again",
    ]  # fmt: skip


def test_a_target_that_asks_to_be_left_alone_is_left_alone() -> None:
    mailbox = Mailbox()
    mailbox.failures["*"] = Unreachable("answers 429", retry_after_s=0.6)
    with Outbox(PATH, ["mailbox"]) as outbox, Couriers(outbox, [mailbox], QUICK):
        outbox.put(drawn_alert(0))
        wait_until(lambda: len(mailbox.tried) == 2)
    assert mailbox.tried[1][0] - mailbox.tried[0][0] >= 0.6


def test_the_wait_doubles_up_to_a_quarter_of_an_hour_and_is_spread() -> None:
    waits = [Backoff().delay_s(failures, 0.0, 1.0) for failures in range(1, 13)]
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]
    assert Backoff().delay_s(3, 0.0, 0.0) == 2.0
    assert Backoff().delay_s(10_000, 0.0, 1.0) == 900
    assert Backoff().delay_s(1, 3600.0, 0.5) == 3600
    assert Backoff().delay_s(1, 1e9, 0.5) == 86400, "nobody asks for more than a day"


def test_a_clock_that_was_set_back_delays_nothing_for_long() -> None:
    with Outbox(PATH, ["mailbox"]) as outbox:
        outbox.put(drawn_alert(0))
        (delivery,) = outbox.deliveries.due("mailbox", time.time(), 9)
        year_2040 = 2_208_988_800.0
        outbox.deliveries.mark_failed(delivery, "answers 500", year_2040, year_2040 + 900)
        assert len(outbox.deliveries.due("mailbox", time.time(), 9)) == 1
        outbox.deliveries.mark_failed(delivery, "answers 500", time.time(), time.time() + 900)
        assert outbox.deliveries.due("mailbox", time.time(), 9) == []
        assert outbox.deliveries.next_attempt("mailbox", time.time()) == pytest.approx(time.time() + 900, abs=10)


def test_what_has_failed_for_days_is_parked() -> None:
    mailbox = Mailbox()
    mailbox.failures[key(0)] = Failed("answers 500")
    backoff = Backoff(first_s=0.02, longest_s=0.05, give_up_s=0.2)
    with Outbox(PATH, ["mailbox"]) as outbox, Couriers(outbox, [mailbox], backoff) as couriers:
        outbox.put(drawn_alert(0))
        outbox.put(drawn_alert(1))
        assert couriers.drain(20) == 0
        assert outbox.deliveries.states()[0].last_error.endswith("days: answers 500")
    assert mailbox.got == [key(1)]
    assert len(mailbox.tried) > 3


def test_one_target_waits_for_no_other() -> None:
    stuck, free = Mailbox("stuck"), Mailbox("free")
    stuck.hangs = True
    with Outbox(PATH, ["stuck", "free"]) as outbox, Couriers(outbox, [stuck, free], QUICK):
        for number in range(20):
            outbox.put(drawn_alert(number))
        wait_until(lambda: len(free.got) == 20)
        assert [(state.name, state.waiting) for state in outbox.deliveries.states()] == [("free", 0), ("stuck", 20)]


def test_the_end_takes_a_second_at_most_and_what_can_still_go_goes() -> None:
    stuck, free = Mailbox("stuck"), Mailbox("free")
    stuck.hangs = True
    with Outbox(PATH, ["stuck", "free"]) as outbox:
        couriers = Couriers(outbox, [stuck, free], QUICK)
        couriers.start()
        outbox.put(drawn_alert(0))
        wait_until(lambda: len(stuck.tried) == 1)
        outbox.put(ended_alert(drawn_alert(0)))
        began = time.monotonic()
        couriers.stop()
        assert time.monotonic() - began < 1.1
        assert free.got == [key(0), keys([ended_alert(drawn_alert(0))])[0]]
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("courier")]
        assert outbox.deliveries.states()[1].failing_since is None, "to be interrupted is no failure of the target"


def test_of_two_processes_one_carries_and_the_other_takes_over() -> None:
    first, second = Mailbox(), Mailbox()
    with Outbox(PATH, ["mailbox"]) as outbox, Outbox(PATH, ["mailbox"]) as other:
        with Couriers(other, [second], QUICK) as late:
            outbox.put(drawn_alert(0))
            wait_until(lambda: second.got)
            with Couriers(outbox, [first], QUICK):
                other.put(drawn_alert(1))
                outbox.put(drawn_alert(2))
                wait_until(lambda: len(second.got) == 3, 5)
                late.stop()
                outbox.put(drawn_alert(3))
                wait_until(lambda: first.got, 5)
    assert second.got == [key(0), key(1), key(2)]
    assert first.got == [key(3)]


def test_a_fault_in_a_courier_is_raised_and_not_swallowed() -> None:
    mailbox = Mailbox()
    mailbox.failures["*"] = ZeroDivisionError("a fault")
    with Outbox(PATH, ["mailbox"]) as outbox, Couriers(outbox, [mailbox], QUICK) as couriers:
        outbox.put(drawn_alert(0))
        with pytest.raises(ZeroDivisionError, match="a fault"):
            couriers.drain(20)


def test_a_new_target_gets_what_is_put_again_and_an_old_one_does_not() -> None:
    with Outbox(PATH, ["a"]) as outbox:
        outbox.put(drawn_alert(0))
    with Outbox(PATH, ["a", "b"]) as outbox:
        assert not outbox.put(drawn_alert(0))
        assert (outbox.deliveries.waiting(["a"]), outbox.deliveries.waiting(["b"])) == (1, 1)


def test_a_target_that_is_no_more_keeps_no_alert_from_being_deleted() -> None:
    with Outbox(PATH, ["old"]) as outbox:
        outbox.put(drawn_alert(0))
        outbox.put(ended_alert(drawn_alert(0)))
        outbox.delete_old(-1.0)
        assert len(outbox.newest(9)) == 1
        outbox.deliveries.forget_target("old")
        assert outbox.deliveries.states() == []
        outbox.delete_old(-1.0)
        assert outbox.newest(9) == []


def test_a_full_disk_under_the_outbox_makes_no_line_of_a_file_twice(small_disk: Path, tmp_path: Path) -> None:
    """What is sent cannot be noted as sent, so it is sent again, and the file has it already."""
    ballast, target = small_disk / "ballast", AlertFile(tmp_path / "alerts.jsonl")
    with Outbox(small_disk / "outbox.sqlite", [target.name]) as outbox:
        numbers = itertools.count()
        for number in itertools.islice(numbers, 10):
            outbox.put(drawn_alert(number))
        with ballast.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(4096))
        with suppress(OutboxFull):
            for number in numbers:
                outbox.put(drawn_alert(number))
        waiting = outbox.deliveries.waiting([target.name])
        with Couriers(outbox, [target], QUICK) as couriers:
            wait_until((tmp_path / "alerts.jsonl").exists)
            time.sleep(0.5)
            assert outbox.deliveries.waiting([target.name]) > 0
            assert couriers.problems() == []
            ballast.unlink()
            assert couriers.drain(20) == 0
    lines = (tmp_path / "alerts.jsonl").read_text().splitlines()
    assert [read_alert(line, "line") for line in lines] == [drawn_alert(number) for number in range(waiting)]


def test_a_backlog_of_days_is_carried_as_fast_as_a_short_one() -> None:
    """10,000 alerts that wait: to find the next must not become slower with their number."""
    with Outbox(PATH, ["mailbox"]) as outbox:
        with outbox._database.write() as connection:
            connection.executemany(
                "INSERT INTO alerts (id, revision, raised, latest, camera, label, ended, written, body) "
                "VALUES (?, 1, ?, 1, ?, 'fight', 0, 0, '{}')",
                [(str(n), n, f"camera {n % 50}") for n in range(1, 10_001)],
            )
            connection.execute("INSERT INTO deliveries (target, seq, camera) SELECT 'mailbox', seq, camera FROM alerts")
        began = time.monotonic()
        for _ in range(50):
            assert len(outbox.deliveries.due("mailbox", time.time(), 100)) == 100
        assert time.monotonic() - began < 2.0
