"""`python -m workflow` is `huizhi`."""

from __future__ import annotations

import sys

from workflow.cli import main

sys.exit(main())
