"""Health: what is wrong with the picture of a camera. Pure functions of frames with a small state; see monitor.py."""
