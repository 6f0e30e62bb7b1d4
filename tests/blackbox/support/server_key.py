"""server_key - reads the key that signs tokens from the database."""

import json

from support.api import Api
from support.sealed import private_key
from support.stack import Stack
from support.stores import rows
from support.tokens import Forge, pem_of, unb64


def server_key(stack: Stack, kid: str):
    (sealed,), = rows(stack, f"SELECT private_sealed FROM signing_keys WHERE kid = '{kid}'",
                      name="identity")
    return private_key(stack.settings, kid, sealed)


def forge_with_server_key(stack: Stack, api: Api) -> Forge:
    """A forge whose tokens identity accepts."""
    token = api.register().token
    kid = json.loads(unb64(token.split(".")[0]))["kid"]
    private = server_key(stack, kid)
    return Forge(token, private, pem_of(private))
