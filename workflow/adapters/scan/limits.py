"""How much of a file is looked at: what is larger is refused by what it declares, before it is unpacked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """`pages` of one file, `pixels` of one picture as declared, `longest` side in pixels that is worked on.

    `seconds` bound one page, `file_seconds` all of a file and `memory_mb` the address space of the process that reads; these
    are the worker's to hold.
    An A4 page at 600 dpi has 35 million pixels; 300 dpi is enough to read.
    """

    pages: int = 60
    pixels: int = 55_000_000
    longest: int = 3508
    seconds: float = 60.0
    file_seconds: float = 600.0
    memory_mb: int = 3000
    #: The unpacked bytes of one picture in a document.
    part_bytes: int = 64_000_000
