"""Floor 2: one verb of the office a module; adapters arrive as arguments."""
