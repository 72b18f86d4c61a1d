"""Scans of 负责人回执表 made for tests and the benchmark: the printed form filled in, sealed, scanned or photographed."""
