"""with_stack COMMAND... - runs a command while a stack of its own is up.

The command gets the servers' addresses in its environment (Stack.server_env)
and PARLEY_URL. Our exit code is its own.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

from support import reports
from support.stack import Stack


def main(command: list[str]) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    reports.start()
    stack = Stack(Path(command[0]).name)
    try:
        stack.up()
        code = subprocess.run(command, env=os.environ | stack.server_env()).returncode
    finally:
        stack.down()
    reports.check(stack.build)
    return code


sys.exit(main(sys.argv[1:]))
