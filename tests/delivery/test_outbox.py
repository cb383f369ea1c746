"""The outbox: what was put is there, once, in order, and a full disk takes nothing of it away."""

import shutil
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import pytest
from alert_feed import drawn_alert, ended_alert, keys, revisions

from vigil.core.errors import VigilError
from vigil.delivery.alert import revise
from vigil.delivery.database import APPLICATION_ID, MIGRATIONS, OutboxError, OutboxFull
from vigil.delivery.outbox import Outbox
from vigil.delivery.writer import AlertWriter

PATH = Path("outbox.sqlite")


def stored_keys(outbox: Outbox) -> list[str]:
    return keys(stored.alert for stored in outbox.after(0, -1))


def test_what_was_put_is_there_after_a_new_start_in_order_and_once() -> None:
    alerts = list(revisions(5, 2))
    with Outbox(PATH) as outbox:
        assert [outbox.put(alert) for alert in alerts] == [True] * 10
        assert [outbox.put(alert) for alert in alerts] == [False] * 10
    with Outbox(PATH) as outbox:
        assert [stored.alert for stored in outbox.after(0, -1)] == alerts
        assert outbox.last_seq() == 10


def test_every_put_is_on_the_disk_before_it_returns() -> None:
    with Outbox(PATH) as outbox:
        read = outbox._database.read
        assert read("PRAGMA journal_mode")[0][0] == "wal"
        assert read("PRAGMA synchronous")[0][0] == 2, "FULL: the log is synced with every commit"


def test_several_processes_write_and_none_loses_anything() -> None:
    program = (
        "import sys; from pathlib import Path; from alert_feed import drawn_alert; from vigil.delivery.outbox import "
        "Outbox\nwith Outbox(Path('outbox.sqlite'), ['t']) as outbox:\n"
        "    for number in range(40): outbox.put(drawn_alert(number, sys.argv[1]))"
    )
    running = [subprocess.Popen([sys.executable, "-c", program, f"camera {n}"]) for n in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    with Outbox(PATH) as outbox:
        for n in range(3):
            of_camera = [stored.alert for stored in outbox.after(0, -1, f"camera {n}")]
            assert of_camera == [drawn_alert(number, f"camera {n}") for number in range(40)]
        assert outbox.deliveries.waiting(["t"]) == 120


def test_threads_of_one_process_may_put_at_once() -> None:
    with Outbox(PATH) as outbox, ThreadPoolExecutor(4) as threads:
        new = list(threads.map(outbox.put, [drawn_alert(number % 50) for number in range(200)]))
        assert sum(new) == 50


def test_the_newest_page_has_each_alert_once_in_its_latest_revision() -> None:
    with Outbox(PATH) as outbox:
        for number in range(5):
            outbox.put(drawn_alert(number))
        outbox.put(ended_alert(drawn_alert(1)))
        outbox.put(drawn_alert(9, "yard"))
        first = outbox.newest(2)
        assert [stored.alert for stored in first] == [drawn_alert(9, "yard"), drawn_alert(4)]
        rest = outbox.newest(10, before=first[-1].raised)
        assert [stored.alert for stored in rest] == [
            drawn_alert(3), drawn_alert(2), ended_alert(drawn_alert(1)), drawn_alert(0),
        ]  # fmt: skip
        assert [stored.alert.camera for stored in outbox.newest(10, camera="yard")] == ["yard"]
        assert [stored.alert for stored in outbox.open_alerts("gate")] == [drawn_alert(n) for n in (0, 2, 3, 4)]


def test_a_revision_that_comes_late_does_not_replace_a_later_one() -> None:
    ended = ended_alert(drawn_alert(0))
    clipped = revise(ended, clip="gate/0.mp4")
    with Outbox(PATH) as outbox:
        for alert in (drawn_alert(0), clipped, ended):
            outbox.put(alert)
        assert [stored.alert for stored in outbox.newest(9)] == [clipped]


def test_old_alerts_go_when_all_have_them_and_the_count_of_all_stays() -> None:
    waits, open_one, over = drawn_alert(0), drawn_alert(1), revise(ended_alert(drawn_alert(2)), clip="gate/2.mp4")
    with Outbox(PATH, ["t"]) as outbox:
        for alert in (open_one, drawn_alert(2), over, drawn_alert(0), ended_alert(waits)):
            outbox.put(alert)
        for delivery in outbox.deliveries.due("t", time.time(), 3):
            outbox.deliveries.mark_delivered(delivery, time.time())
        assert outbox.delete_old(1.0) == []
        assert outbox.delete_old(-1.0) == [over]
        assert [stored.alert.id for stored in outbox.newest(9)] == [waits.id, open_one.id]
        assert outbox.totals() == [("gate", "fight", 3)]


def put_all(outbox: Outbox, written: list[int]) -> None:
    """Put alerts until there is no room, and note which were written."""
    for number in range(100_000):
        outbox.put(drawn_alert(number))
        written.append(number)


def test_a_full_disk_is_said_in_one_line_and_what_is_in_the_outbox_stays(small_disk: Path) -> None:
    with Outbox(small_disk / "outbox.sqlite", ["t"]) as outbox:
        written = list[int]()
        with pytest.raises(OutboxFull, match=r"no room left on the disk\. What is in the outbox stays") as raised:
            put_all(outbox, written)
        assert "\n" not in str(raised.value)
        assert len(written) > 20
        assert [stored.alert for stored in outbox.after(0, -1)] == [drawn_alert(number) for number in written]
        assert outbox.deliveries.waiting(["t"]) == len(written)


def test_alerts_for_which_there_is_no_room_are_held_and_written_when_there_is(
    small_disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ballast = small_disk / "ballast"
    with Outbox(small_disk / "outbox.sqlite") as outbox:
        writer = AlertWriter(outbox)
        writer.write(drawn_alert(0))
        with ballast.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(4096))
        number = 0
        while writer.held < 10:  # the log of the database has some room of its own
            number += 1
            writer.write(drawn_alert(number))
        with pytest.raises(OutboxError, match=r"no room left on the disk.*10 alerts are not written"):
            writer.finish()
        assert len(writer.problems()) == 1
        assert len(caplog.messages) == 1, "a full disk is said once"
        ballast.unlink()
        writer.finish()
        assert (writer.held, writer.problems()) == (0, [])
        assert [stored.alert for stored in outbox.after(0, -1)] == [drawn_alert(n) for n in range(number + 1)]


def test_an_outbox_is_not_made_on_a_full_disk(small_disk: Path) -> None:
    with (small_disk / "ballast").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    with pytest.raises(OutboxError, match=r"no room left on the disk|No space left on device"):
        Outbox(small_disk / "outbox.sqlite")


def test_while_another_process_keeps_the_outbox_to_itself_alerts_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vigil.delivery.database.BUSY_S", 0.1)
    with Outbox(PATH) as outbox, closing(sqlite3.connect(PATH, isolation_level=None)) as other:
        writer = AlertWriter(outbox)
        other.execute("BEGIN EXCLUSIVE")
        writer.write(drawn_alert(0))
        assert writer.held == 1
        assert "another process has written for longer than" in writer.problems()[0]
        other.execute("ROLLBACK")
        writer.finish()
        assert stored_keys(outbox) == keys([drawn_alert(0)])


def test_a_folder_that_cannot_be_written_is_one_line() -> None:
    Path("file").write_text("")
    for path in (Path("file/outbox.sqlite"), Path("/proc/outbox.sqlite")):
        with pytest.raises(OutboxError, match=f"^{path}: the outbox cannot be "):
            Outbox(path)


def test_another_programs_database_and_another_file_are_refused_and_left_as_they_are() -> None:
    with sqlite3.connect(PATH) as connection:
        connection.execute("CREATE TABLE notes (text)")
    connection.close()
    before = PATH.read_bytes()
    with pytest.raises(VigilError, match="a database of another program"):
        Outbox(PATH)
    assert PATH.read_bytes() == before
    Path("notes.txt").write_text("nothing of SQLite\n" * 100)
    with pytest.raises(VigilError, match="it is no SQLite database"):
        Outbox(Path("notes.txt"))
    assert Path("notes.txt").read_text() == "nothing of SQLite\n" * 100


def test_an_outbox_of_a_newer_vigil_is_refused() -> None:
    Outbox(PATH).close()
    with sqlite3.connect(PATH) as connection:
        assert connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    with pytest.raises(VigilError, match=f"format {len(MIGRATIONS) + 1} of the outbox; this vigil knows"):
        Outbox(PATH)


def test_a_copy_of_the_files_is_an_outbox() -> None:
    """As a backup of the folder makes one, while vigil runs."""
    with Outbox(PATH) as outbox:
        outbox.put(drawn_alert(0))
        for path in Path().glob("outbox.sqlite*"):
            shutil.copy(path, f"copy-{path}")
    with Outbox(Path("copy-outbox.sqlite")) as copy:
        assert stored_keys(copy) == keys([drawn_alert(0)])
