"""server_key - reads the key that signs tokens from the database."""

import json

from cryptography.hazmat.primitives import serialization

from support.api import Api
from support.stack import Stack
from support.stores import rows
from support.tokens import Forge, pem_of, unb64


def server_key(stack: Stack, kid: str):
    """A forge with the server's private key: its signatures are valid."""
    columns = [column for column, in rows(
        stack, "SELECT column_name FROM information_schema.columns"
               " WHERE table_schema = %s AND table_name = 'signing_keys'",
        (stack.settings.get("IDENTITY_DATABASE", "identity"),), name="identity")]
    for row in rows(stack, f"SELECT {', '.join(columns)} FROM signing_keys", name="identity"):
        for value in row:
            text = value if isinstance(value, bytes) else str(value).encode()
            if b"PRIVATE KEY" in text and kid in [str(cell) for cell in row]:
                return serialization.load_pem_private_key(text, None)
    raise AssertionError(f"no key {kid} in signing_keys({', '.join(columns)})")


def forge_with_server_key(stack: Stack, api: Api) -> Forge:
    """A forge whose tokens identity accepts."""
    token = api.register().token
    kid = json.loads(unb64(token.split(".")[0]))["kid"]
    private = server_key(stack, kid)
    return Forge(token, private, pem_of(private))
