"""Training: fits any model: batches, schedules, validation, history, devices.

Imports core and models; evaluation, stages and cli import it. Start with fit.py.
"""
