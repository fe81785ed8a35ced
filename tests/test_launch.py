"""`make run` ends what it started, gently."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

# A worker as django-q's: a first process, and one of its group that does the work.
WORKER = """
import os, signal, sys, time
says, child = sys.argv[1], os.fork()
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
if child == 0:
    def asked(*_):
        open(says, "a").write("child asked ")
        os._exit(0)
    signal.signal(signal.SIGTERM, asked)
    while os.getppid() != 1 and not os.path.exists(says + ".end"):
        time.sleep(0.05)
    os._exit(0)
try:
    open(says + ".ready", "w").close()
    time.sleep(60)
finally:
    open(says + ".end", "w").close()
    os.waitpid(child, 0)
    open(says, "a").write("ended")
"""

LAUNCH = """
import sys
from billing_portal.launch import Together
processes = Together()
processes.add_process("worker", "exec " + sys.argv[1], quiet=True)
processes.loop()
"""


def test_only_the_first_process_of_each_is_asked_to_end(tmp_path):
    """A worker whose own processes are ended with it waits for them for ever."""
    says, script = tmp_path / "says", tmp_path / "worker.py"
    script.write_text(WORKER)
    command = f"{sys.executable} {script} {says}"
    launched = subprocess.Popen(
        [sys.executable, "-c", LAUNCH, command], cwd=Path(__file__).parent.parent
    )
    until = time.monotonic() + 30
    while not Path(f"{says}.ready").exists() and time.monotonic() < until:
        time.sleep(0.05)
    launched.terminate()
    launched.wait(20)
    assert says.read_text() == "ended"
