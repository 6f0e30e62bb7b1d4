"""short_tokens SECONDS COMMAND... - runs a command on the stack of support.with_stack, with an
identity-service of its own whose access tokens live that long.

SHORT_TOKENS_URL names an nginx before it, SHORT_TOKENS_S is the life of the tokens. The other services
are those of the stack, but for a gateway of its own.
"""

import os
import subprocess
import sys

from support.own_nginx import OwnNginx
from support.service import Service
from support.with_stack import test_stack


def main() -> int:
    seconds, *command = sys.argv[1:]
    with test_stack("short-tokens") as stack, \
            Service(stack, "identity-service", IDENTITY_TOKEN_TTL=seconds) as identity, \
            Service(stack, "websocket-service", IDENTITY_URL=identity.url) as gateway, \
            OwnNginx(stack, gateway, identity) as nginx:
        own = {"SHORT_TOKENS_URL": nginx.url, "SHORT_TOKENS_S": seconds}
        return subprocess.run(command, env=os.environ | own).returncode


sys.exit(main())
