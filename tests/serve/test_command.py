"""`groundstate serve --http`: a process that serves plain HTTP until Ctrl-C."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import urllib.request

COMMAND = [sys.executable, "-m", "groundstate.cli", "serve", "--http", "sudoku_4x4", "--port", "0"]


def test_a_process_serves_until_it_is_interrupted() -> None:
    with subprocess.Popen(COMMAND, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        found = re.search(r"plain HTTP at (http://127\.0\.0\.1:\d+)\.", line)
        assert found is not None, line
        with urllib.request.urlopen(f"{found[1]}/health") as reply:
            assert json.load(reply)["models"] == ["sudoku_4x4"]
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
