"""sealed - opens the signing keys of the database, as common/io/seal.h describes them."""

from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

VERSION, NONCE = 1, 12


def pem_of_row(secret: str, kid: str, sealed: bytes) -> bytes:
    """Raises InvalidTag with another secret or kid."""
    assert sealed[0] == VERSION
    key = HKDF(SHA256(), 32, None, b"parley signing keys").derive(secret.encode())
    return AESGCM(key).decrypt(sealed[1:1 + NONCE], sealed[1 + NONCE:], kid.encode())


def secret_of(settings: dict[str, str]) -> str:
    return Path(settings["IDENTITY_KEY_SECRET_FILE"]).read_text("ascii").removesuffix("\n")


def private_key(settings: dict[str, str], kid: str, sealed: bytes) -> RSAPrivateKey:
    pem = pem_of_row(secret_of(settings), kid, sealed)
    return serialization.load_pem_private_key(pem, None)
