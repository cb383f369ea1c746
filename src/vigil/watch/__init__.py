"""Watch: sources in, alerts out: what `vigil detect` does with recordings and with cameras.

Imports capture, detect, evidence, delivery and what lies below; cli imports it. Start with recordings.py and
cameras.py.
"""
