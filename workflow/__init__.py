"""回执 (Huizhi): one workbook from every unit of a province, collected by e-mail alone."""

__version__ = "0.1.0"
