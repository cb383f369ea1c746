"""What a camera makes of a scene: projection, shading, fire and smoke, noise, and the truth about each frame.

Start with camera.py and raster.py. Knows parts and places, no acts.
"""
