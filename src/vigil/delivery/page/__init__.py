"""The live page: all cameras and alerts in a browser, and the same as JSON and for Prometheus. Start with app.py."""
