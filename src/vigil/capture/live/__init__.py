"""Cameras: what has no end is captured by a process of its own, and shared memory. Start with camera.py."""
