"""What people do: normal life, crowds and crimes, each a function from a place and a seed to a Script.

Start with staging.py (who comes, stands, leaves); the tables of all acts are in catalogue.py.
"""
