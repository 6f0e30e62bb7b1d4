"""tokens - forged tokens, each made from a valid one by one change."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass

import jwt
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def compact(value: dict) -> str:
    return b64(json.dumps(value, separators=(",", ":")).encode())


@dataclass
class Forge:
    """What an attacker can do with a token, or even with the server's keys."""
    good: str
    private: rsa.RSAPrivateKey  # the server's key: only for tokens that the server must refuse
    public_pem: bytes

    def __post_init__(self) -> None:
        self.head_text, self.body_text, self.signature = self.good.split(".")
        self.head = json.loads(unb64(self.head_text))
        self.body = json.loads(unb64(self.body_text))
        self.stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    # --- signing ---------------------------------------------------------------
    def rs256(self, signed: str, key: rsa.RSAPrivateKey | None = None) -> str:
        signature = (key or self.private).sign(signed.encode(), padding.PKCS1v15(),
                                               hashes.SHA256())
        return f"{signed}.{b64(signature)}"

    def signed(self, head: dict | None = None, body: dict | None = None, **body_changes) -> str:
        """Validly signed with the server's key; ... removes a claim."""
        claims = (self.body if body is None else body) | body_changes
        claims = {name: value for name, value in claims.items() if value is not ...}
        return self.rs256(f"{compact(self.head | (head or {}))}.{compact(claims)}")

    def signed_raw(self, head_text: str | None = None, body_text: str | None = None) -> str:
        """The same, from JSON text."""
        head = b64(head_text.encode()) if head_text else self.head_text
        body = b64(body_text.encode()) if body_text else self.body_text
        return self.rs256(f"{head}.{body}")

    def hmac_signed(self, secret: bytes, alg: str = "HS256", **head) -> str:
        digest = {"HS256": hashlib.sha256, "HS384": hashlib.sha384,
                  "HS512": hashlib.sha512}[alg]
        text = f"{compact(self.head | {'alg': alg} | head)}.{self.body_text}"
        return f"{text}.{b64(hmac.new(secret, text.encode(), digest).digest())}"

    def unsigned(self, alg: str, signature: str = "") -> str:
        return f"{compact(self.head | {'alg': alg})}.{self.body_text}.{signature}"

    def by_pyjwt(self, alg: str, key, **head) -> str:
        return jwt.encode(self.body, key, algorithm=alg, headers=self.head | {"alg": alg} | head)


def flipped(text: str, at: int) -> str:
    return text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1:]


def other_tail_bits(text: str) -> str:
    """The same bytes in base64 with unused bits set."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + alphabet[alphabet.index(text[-1]) ^ 1]


def with_member_twice(value: dict, name: str, text: str) -> str:
    whole = json.dumps(value)
    return f'{whole[:-1]}, "{name}": {text}}}'


def pem_of(key: rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.PEM,
                                         serialization.PublicFormat.SubjectPublicKeyInfo)


def pkcs1_of(key: rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.PEM,
                                         serialization.PublicFormat.PKCS1)


def der_of(key: rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.DER,
                                         serialization.PublicFormat.SubjectPublicKeyInfo)


def jwk_of(key: rsa.RSAPrivateKey) -> dict:
    return json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))


FORGERIES: dict[str, Callable[[Forge], str]] = {
    # no signature at all
    **{f"alg {alg}": (lambda f, alg=alg: f.unsigned(alg))
       for alg in ("none", "None", "NONE", "nOnE", "")},
    "alg none, old signature": lambda f: f.unsigned("none", f.signature),
    "alg none without the last dot": lambda f: f.unsigned("none")[:-1],
    "empty signature": lambda f: f"{f.head_text}.{f.body_text}.",
    "no alg": lambda f: f.rs256(
        f"{compact({k: v for k, v in f.head.items() if k != 'alg'})}.{f.body_text}"),
    "alg a number": lambda f: f.signed(head={"alg": 256}),
    "alg null": lambda f: f.signed(head={"alg": None}),
    "alg a list": lambda f: f.signed(head={"alg": ["RS256"]}),
    "alg in small letters": lambda f: f.signed(head={"alg": "rs256"}),
    # the public key as an HMAC secret
    "HS256 with our public key": lambda f: f.hmac_signed(f.public_pem),
    "HS256 with our public key, trimmed": lambda f: f.hmac_signed(f.public_pem.strip()),
    "HS256 with our public key in DER": lambda f: f.hmac_signed(der_of(f.private)),
    "HS256 with our public key in PKCS 1": lambda f: f.hmac_signed(pkcs1_of(f.private)),
    "HS384 with our public key": lambda f: f.hmac_signed(f.public_pem, "HS384"),
    "HS512 with our public key": lambda f: f.hmac_signed(f.public_pem, "HS512"),
    "HS256 with an empty secret": lambda f: f.hmac_signed(b""),
    "HS256 signature under alg RS256": lambda f: f.hmac_signed(f.public_pem, alg="HS256",
                                                               ).replace(
        compact(f.head | {"alg": "HS256"}), f.head_text),
    # another algorithm or key
    "RS384 with our key": lambda f: f.by_pyjwt("RS384", f.private),
    "RS512 with our key": lambda f: f.by_pyjwt("RS512", f.private),
    "PS256 with our key": lambda f: f.by_pyjwt("PS256", f.private),
    "ES256 with a strange key": lambda f: f.by_pyjwt("ES256", ec.generate_private_key(
        ec.SECP256R1())),
    "a strange key": lambda f: f.rs256(f"{f.head_text}.{f.body_text}", f.stranger),
    "jwk in the header": lambda f: f.rs256(
        f"{compact(f.head | {'jwk': jwk_of(f.stranger)})}.{f.body_text}", f.stranger),
    "jku in the header": lambda f: f.rs256(
        f"{compact(f.head | {'jku': 'http://127.0.0.1:1/keys'})}.{f.body_text}", f.stranger),
    "x5u in the header": lambda f: f.rs256(
        f"{compact(f.head | {'x5u': 'http://127.0.0.1:1/cert'})}.{f.body_text}", f.stranger),
    "x5c in the header": lambda f: f.rs256(
        f"{compact(f.head | {'x5c': [b64(der_of(f.stranger))]})}.{f.body_text}", f.stranger),
    "crit, truly signed": lambda f: f.signed(head={"crit": ["exp"]}),
    "crit unknown, truly signed": lambda f: f.signed(head={"crit": ["x"], "x": 1}),
    "jku, truly signed": lambda f: f.signed(head={"jku": "http://127.0.0.1:1/keys"}),
    "zip, truly signed": lambda f: f.signed(head={"zip": "DEF"}),
    "b64 false, truly signed": lambda f: f.signed(head={"b64": False, "crit": ["b64"]}),
    # the key's id
    "kid unknown": lambda f: f.signed(head={"kid": "no-such-key"}),
    "kid missing": lambda f: f.rs256(
        f"{compact({k: v for k, v in f.head.items() if k != 'kid'})}.{f.body_text}"),
    "kid empty": lambda f: f.signed(head={"kid": ""}),
    "kid null": lambda f: f.signed(head={"kid": None}),
    "kid a number": lambda f: f.signed(head={"kid": 1}),
    "kid a path": lambda f: f.hmac_signed(b"", kid="../../../../dev/null"),
    "kid a path, truly signed": lambda f: f.signed(head={"kid": "/dev/null"}),
    "kid with SQL": lambda f: f.signed(head={"kid": "x' OR '1'='1"}),
    "kid with SQL, union": lambda f: f.hmac_signed(b"k", kid="x' UNION SELECT 'k' -- "),
    "kid with a NUL": lambda f: f.signed(head={"kid": f.head["kid"] + "\0"}),
    "kid very long": lambda f: f.signed(head={"kid": "k" * 1000}),
    # duplicate members
    "alg twice": lambda f: f.signed_raw(with_member_twice(f.head, "alg", '"RS256"')),
    "alg twice, first none": lambda f: f.signed_raw('{"alg":"none",' + json.dumps(f.head)[1:]),
    "sub twice": lambda f: f.signed_raw(None, with_member_twice(f.body, "sub", '"1"')),
    "exp twice": lambda f: f.signed_raw(None, with_member_twice(f.body, "exp", "9999999999")),
    # claims, validly signed
    "expired": lambda f: f.signed(exp=int(time.time()) - 1000, iat=int(time.time()) - 2000),
    "expired this second": lambda f: f.signed(exp=int(time.time())),
    "no exp": lambda f: f.signed(exp=...),
    "exp a text": lambda f: f.signed(exp="9999999999"),
    "exp null": lambda f: f.signed(exp=None),
    "exp beyond 2^53": lambda f: f.signed(exp=2 ** 60),
    "exp negative": lambda f: f.signed(exp=-1),
    "wrong iss": lambda f: f.signed(iss="another issuer"),
    "no iss": lambda f: f.signed(iss=...),
    "wrong aud": lambda f: f.signed(aud="another"),
    "no aud": lambda f: f.signed(aud=...),
    "no sub": lambda f: f.signed(sub=...),
    "sub not a number": lambda f: f.signed(sub="alice"),
    "sub 0": lambda f: f.signed(sub="0"),
    "sub negative": lambda f: f.signed(sub="-1"),
    "sub with trailing letters": lambda f: f.signed(sub=str(f.body["sub"]) + "x"),
    "no sid": lambda f: f.signed(sid=...),
    "unknown sid": lambda f: f.signed(sid="9007199254740991"),
    "sid with SQL": lambda f: f.signed(sid="1 OR 1=1"),
    "no jti": lambda f: f.signed(jti=...),
    "no iat": lambda f: f.signed(iat=...),
    "no claims": lambda f: f.signed(body={}),
    "claims a list": lambda f: f.signed_raw(None, json.dumps([f.body])),
    "claims not JSON": lambda f: f.signed_raw(None, "hello"),
    "claims cut off": lambda f: f.signed_raw(None, json.dumps(f.body)[:-1]),
    "claims with bytes behind": lambda f: f.signed_raw(None, json.dumps(f.body) + "{}"),
    "header not JSON": lambda f: f.signed_raw("hello", None),
    # the text
    "a bit of the signature": lambda f: f"{f.head_text}.{f.body_text}.{flipped(f.signature, 9)}",
    "a bit of the claims": lambda f: f"{f.head_text}.{flipped(f.body_text, 20)}.{f.signature}",
    "signature cut": lambda f: f.good[:-10],
    "signature with more": lambda f: f.good + "AAAA",
    "signature doubled": lambda f: f.good + f.signature,
    "signature in other tail bits": lambda f: f.good[:-1] + other_tail_bits(f.signature)[-1],
    "padding": lambda f: f.good + "==",
    "standard base64": lambda f: f"{f.head_text}.{f.body_text}." +
                       base64.b64encode(unb64(f.signature)).decode(),
    "not base64": lambda f: f"{f.head_text}.{f.body_text}.!!!!",
    "two parts": lambda f: f"{f.head_text}.{f.body_text}",
    "one part": lambda f: f.head_text,
    "four parts": lambda f: f.good + "." + f.signature,
    "five parts, as if encrypted": lambda f: f.good + ".x.y",
    "header and claims swapped": lambda f: f"{f.body_text}.{f.head_text}.{f.signature}",
    "claims of one, signature of another": lambda f: f.signed(sub="4000000000").rsplit(".", 1)[0] +
                                           "." + f.signature,
    "only dots": lambda f: "..",
    "a dot before": lambda f: "." + f.good,
    "a blank inside": lambda f: f.good[:30] + " " + f.good[30:],
    "a tab inside": lambda f: f.good[:30] + "\t" + f.good[30:],
    "two tokens": lambda f: f"{f.good},{f.good}",
    "in quotes": lambda f: f'"{f.good}"',
    "4097 bytes": lambda f: f.good + "A" * (4097 - len(f.good)),
    "4100 bytes, truly signed": lambda f: f.signed(pad="x" * 2900),
    "random": lambda f: "deadbeef" * 8,
    "a word": lambda f: "undefined",
}
