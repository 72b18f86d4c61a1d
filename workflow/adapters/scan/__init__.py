"""Scans of the 负责人回执表: pages out of PDF, pictures and documents, whose they are, and what stands in their cells."""
