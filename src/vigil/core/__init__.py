"""Core: what every room needs and nothing more: errors, params.yaml as checked records, files written whole.

Imported by everybody; imports nothing of vigil. Start with errors.py and params.py.
"""
