"""Where things happen: shops, streets, lobbies and what stands in them, from bins to cars.

Start with place.py (the records) and kinds.py (how each kind of place is laid out).
"""
