"""Listing: what kinds of dataset share: annotations, digests, safe names, pointers to a user's files, downloads.

Imported by footage.datasets. Start with records.py.
"""
