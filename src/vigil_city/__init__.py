"""A little city drawn from nothing: cameras, bodies, places, acts. Yields frames and the truth about them.

Knows nothing of vigil, which writes what it yields down as the sample dataset. Start with plan.py and reel.py.
"""
