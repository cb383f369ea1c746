"""Presets: partial parameter files that `vigil init` lays over params.yaml, and the guide that it leaves.

There is no code, and nobody but `cli` reads them. By what the data are: sample, own_folder, fights, ucf_crime,
landmarks. By the size of the networks: light, published, strong. Start reading with own_folder.yaml.
"""
