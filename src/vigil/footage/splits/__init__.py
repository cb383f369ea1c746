"""Splits: which source is trained on and which is tested on, what leaks between them, and the dataset card.

Imported by stage `manifest`. Start with assignment.py.
"""
