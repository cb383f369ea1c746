"""Evidence: what is written and drawn of a source that a detector has looked at.

Imports detect, judging, statistics, features, footage and core; watch imports it. Start with recording.py, which
gathers what a detector says; the others draw it.
"""
