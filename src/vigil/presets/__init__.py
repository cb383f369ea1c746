"""Presets: partial parameter files that `vigil init` lays over params.yaml, and the guide that it leaves.

There is no code, and nobody but `cli` reads them. By what the data are: sample, own_folder, frame_folders,
playlist, fights, ucf_crime, landmarks. By the size of the networks: light, published, strong, and i3d-debug, i3d-fight
and i3d-violence. Start reading with own_folder.yaml.
"""
