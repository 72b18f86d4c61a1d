"""Floor 0: what the office means; pure, without I/O, clock or configuration."""
