#!/usr/bin/env python3
"""Runs the metrics server: set-up, then `chainbeasts metrics serve` with the arguments.

Any Python starts it: METRICS_PORT, --port, --host and --history are read by what it becomes.
"""

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def main() -> int:
    """Become the server; the exit code if the set-up fails."""
    done = subprocess.call([os.path.join(HERE, "setup")])
    if done == 0:
        binary = os.path.join(HERE, "..", ".venv", "bin", "chainbeasts")
        os.execv(binary, [binary, "metrics", "serve", *sys.argv[1:]])
    return done


if __name__ == "__main__":
    sys.exit(main())
