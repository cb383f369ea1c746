"""Report: the page, the plots and the tables that say what was found. Imports evaluation. Start with page.py."""
