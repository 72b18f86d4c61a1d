"""Real servers for the tests: private, on loopback, on free ports, stopped by whoever started them."""
