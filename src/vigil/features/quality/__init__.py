"""Quality: how good boxes, landmarks and flow are where the truth is known. Imported by stage `check`."""
