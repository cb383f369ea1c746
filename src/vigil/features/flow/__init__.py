"""Flow: dense optical flow, the heatmap of people, and how people usually move where. Start with dense.py."""
