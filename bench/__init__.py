"""Measurements against peers on the same replies: `python -m bench`, which `make bench` calls."""
