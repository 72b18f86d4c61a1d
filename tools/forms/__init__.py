"""The contents and the looks of the four shipped forms; `tools/author_forms.py` writes them as workbooks."""
