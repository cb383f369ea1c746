"""Old alerts are deleted with all that was written of them, and nothing else."""

from pathlib import Path

from alert_feed import drawn_alert, ended_alert

from vigil.delivery.alert import revise
from vigil.delivery.outbox import Outbox
from vigil.delivery.retention import delete_old_alerts

PATH = Path("outbox.sqlite")


def test_evidence_goes_with_the_alert_it_is_of() -> None:
    over, goes_on = ended_alert(drawn_alert(0)), drawn_alert(1)
    folder = Path("evidence") / over.camera
    folder.mkdir(parents=True)
    for alert in (over, goes_on):
        for ending in ("jpg", "mp4", "json", "npz"):
            (folder / f"{alert.id}.{ending}").touch()
    with Outbox(PATH) as outbox:
        outbox.put(over)
        outbox.put(goes_on)
        assert delete_old_alerts(outbox, 1.0, Path("evidence")) == 0
        assert len(list(folder.iterdir())) == 8
        assert delete_old_alerts(outbox, 0.0, Path("evidence")) == 1
        assert {path.stem for path in folder.iterdir()} == {goes_on.id}
        assert [stored.alert for stored in outbox.newest(9)] == [goes_on]
        assert delete_old_alerts(outbox, 0.0, Path("gone")) == 0


def test_the_clip_of_a_recording_goes_by_its_own_name() -> None:
    folder = Path("evidence/gate/clips")
    folder.mkdir(parents=True)
    for name in ("gate-i3d-1.mp4", "gate-i3d-1.npz", "gate-i3d-10.mp4"):
        (folder / name).touch()
    with Outbox(Path("outbox.sqlite")) as outbox:
        outbox.put(revise(ended_alert(drawn_alert(0)), clip="gate/clips/gate-i3d-1.mp4"))
        assert delete_old_alerts(outbox, 0.0, Path("evidence")) == 1
    assert [path.name for path in folder.iterdir()] == ["gate-i3d-10.mp4"]
