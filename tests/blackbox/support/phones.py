"""phones - sign-in by phone: an identity process and the codes that it sends."""

import secrets

import httpx

from support.api import PASSWORD, Api, Person
from support.service import Service
from support.stack import Stack
from support.wait import until


def service_of(stack: Stack, **settings: str) -> Service:
    return Service(stack, "identity-service",
                   **({"SMS_PROVIDER": "log", "IDENTITY_CODE_INTERVAL": "0",
                       "IDENTITY_CODE_PHONE_MAX": "1000"} | settings))


def new_phone(country: str = "49") -> str:
    return f"+{country}{secrets.randbelow(9 * 10**10) + 10**10}"


def new_address() -> dict[str, str]:
    """Headers of nginx: each client has an address of its own."""
    return {"X-Forwarded-For": f"10.{'.'.join(str(b) for b in secrets.token_bytes(3))}"}


class Phones:
    """An identity process, and the codes that it sends."""

    def __init__(self, service: Service, stack: Stack):
        self.service, self.api, self.stack = service, Api(service.url), stack

    def codes(self, phone: str) -> list[str]:
        return [event["code"] for event in self.service.events("sms.code")
                if event["phone"] == phone]

    def start(self, phone: object, **headers: str) -> httpx.Response:
        return self.api.http.post("/auth/phone/start", json={"phone": phone},
                                  headers=new_address() | headers)

    def code(self, phone: str, **headers: str) -> str:
        """A new code."""
        before = len(self.codes(phone))
        answer = self.start(phone, **headers)
        assert answer.status_code == 202, answer.text
        return until("the code was sent", lambda: self.codes(phone)[before:])[0]

    def verify(self, phone: str, code: str, headers: dict | None = None,
               **members) -> httpx.Response:
        return self.api.http.post("/auth/phone/verify", headers=headers or new_address(),
                                  json={"phone": phone, "code": code} | members)

    def attach(self, person: Person | None, phone: str, code: str) -> httpx.Response:
        return self.api.ask("POST", "/auth/phone", person, json={"phone": phone, "code": code})

    def sign_up(self, phone: str | None = None, **members) -> Person:
        phone = phone or new_phone()
        answer = self.verify(phone, self.code(phone), **members)
        assert answer.status_code == 201, answer.text
        return self.api.person(answer, PASSWORD)

    def user_of(self, phone: str) -> int:
        answer = self.verify(phone, self.code(phone))
        assert answer.status_code == 200, answer.text
        return answer.json()["user"]["id"]
