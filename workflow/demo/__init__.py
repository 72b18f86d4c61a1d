"""Floor 3: embedded mail servers and simulated units, for the demo and for rehearsals."""
