"""node - runs a script of tests/node on the packages that mk/check.mk has installed from npm."""

import os
import subprocess
import sys
from pathlib import Path

from support.stack import ROOT
from support.wait import HANG_S

# A module that comes on stdin finds its packages from the working directory.
PACKAGES = Path(sys.prefix) / "node"


def run_node(script: str, **settings: str) -> None:
    """Fails with what the script has printed."""
    done = subprocess.run(
        [Path(sys.prefix) / "bin" / "node", "--input-type=module", "-"],
        input=(ROOT / "tests" / "node" / script).read_text("utf-8"), cwd=PACKAGES, text=True,
        env={"PATH": os.environ["PATH"]} | settings, capture_output=True, timeout=HANG_S)
    assert done.returncode == 0, done.stdout + done.stderr
