"""CLI: `vigil COMMAND`, a file for each command, and what `evaluate` and `calibrate` do with a user's own videos.

Imports every room; imported by none. Start with main.py; the way of a video is own_videos.py, then workspace.py.
"""
