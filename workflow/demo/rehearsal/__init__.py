"""A quarter before it starts: the workspace's own roster, the real process, simulated people, in a temporary copy."""
