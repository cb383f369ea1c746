"""Statistics: score table, rankings, the alert rule, events, reliability, intervals: arithmetic on scores and truth.

Imports core. Used by judging, evaluation and report. Start with scores.py.
"""
