"""Statistics: score table, rankings, the alert rule, events, reliability, intervals: arithmetic on scores and truth.

Imports core; judging, evaluation, report, detect, evidence, stages and cli import it. Start with scores.py.
"""
