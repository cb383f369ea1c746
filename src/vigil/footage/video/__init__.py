"""Video: decoding with exact timestamps, writing for browsers, damage, folders of images. Start with reading.py."""
