"""Segments: what one person did in some seconds, scaled and labelled. Start with segments.py."""
