"""Workbooks: forms compiled, copies stamped, returns read and annotated, consolidated books written."""
