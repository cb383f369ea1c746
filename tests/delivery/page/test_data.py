"""What programs get: alerts, status, metrics, health, evidence."""

import json
import socket
import time
from pathlib import Path

import pytest
from alert_feed import drawn_alert, ended_alert, revisions
from page_site import Site
from prometheus_client.parser import text_string_to_metric_families

from vigil.core.errors import VigilError
from vigil.delivery.alert import read_alert
from vigil.delivery.page.server import PageServer


def walk_back(site: Site, query: str) -> list[dict]:
    """All pages of /alerts, from the newest."""
    entries, following = [], ""
    while True:
        page = site.client.get(f"/alerts?{query}{following}").json()
        entries += page["alerts"]
        if page["next"] is None or not page["alerts"]:
            return entries
        following = f"&before={page['next']}"


def test_a_program_that_asks_again_and_again_gets_every_revision_once_in_order(site: Site) -> None:
    alerts = list(revisions(7, 2))
    for alert in alerts[:9]:
        site.outbox.put(alert)
    got, since = [], 0
    for _ in range(10):
        page = site.client.get(f"/alerts?since={since}&limit=4").json()
        got, since = got + page["alerts"], page["next"]
        if len(got) == 9:
            for alert in alerts[9:]:
                site.outbox.put(alert)
    assert [read_alert(json.dumps(entry["alert"]), "page") for entry in got] == alerts
    assert since == got[-1]["seq"] == len(alerts)


def test_pages_go_back_from_the_newest_with_each_alert_once(site: Site) -> None:
    for alert in revisions(7, 2):
        site.outbox.put(alert)
    entries = walk_back(site, "limit=3")
    assert [entry["alert"]["id"] for entry in entries] == [
        drawn_alert(n, f"camera {n % 2}").id for n in range(6, -1, -1)
    ]
    assert all(entry["alert"]["revision"] == 2 for entry in entries)
    of_camera = walk_back(site, "limit=2&camera=camera 1")
    assert [entry["alert"]["camera"] for entry in of_camera] == ["camera 1"] * 3


@pytest.mark.parametrize("query", ["since=1&before=2", "limit=0", "limit=501", "since=-1", "since=yesterday"])
def test_a_wrong_question_is_answered_with_what_is_wrong(site: Site, query: str) -> None:
    answer = site.client.get(f"/alerts?{query}")
    assert answer.status_code == 422
    assert answer.json()["detail"]


def test_the_status_says_how_cameras_and_targets_fare(site: Site) -> None:
    site.outbox.put(drawn_alert(0))
    status = site.client.get("/status").json()
    assert [camera["name"] for camera in status["cameras"]] == ["gate", "yard"]
    reading = {"detector": "i3d", "score": 0.4, "p": 0.3, "threshold": 0.8, "threshold_p": 0.6}
    assert status["cameras"][0]["readings"][0] == reading
    assert status["targets"][0]["waiting"] == 1
    assert status["open_alerts"] == [{"id": drawn_alert(0).id, "camera": "gate", "label": "fight"}]
    assert status["problems"] == []
    site.outbox.put(ended_alert(drawn_alert(0)))
    assert site.client.get("/status").json()["open_alerts"] == []


def test_prometheus_reads_the_metrics(site: Site) -> None:
    for alert in revisions(3, 1):
        site.outbox.put(alert)
    (delivery, *_) = site.outbox.deliveries.due("file somewhere", time.time(), 9)
    site.outbox.deliveries.mark_delivered(delivery, time.time())
    answer = site.client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert samples["vigil_camera_live", "gate"] == 1
    assert samples["vigil_camera_lag_seconds", "yard"] == 0.25
    assert samples["vigil_detector_score", "gate", "i3d"] == 0.4
    assert ("vigil_detector_score", "gate", "panic") not in samples, "a detector that has seen too little has none"
    assert samples["vigil_alerts_total", "camera 0", "fight"] == 3
    assert samples[("vigil_alerts_open",)] == 0
    assert samples["vigil_deliveries_waiting", "file somewhere"] == 5
    assert samples["vigil_deliveries_total", "file somewhere"] == 1
    assert samples["vigil_target_failing_seconds", "file somewhere"] == 0


def test_health_is_about_vigil_and_not_about_its_cameras(site: Site) -> None:
    site.cameras = []
    assert (site.client.get("/healthz").status_code, site.client.get("/healthz").text) == (200, "well\n")
    site.problems = ["webhook example.org: nothing is sent any more"]
    assert site.client.get("/healthz").status_code == 503
    assert "nothing is sent" in site.client.get("/healthz").text
    site.problems = []
    site.outbox.close()
    assert site.client.get("/healthz").status_code == 503
    answer = site.client.get("/alerts")
    assert answer.status_code == 503
    assert "the outbox cannot be used" in answer.json()["detail"]


def test_evidence_is_sent_whole_and_in_ranges(site: Site) -> None:
    (site.evidence / "gate").mkdir()
    (site.evidence / "gate/1 a.mp4").write_bytes(bytes(range(200)))
    whole = site.client.get("/evidence/gate/1%20a.mp4")
    assert (whole.content, whole.headers["content-type"]) == (bytes(range(200)), "video/mp4")
    part = site.client.get("/evidence/gate/1%20a.mp4", headers={"range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, bytes(range(10, 20)))


def test_nothing_outside_the_evidence_folder_is_sent(site: Site, tmp_path: Path) -> None:
    (tmp_path / "secret.jpg").write_text("secret")
    (tmp_path / "evidence-other").mkdir()
    (tmp_path / "evidence-other/secret.jpg").write_text("secret")
    (site.evidence / "notes.txt").write_text("secret")
    (site.evidence / "folder.jpg").mkdir()
    (site.evidence / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    (site.evidence / "up").symlink_to(tmp_path)
    outside = str(tmp_path / "secret.jpg")
    for path in (
        "../secret.jpg", "%2e%2e/secret.jpg", "..%2fsecret.jpg", "x/../../secret.jpg", outside, f"/{outside}",
        "../evidence-other/secret.jpg", "link.jpg", "up/secret.jpg", "notes.txt", "folder.jpg", "none.jpg", "", ".",
        "a%00.jpg", "a" * 5000 + ".jpg", "..%5csecret.jpg", "../outbox.sqlite",
    ):  # fmt: skip
        port = int(site.server.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as raw:  # a client of its own would tidy the path
            raw.sendall(f"GET /evidence/{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
            answer = b"".join(iter(lambda: raw.recv(65536), b""))
        assert answer.split()[1] in {b"404", b"400"}, path
        assert b"\r\n\r\nsecret" not in answer, path


def test_a_port_that_is_taken_is_one_line(site: Site) -> None:
    port = int(site.server.url.rpartition(":")[2])
    with pytest.raises(VigilError, match=rf"--serve 127.0.0.1:{port}: cannot listen there: Address already in use"):
        PageServer(site.server._server.config.app, "127.0.0.1", port)
    with pytest.raises(VigilError, match=r"--serve 127\.0\.0\.1:99999: no port"):
        PageServer(site.server._server.config.app, "127.0.0.1", 99999)
    with pytest.raises(VigilError, match=r"--serve no\.such\.host.invalid:80: cannot listen there"):
        PageServer(site.server._server.config.app, "no.such.host.invalid", 80)
