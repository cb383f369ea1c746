"""The targets that a user has named, checked before anything is sent."""

from collections.abc import Sequence
from pathlib import Path

from vigil.core.errors import VigilError
from vigil.delivery import mqtt, webhook
from vigil.delivery.addresses import read_secret, short_name, split_url
from vigil.delivery.alert_file import AlertFile
from vigil.delivery.mqtt import Mqtt, read_login
from vigil.delivery.target import Target
from vigil.delivery.webhook import SECRET_VARIABLE, Webhook


def name_target(address: str) -> str | None:
    """The name in the outbox of the target at an address of a webhook or of a broker; None of anything else."""
    kinds = (("webhook", webhook.PORTS), ("mqtt", mqtt.PORTS))
    for kind, ports in kinds:
        if address.partition("://")[0] in ports:
            return short_name(kind, split_url(address, ports, f"--{kind}"))
    return None


def make_targets(
    files: Sequence[Path] = (),
    webhooks: Sequence[str] = (),
    brokers: Sequence[str] = (),
    *,
    webhook_secret_file: Path | None = None,
    mqtt_login_file: Path | None = None,
    mqtt_ca_file: Path | None = None,
) -> list[Target]:
    """Returns all targets; VigilError where one can never work or two are the same."""
    secret = read_secret(SECRET_VARIABLE, webhook_secret_file) if webhooks else None
    user, password = read_login(mqtt_login_file) if brokers else (None, None)
    targets: list[Target] = [
        *(AlertFile(path) for path in files),
        *(Webhook(url, secret) for url in webhooks),
        *(Mqtt(address, user, password, mqtt_ca_file) for address in brokers),
    ]
    names = [target.name for target in targets]
    if doubled := next((name for name in names if names.count(name) > 1), None):
        raise VigilError(f"{doubled}: named as an output twice. Name each output once.")
    for target in targets:
        target.check()
    return targets
