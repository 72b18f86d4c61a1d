"""Older text documents (.doc, .wps) made into .docx by LibreOffice, where it is installed, in a process with limits.

Nothing in a document is run and nothing is fetched: macros are off and so are links, whatever the document asks for.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path

_PROGRAMS = ("soffice", "libreoffice")
_SECURE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="DisableMacrosExecution" oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="BlockUntrustedRefererLinks" oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="MacroSecurityLevel" oor:op="fuse"><value>3</value></prop></item>
</oor:items>
"""
#: Sets its own limits, then becomes LibreOffice: processor seconds, address space, no core, files of at most 100 MB.
_LIMITED = (
    "import os, resource, sys\n"
    "seconds, memory = int(sys.argv[1]), int(sys.argv[2]) << 20\n"
    "resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))\n"
    "resource.setrlimit(resource.RLIMIT_AS, (memory, memory))\n"
    "resource.setrlimit(resource.RLIMIT_CORE, (0, 0))\n"
    "resource.setrlimit(resource.RLIMIT_FSIZE, (100 << 20, 100 << 20))\n"
    "os.execvp(sys.argv[3], sys.argv[3:])\n"
)
_MOST_BYTES = 20_000_000


@dataclass(frozen=True)
class Converter:
    """LibreOffice without its windows; `seconds` and `memory_mb` bound one document."""

    seconds: int = 60
    memory_mb: int = 6000
    _serving: threading.Lock = field(default_factory=threading.Lock, compare=False)

    @staticmethod
    def program() -> str:
        """Where LibreOffice is, '' where it is not installed."""
        return next((found for name in _PROGRAMS if (found := shutil.which(name))), "")

    def to_docx(self, data: bytes, name: str) -> bytes | None:
        """The document as .docx; None where LibreOffice is not installed or can't make one of it in time."""
        program = self.program()
        if not program or len(data) > _MOST_BYTES:
            return None
        ending = Path(name).suffix.lower()
        with self._serving, tempfile.TemporaryDirectory(prefix="huizhi-") as place:
            folder = Path(place)
            # WPS writes Word's format under its own ending, which LibreOffice takes for that of MS Works.
            source = folder / ("document.doc" if ending not in {".doc", ".dot"} else f"document{ending}")
            source.write_bytes(data)
            profile = folder / "profile"
            (profile / "user").mkdir(parents=True)
            (profile / "user" / "registrymodifications.xcu").write_text(_SECURE, encoding="utf-8")
            self._run(program, profile, source, folder / "made")
            made = folder / "made" / "document.docx"
            return made.read_bytes() if made.is_file() else None

    def _run(self, program: str, profile: Path, source: Path, target: Path) -> None:
        arguments = [
            *(sys.executable, "-I", "-c", _LIMITED, str(self.seconds), str(self.memory_mb), program),
            *(f"-env:UserInstallation={profile.as_uri()}", "--headless", "--norestore", "--nolockcheck"),
            *("--convert-to", "docx:MS Word 2007 XML", "--outdir", str(target), str(source)),
        ]
        process = subprocess.Popen(  # noqa: S603 — our own arguments and LibreOffice
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            process.wait(self.seconds)
        except subprocess.TimeoutExpired:
            # LibreOffice starts a process of its own, which would go on.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
