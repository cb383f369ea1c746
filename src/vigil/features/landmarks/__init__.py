"""Landmarks: 13 joints of everybody, followed from frame to frame. Start with estimators.py and pose_table.py."""
