"""Floor 1: one module or folder for each outside thing; adapters never import each other."""
