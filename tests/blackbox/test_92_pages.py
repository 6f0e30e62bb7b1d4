"""The pages, over nginx: what is found, how long it may be kept, in which form, with which heads."""

import gzip
import re
import socket
from pathlib import Path

import httpx
import pytest

from support.api import PROBLEM
from support.stack import ROOT, Stack

YEAR = "public, max-age=31536000, immutable"
TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8",
         ".js": "text/javascript; charset=utf-8", ".json": "application/json",
         ".yaml": "application/yaml", ".svg": "image/svg+xml", ".png": "image/png",
         ".webp": "image/webp", ".woff2": "font/woff2", ".ico": "image/x-icon",
         ".webmanifest": "application/manifest+json"}
POLICY = {
    "default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "img-src": "'self'",
    "font-src": "'self'", "connect-src": "'self'", "manifest-src": "'self'", "base-uri": "'none'",
    "form-action": "'self'", "frame-ancestors": "'none'", "require-trusted-types-for": "'script'",
    "trusted-types": "'none'",
}
PAGE_HEADS = {"content-security-policy", "referrer-policy", "cross-origin-opener-policy",
              "permissions-policy"}
# All heads of a file that is no page: they count towards the first visit.
ASSET_HEADS = {"server", "date", "content-type", "content-length", "connection", "etag",
               "cache-control", "x-content-type-options", "accept-ranges", "vary",
               "content-encoding"}


@pytest.fixture(scope="module")
def http(stack: Stack):
    with httpx.Client(base_url=stack.url, trust_env=False) as http:
        yield http


@pytest.fixture(scope="module")
def folder(stack: Stack) -> Path:
    return stack.run_dir / "web"


@pytest.fixture(scope="module")
def names(folder: Path) -> list[str]:
    """All published files, as paths on the site."""
    found = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*"))
             if path.is_file() and path.suffix != ".gz" and path.name != ".published"]
    assert {"index.html", "docs/index.html", "docs/events/index.html", "docs/openapi.yaml",
            "docs/asyncapi.yaml"} < set(found)
    return found


def plain(http: httpx.Client, path: str, method: str = "GET", **heads: str) -> httpx.Response:
    return http.request(method, path, headers={"Accept-Encoding": "identity"} | heads)


def is_asset(name: str) -> bool:
    return name.startswith("assets/")


# --- each file -----------------------------------------------------------------------
def test_each_file_is_served_as_it_was_published(http: httpx.Client, folder: Path, names: list[str]):
    for name in names:
        answer = plain(http, f"/{name}")
        assert answer.status_code == 200, name
        assert answer.content == (folder / name).read_bytes(), name
        assert answer.headers["Content-Type"] == TYPES[Path(name).suffix], name
        assert answer.headers["X-Content-Type-Options"] == "nosniff", name
        assert answer.headers["Cache-Control"] == (YEAR if is_asset(name) else "no-cache"), name
        assert answer.headers["ETag"] and "Last-Modified" not in answer.headers, name


def test_the_papers_are_those_of_the_project(http: httpx.Client):
    for paper in ("openapi.yaml", "asyncapi.yaml"):
        assert plain(http, f"/docs/{paper}").content == \
            (ROOT / "docs/protocol" / paper).read_bytes()


def test_names_of_assets_have_their_hash(names: list[str]):
    for name in names:
        assert bool(re.search(r"\.[0-9a-f]{12}\.\w+$", name)) == is_asset(name), name


def test_each_page_has_the_strict_policy_and_other_files_only_what_is_theirs(
        http: httpx.Client, names: list[str]):
    for name in names:
        heads = plain(http, f"/{name}").headers
        if name.endswith(".html"):
            given = dict(part.strip().split(" ", 1)
                         for part in heads["Content-Security-Policy"].split(";"))
            assert given == POLICY, name
            assert heads["Referrer-Policy"] == "no-referrer"
            assert heads["Cross-Origin-Opener-Policy"] == "same-origin"
            assert "camera=()" in heads["Permissions-Policy"]
        else:
            assert set(heads) <= ASSET_HEADS, name


def test_a_head_is_a_get_without_the_body(http: httpx.Client, names: list[str]):
    for name in names:
        for encoding in ("identity", "gzip"):
            got, head = (plain(http, f"/{name}", method, **{"Accept-Encoding": encoding})
                         for method in ("GET", "HEAD"))
            assert head.status_code == 200 and head.content == b""
            assert {**head.headers, "date": ""} == {**got.headers, "date": ""}, name


# --- compressed forms -----------------------------------------------------------------
@pytest.mark.parametrize("accepted, compressed", [
    ("gzip", True), ("br, gzip;q=0.5", True), ("*", False), ("identity", False),
    ("gzip;q=0", False), ("br", False), ("x-gzip", False)])
def test_gzip_for_clients_that_take_it(accepted: str, compressed: bool, stack: Stack,
                                       http: httpx.Client, folder: Path, names: list[str]):
    small = [name for name in names if (folder / f"{name}.gz").exists()]
    assert small
    for name in small:
        with http.stream("GET", f"/{name}", headers={"Accept-Encoding": accepted}) as answer:
            raw = b"".join(answer.iter_raw())
        assert answer.headers["Vary"] == "Accept-Encoding", name
        assert (answer.headers.get("Content-Encoding") == "gzip") == compressed, name
        content = gzip.decompress(raw) if compressed else raw
        assert content == (folder / name).read_bytes(), name
        assert len(raw) == int(answer.headers["Content-Length"])


def test_the_forms_of_a_file_have_different_etags(http: httpx.Client):
    tags = {plain(http, "/docs/openapi.yaml", **{"Accept-Encoding": encoding}).headers["ETag"]
            for encoding in ("identity", "gzip")}
    assert len(tags) == 2


# --- what a client has already ----------------------------------------------------------
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_a_client_that_has_the_file_gets_304(encoding: str, http: httpx.Client, names: list[str]):
    for name in names:
        first = plain(http, f"/{name}", **{"Accept-Encoding": encoding})
        tag = first.headers["ETag"]
        for known in (tag, f'"other", {tag}', f"W/{tag}", "*"):
            again = plain(http, f"/{name}", **{"Accept-Encoding": encoding, "If-None-Match": known})
            assert again.status_code == 304 and again.content == b"", (name, known)
            for head in ("ETag", "Cache-Control", "Vary"):
                assert again.headers.get(head) == first.headers.get(head), (name, head)
        changed = plain(http, f"/{name}", **{"Accept-Encoding": encoding, "If-None-Match": '"other"'})
        assert changed.status_code == 200 and changed.content == first.content, name


def test_a_date_of_a_client_is_not_believed(http: httpx.Client):
    """The time of a file says nothing about when it was changed."""
    for date in ("Sun, 06 Nov 1994 08:49:37 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"):
        assert plain(http, "/docs/openapi.yaml", **{"If-Modified-Since": date}).status_code == 200


# --- ranges ----------------------------------------------------------------------------
@pytest.mark.parametrize("wanted, status, part", [
    ("bytes=0-9", 206, slice(0, 10)), ("bytes=-7", 206, slice(-7, None)),
    ("bytes=5-", 206, slice(5, None)), ("bytes=0-99999999", 206, slice(None)),
    ("bytes=99999999-", 416, None),
    # More than one part, other units and faults: the whole file, or a refusal.
    ("bytes=0-1,4-5", 200, slice(None)), ("lines=1-2", 200, slice(None)),
    ("bytes=9-1", 416, None), ("bytes=x", 416, None)])
def test_ranges(wanted: str, status: int, part: slice | None, http: httpx.Client):
    whole = plain(http, "/docs/openapi.yaml")
    answer = plain(http, "/docs/openapi.yaml", Range=wanted)
    assert answer.status_code == status
    if part:
        assert answer.content == whole.content[part]
        assert answer.headers["ETag"] == whole.headers["ETag"]
    else:
        assert answer.headers["Content-Type"] == PROBLEM


def test_a_range_of_another_version_is_the_whole_file(http: httpx.Client):
    answer = plain(http, "/docs/openapi.yaml", **{"Range": "bytes=0-9", "If-Range": '"other"'})
    assert answer.status_code == 200 and len(answer.content) > 10


# --- names that there are not ------------------------------------------------------------
UNKNOWN = ("/docs/nothing", "/docs/nothing/", "/docs/openapi.yml", "/docs/openapi.yaml/",
           "/docs/openapi.yaml.gz", "/docs/index.html.gz", "/docs/.published", "/.published",
           "/docs/../.published", "/assets", "/assets/", "/assets/docs", "/assets/docs/",
           "/assets/docs/openapi.json", "/assets/docs/openapi.000000000000.json", "/docs/openapi.json",
           "/index", "/index.html/", "/index.html.gz", "/index.htm", "/chat", "/chat/", "/chat/main.js",
           "/sdk/index.js", "/assets/chat/main.js", "/assets/sdk/index.js", "/manifest.webmanifest",
           "/docs/index", "/docsx", "/doc", "/web/docs/", "/favicon.ico", "/docs/.openapi.yaml.new")


@pytest.mark.parametrize("path", UNKNOWN)
def test_an_unknown_name_is_a_problem(path: str, http: httpx.Client):
    answer = http.get(path)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == PROBLEM
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json() == {"type": "about:blank", "title": "Not Found", "status": 404}
    assert not set(answer.headers) & PAGE_HEADS


# As a client sends them: httpx would resolve the dots.
OUTSIDE = ("/docs/../../conf/env", "/docs/../conf/env", "/docs/./openapi.yaml", "/docs//openapi.yaml",
           "/assets/..%2f..%2fconf/env", "/docs/%2e%2e/%2e%2e/conf/env", "/docs/%2E%2E/secrets/mysql",
           "/assets/%252e%252e/conf/env", "/docs/..\\conf\\env", "/docs/%00", "/docs/openapi.yaml%00.html",
           "/assets/docs/..;/conf", "/docs/%5c..%5cconf", "/docs/\xe9")


@pytest.mark.parametrize("path", OUTSIDE)
def test_no_path_leads_out_of_the_folder(path: str, stack: Stack):
    with socket.create_connection(("127.0.0.1", stack.port("PARLEY_PORT"))) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode("latin-1"))
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert re.match(rb"HTTP/1\.1 (400|404) ", answer), answer[:200]
    assert b"application/problem+json" in answer


# --- methods, folders, the root -----------------------------------------------------------
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])
def test_pages_are_only_read(method: str, http: httpx.Client, names: list[str]):
    asset = next(name for name in names if is_asset(name))
    for path in ("/", "/index.html", "/?a=b", "/docs/", "/docs/openapi.yaml", f"/{asset}"):
        answer = http.request(method, path, content=b"x")
        assert answer.status_code == 405, path
        assert answer.headers["Allow"] == "GET, HEAD"
        assert answer.headers["Content-Type"] == PROBLEM


def test_a_folder_without_its_slash_leads_to_it(http: httpx.Client, names: list[str]):
    """Without the host: behind a proxy nginx does not know the public one."""
    folders = {"/docs"} | {f"/{name.removesuffix('/index.html')}" for name in names
                           if name.endswith("/index.html")}
    for path in folders:
        answer = http.get(path)
        assert answer.status_code == 301 and answer.headers["Location"] == f"{path}/"


@pytest.mark.parametrize("path, name", [
    ("/", "/index.html"), ("/?a=b", "/index.html"), ("/docs/", "/docs/index.html"),
    ("/docs/events/", "/docs/events/index.html")])
def test_a_folder_is_its_document(path: str, name: str, http: httpx.Client):
    """With the same heads, so the tests above speak of both."""
    for method in ("GET", "HEAD"):
        for encoding in ("identity", "gzip"):
            for known in ({}, {"If-None-Match": "*"}, {"Range": "bytes=1-5"}):
                heads = {"Accept-Encoding": encoding} | known
                folder, document = (plain(http, one, method, **heads) for one in (path, name))
                assert document.status_code < 400 and folder.status_code == document.status_code
                assert folder.content == document.content
                assert {**folder.headers, "date": ""} == {**document.headers, "date": ""}


def test_the_root_is_the_chat_page_and_loads_what_is_there(http: httpx.Client, names: list[str]):
    page = plain(http, "/").text
    assert "<title>Parley</title>" in page
    loaded = re.findall(r' (?:src|href)="/(assets/[^"]*)"', page)
    assert set(loaded) <= set(names)
    assert {Path(name).suffix for name in loaded} >= {".js", ".css", ".svg", ".webmanifest"}
    manifest, = (plain(http, f"/{name}").json() for name in loaded if name.endswith(".webmanifest"))
    assert (manifest["start_url"], manifest["scope"], manifest["display"]) == ("/", "/", "standalone")
    for icon in manifest["icons"]:
        answer = plain(http, icon["src"])
        assert answer.status_code == 200 and answer.headers["Content-Type"] == icon["type"]


def test_no_test_is_published(names: list[str]):
    assert not [name for name in names if set(Path(name).parts) & {"tests", "publisher"}]
