"""Trained models as ONNX: export.py writes and checks them, networks.py runs them in the place of torch's."""
