"""docs/alerts.md against the code: the record, the paths, the metrics, the names of secrets."""

import json
import re
from pathlib import Path

import pytest
from page_site import snapshot
from prometheus_client.parser import text_string_to_metric_families

from vigil.delivery.alert import Alert, DetectorScore, alert_json, read_alert
from vigil.delivery.mqtt import PASSWORD_VARIABLE, USER_VARIABLE
from vigil.delivery.outbox import Outbox
from vigil.delivery.page.access import TOKEN_VARIABLE, Access
from vigil.delivery.page.app import make_app
from vigil.delivery.page.metrics import metrics_text
from vigil.delivery.webhook import SECRET_VARIABLE


@pytest.fixture
def document(project: Path) -> str:
    return (project / "docs/alerts.md").read_text(encoding="utf-8")


def test_the_record_in_the_document_is_an_alert_with_all_fields(document: str) -> None:
    (block,) = re.findall(r"```json\n(.*?)```", document, re.DOTALL)
    alert = read_alert(block, "the document")
    assert json.loads(alert_json(alert)) == json.loads(block)
    assert json.loads(block).keys() == Alert.model_fields.keys()
    assert json.loads(block)["detectors"][0].keys() == DetectorScore.model_fields.keys()


def test_every_path_of_the_page_is_named(document: str, tmp_path: Path) -> None:
    with Outbox(Path("outbox.sqlite")) as outbox:
        app = make_app(outbox, tuple, tmp_path, Access("localhost", None))
    paths = {getattr(route, "path", "") for route in app.routes} - {"/static"}
    assert len(paths) > 8
    for path in paths:
        assert f"`{path.replace('{path:path}', '<path>')}`" in document, path


def test_every_metric_is_named_and_no_other(document: str) -> None:
    with Outbox(Path("outbox.sqlite"), ["t"]) as outbox:
        outbox.put(read_alert(re.findall(r"```json\n(.*?)```", document, re.DOTALL)[0], "the document"))
        text = metrics_text(outbox, lambda: [snapshot("gate", 1)]).decode()
    families = text_string_to_metric_families(text)
    names = {sample.name for family in families for sample in family.samples if not sample.name.endswith("_created")}
    assert names == set(re.findall(r"`(vigil_\w+)`", document))


@pytest.mark.parametrize("name", [SECRET_VARIABLE, USER_VARIABLE, PASSWORD_VARIABLE, TOKEN_VARIABLE])
def test_every_secret_has_its_name_in_the_document(document: str, name: str) -> None:
    assert f"`{name}`" in document
