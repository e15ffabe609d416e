"""The tests run in an environment of nobody in particular: what a CI service sets would change what
gradspec prints."""

from __future__ import annotations

import os
import signal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # started in the background by a shell: what the tests start would ignore an interrupt too
    signal.signal(signal.SIGINT, signal.default_int_handler)

for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE", "GITHUB_BASE_REF"):
    os.environ.pop(name, None)
