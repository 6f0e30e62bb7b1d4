"""servers - what plays Twilio: Prism judges requests by Twilio's OpenAPI, and WireMock
answers late, wrongly, or not at all."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx

from support.stack import ROOT, Stack, die_with_parent
from support.wait import HANG_S, until

HOME = ROOT / (os.environ.get("PARLEY_CACHE_DIR") or ".cache") / "sms"
ACCOUNT, SERVICE, TOKEN = f"AC{'0' * 31}1", f"VA{'0' * 31}2", "an auth token"
MESSAGES = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
VERIFICATIONS = f"/v2/Services/{SERVICE}/Verifications"
CHECK = f"/v2/Services/{SERVICE}/VerificationCheck"


class Server:
    """A process that listens on a port of the stack's block."""

    ready_path = "/"

    def __init__(self, stack: Stack):
        self.port = stack.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.http = httpx.Client(base_url=self.url, trust_env=False, timeout=HANG_S)
        self.said = Path(tempfile.mkstemp(suffix=".log")[1])
        self.child: subprocess.Popen | None = None

    def command(self) -> list[str]:
        raise NotImplementedError

    def settings(self, provider: str, **changes: str) -> dict[str, str]:
        """What identity-service needs to take this server for Twilio."""
        return {"SMS_PROVIDER": provider, "SMS_BASE_URL": self.url, "SMS_ACCOUNT": ACCOUNT,
                "SMS_SECRET": TOKEN, "SMS_FROM": "+15017122661",
                "SMS_VERIFY_SERVICE": SERVICE} | changes

    def __enter__(self):
        with open(self.said, "wb") as said:
            self.child = subprocess.Popen(self.command(), stdout=said, stderr=said,
                                          stdin=subprocess.DEVNULL, cwd=HOME,
                                          preexec_fn=die_with_parent)

        def answers() -> bool:
            assert self.child.poll() is None, self.said.read_text()
            return bool(self.http.get(self.ready_path).status_code)
        until(f"{type(self).__name__} answers", answers)
        return self

    def __exit__(self, *_) -> None:
        self.child.terminate()
        try:
            self.child.wait(HANG_S)
        finally:
            self.child.kill()
            self.http.close()
            self.said.unlink()


class Prism(Server):
    def command(self) -> list[str]:
        return [str(Path(sys.prefix) / "bin" / "node"), str(HOME / "node_modules/@stoplight/prism-cli/dist/index.js"),
                "mock", "--host", "127.0.0.1", "--port", str(self.port),
                str(ROOT / "tests/sms/twilio/openapi.json")]


class WireMock(Server):
    ready_path = "/__admin/mappings"

    def command(self) -> list[str]:
        return [os.environ.get("PARLEY_JAVA") or "java", "-XX:+UseSerialGC", "-Xmx256m", "-jar",
                next(map(str, HOME.glob("wiremock-standalone-*.jar"))), "--bind-address",
                "127.0.0.1", "--port", str(self.port), "--disable-banner"]

    def reset(self) -> None:
        self.admin("POST", "reset")

    def admin(self, method: str, path: str, body: dict | None = None) -> dict:
        answer = self.http.request(method, f"/__admin/{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else {}

    def answer(self, path: str, status: int = 201, body: dict | None = None, holds: str = "",
               **response) -> None:
        """The answer to a POST whose form has the text `holds`."""
        request: dict = {"method": "POST", "urlPath": path}
        if holds:
            request["bodyPatterns"] = [{"contains": holds}]
        self.admin("POST", "mappings", {
            "request": request, "response": {"status": status, "jsonBody": body or {}} | response})

    def received(self, path: str, holds: str = "") -> int:
        request: dict = {"urlPath": path}
        if holds:
            request["bodyPatterns"] = [{"contains": holds}]
        return self.admin("POST", "requests/count", request)["count"]
