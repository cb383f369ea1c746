"""Report: the page, the plots and the tables that say what was found.

Imports evaluation, features, footage, statistics and core; stages and cli import it. Start with page.py.
"""
