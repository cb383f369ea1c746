"""From an alert to whoever must know: the outbox, what is fed from it, and the live page.

An alert is written to the outbox, a SQLite database, before anything is sent. Webhooks, MQTT and files are fed from
there, each by a thread of its own: at least once, and in order for each camera. Receivers tell what they know already
by `id` and `revision`. Imports core; watch and cli import it. Start with alert.py, outbox.py and courier.py; page/ is
the live page.
"""
