"""Persons: where people are: YOLO, its training data and its training by Ultralytics. Start with detector.py."""
