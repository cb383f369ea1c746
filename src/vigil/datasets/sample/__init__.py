"""A dataset drawn from nothing: surveillance cameras, the people before them, and the truth about both."""
