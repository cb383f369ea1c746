"""Training: fits any model: batches, schedules, validation, history, devices.

Imports core and models. Start with fit.py.
"""
