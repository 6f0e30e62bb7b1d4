"""tight_limits COMMAND... - runs a command on the stack of support.with_stack, with an identity-service
of its own whose access tokens live for a few seconds, and a gateway of its own that takes few frames a
second of a user.

TIGHT_URL names an nginx before the two, TIGHT_TOKENS_S is the life of the tokens. The other services are
those of the stack.
"""

import os
import subprocess
import sys

from support.own_nginx import OwnNginx
from support.service import Service
from support.with_stack import test_stack

TOKENS_S = "6"
RATE = {"WEBSOCKET_USER_RATE": "50", "WEBSOCKET_USER_BURST": "100"}


def main() -> int:
    with test_stack("tight-limits") as stack, \
            Service(stack, "identity-service", IDENTITY_TOKEN_TTL=TOKENS_S) as identity, \
            Service(stack, "websocket-service", IDENTITY_URL=identity.url, **RATE) as gateway, \
            OwnNginx(stack, gateway, identity) as nginx:
        own = {"TIGHT_URL": nginx.url, "TIGHT_TOKENS_S": TOKENS_S}
        return subprocess.run(sys.argv[1:], env=os.environ | own).returncode


sys.exit(main())
