"""Footage: from cameras, folders and the web to one table of videos with leak-free splits.

Imports core and engine, and vigil_city for the sample; all rooms but models, statistics, training, delivery and engine
import it. Start with video_table.py (what a video is) and sources.py (where they come from).
"""
