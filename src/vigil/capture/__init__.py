"""Capture: from what a user names (files, folders, cameras, pages, standard input) to frames with times, and events.

    sources = expand_sources(["shop.mp4", "yard/", "rtsp://door/1"])   sources.py: what the words mean
    source = look_up(source)                                           addresses.py: what an http address serves
    for view in open_recording(source): ...                            recordings.py: has an end; every frame comes
    with Camera(source) as camera: camera.read(timeout_s=1)            live/camera.py: has none; the newest frame wins

A recording gives the frames that the pipeline's stages see. A camera is captured by a process of its own, which may
hang, crash or be killed: it is started again, and nothing is lost but what was not captured. Imports core, engine
and footage; watch imports it. Start with frames.py.
"""
