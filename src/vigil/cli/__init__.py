"""CLI: `vigil COMMAND`, one module per command that needs more than arguments.

Imports every room; imported by none. Start with main.py.
"""
