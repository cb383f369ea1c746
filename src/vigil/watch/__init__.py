"""Watch: sources in, alerts out: what `vigil detect` does with recordings and with cameras.

Brings capture, detect, evidence and delivery together. Start with recordings.py and cameras.py.
"""
