"""web/publish: names, references, preloads, comments, compressed forms, what it removes, and
what it refuses."""

import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from publisher.comments import without_comments
from publisher.folder import write
from publisher.site import Fault, Site
from publisher.sources import read_sources

WEB = Path(__file__).resolve().parents[2]
TEXT = b"a text that is long enough and repeats itself; " * 20
SMALL_SITE = {
    "docs/index.html": b'<link rel="stylesheet" href="look.css"><script type="module" src="app.js"></script>'
                       b'<a href="events/#top">e</a><a href="https://example.com/">x</a><a href="#y">y</a>',
    "docs/events/index.html": b'<a href="..">back</a><a href="/docs/">back</a>'
                              b'<script src="../app.js"></script>',
    "docs/app.js": b'import { a } from "./part/a.js";\nexport * from \'../shared/b.js\';\n'
                   b'const c = await import("./part/c.js");\nnew URL("./data.json", import.meta.url);\n'
                   b'import "node:fs"; import x from "bare";\n',
    "docs/part/a.js": b"import '../../shared/b.js';",
    "docs/part/c.js": b"",
    "docs/data.json": b"{}",
    "shared/b.js": b"export const b = 1;",
    "docs/look.css": b'a { background: url(../shared/i.svg) } b { c: url("#m") }',
    "docs/more.css": b"b { background: url('data:image/png;base64,AA==') }",
    "app.webmanifest": b'{"start_url": "/", "icons": [{"src": "shared/i.svg"}]}',
    "shared/i.svg": b"<svg/>",
}
NAMED = re.compile(r"/(assets/[\w./-]+)")


def published(sources: dict[str, bytes]) -> dict[str, str]:
    site = Site(sources)
    files = site.documents() | site.assets()
    return {name: content.decode() for name, content in files.items()}


def source_of(name: str) -> str:
    return re.sub(r"^assets/(.*)\.[0-9a-f]{12}(\.\w+)$", r"\1\2", name)


# --- names and references -----------------------------------------------------------------
def test_documents_keep_their_names_and_all_else_has_the_hash_of_its_content():
    files = published(SMALL_SITE)
    assert {source_of(name) for name in files} == SMALL_SITE.keys()
    for name, content in files.items():
        if name.endswith(".html"):
            assert name in SMALL_SITE
        else:
            assert hashlib.sha256(content.encode()).hexdigest()[:12] in name


def test_each_reference_names_a_published_file():
    files = published(SMALL_SITE)
    expected = {"docs/index.html": ["docs/look.css", "docs/app.js", "docs/part/a.js", "shared/b.js"],
                "docs/events/index.html": ["docs/app.js"],
                "docs/app.js": ["docs/part/a.js", "shared/b.js", "docs/part/c.js", "docs/data.json"],
                "docs/part/a.js": ["shared/b.js"], "docs/look.css": ["shared/i.svg"],
                "app.webmanifest": ["shared/i.svg"]}
    for name, content in files.items():
        found = NAMED.findall(content)
        assert set(found) <= files.keys()
        assert [source_of(one) for one in found] == expected.get(source_of(name), []), name


def test_what_is_no_asset_of_the_site_stays_as_it_is():
    files = published(SMALL_SITE)
    assert 'href="/docs/events/#top"' in files["docs/index.html"]
    assert 'href="https://example.com/"' in files["docs/index.html"]
    assert 'href="#y"' in files["docs/index.html"]
    app = next(content for name, content in files.items() if source_of(name) == "docs/app.js")
    assert 'import "node:fs"; import x from "bare";' in app
    more = next(content for name, content in files.items() if source_of(name) == "docs/more.css")
    assert more.encode() == SMALL_SITE["docs/more.css"]


@pytest.mark.parametrize("changed", ["shared/b.js", "docs/data.json", "shared/i.svg"])
def test_a_change_renames_the_file_and_all_that_lead_to_it(changed: str):
    before, after = (published(SMALL_SITE | {changed: SMALL_SITE[changed] + more})
                     for more in (b"", b" "))
    renamed = {source_of(name) for name in after if name not in before}
    assert changed in renamed
    assert after["docs/index.html"] != before["docs/index.html"]
    # A file that does not lead to the changed one keeps its name.
    assert "docs/part/c.js" not in renamed


FAULTS = {
    "no such file": ({"a.html": b'<script src="b.js"></script>'}, "a.html: it refers to b.js"),
    "no such module": ({"a.js": b"import './b.js'"}, "a.js: it refers to ./b.js"),
    "no such document": ({"a.html": b'<a href="docs/">x</a>'}, "there is no docs/index.html"),
    "outside": ({"a.css": b"a { b: url(../../x.svg) }"}, "there is no x.svg"),
    "an import of a style sheet": ({"a.css": b'@import "b.css";', "b.css": b""}, "a.css: an @import"),
    "no such module of a module": ({"a.html": b'<script type="module" src="b.js"></script>',
                                    "b.js": b"import './c.js'"}, "b.js: it refers to ./c.js"),
    "a circle of a page": ({"a.html": b'<script type="module" src="b.js"></script>',
                            "b.js": b"import './c.js'", "c.js": b"import './b.js'"},
                           "it refers to itself"),
    "a circle": ({"a.js": b"import './b.js'", "b.js": b"import './a.js'"}, "it refers to itself"),
    "an inline script": ({"a.html": b"<p>\n<script>1</script>"}, "a.html:2: an inline <script>"),
    "an inline style": ({"a.html": b"<style>a{}</style>"}, "an inline <style>"),
    "a style attribute": ({"a.html": b'<p style="color: red">'}, "an attribute style"),
    "a handler": ({"a.html": b'<p onclick="x()">'}, "an attribute onclick"),
    "a script address": ({"a.html": b'<a href=" javascript:x()">'}, "a javascript: address"),
    "another origin": ({"a.html": b'<script src="https://x.example/y.js"></script>'},
                       "something of another origin"),
    "the same scheme": ({"a.html": b'<img src="//x.example/y.png">'}, "something of another origin"),
    "a base": ({"a.html": b'<base href="/">'}, "a <base>"),
}


@pytest.mark.parametrize("what", FAULTS)
def test_a_wrong_source_is_refused_and_named(what: str):
    sources, said = FAULTS[what]
    with pytest.raises(Fault, match=re.escape(said)):
        published(sources)


# --- preloads -----------------------------------------------------------------------------
def preloads(page: str) -> list[str]:
    return re.findall(r'<link rel="modulepreload" href="/([^"]*)">', page)


def test_a_page_names_each_module_that_its_script_needs_to_begin():
    """Each once, the nearest first: also what only `export … from` names, and not import(…)."""
    files = published(SMALL_SITE)
    assert [source_of(name) for name in preloads(files["docs/index.html"])] == \
        ["docs/part/a.js", "shared/b.js"]
    # A script that is no module has no imports.
    assert preloads(files["docs/events/index.html"]) == []


@pytest.mark.parametrize("script", [
    '<script type="module" src="a.js"></script>', '<script src="a.js" type="module"></script>',
    '<script\n\tasync src="a.js"\n\ttype="module"\n></script>'])
def test_the_links_follow_the_script_in_lines_of_their_own(script: str):
    page = published({"index.html": f"<head>\n\t{script}\n</head>".encode(),
                      "a.js": b'import x from "./b.js"; import "./c.js";', "b.js": b"", "c.js": b""})
    lines = page["index.html"].partition("</script>")[2].split("\n")
    assert [re.sub(r"[0-9a-f]{12}", "HASH", line) for line in lines] == \
        ["", *(f'\t<link rel="modulepreload" href="/assets/{name}.HASH.js">' for name in "bc"), "</head>"]


# --- comments -----------------------------------------------------------------------------
@pytest.mark.parametrize("module, left", [
    ("// a\nlet b; // c\n", "\nlet b; // c\n"),
    ("\t/* a\n\t * b **/ \n\tlet c;", "\n\n\tlet c;"),
    ("/** a */\n/* b */ let c; /* d */\n", "\n/* b */ let c; /* d */\n"),
    ("/* a */ let b; /* c\n*/\n", "/* a */ let b; /* c\n*/\n"),
    ("let a = b\n\t/ c; /* d */", "let a = b\n\t/ c; /* d */"),
    ('let a = "// b";\n"/* c */";\n', 'let a = "// b";\n"/* c */";\n'),
])
def test_only_comments_with_lines_of_their_own_are_left_out(module: str, left: str):
    assert without_comments(module.encode()).decode() == left


def test_the_modules_of_the_site_say_what_their_sources_say():
    """TypeScript prints both without comments. A template with a line that looks like a comment
    would be different."""
    sources = read_sources(WEB)
    pairs = {name: (source_file(name).read_text(), content.decode())
             for name, content in sources.items() if name.endswith(".js")}
    assert {"dom.js", "chat/main.js", "sdk/index.js"} <= pairs.keys()
    planted = {"a template": "let a = `\n// b\n`;", "a comment before code": "/*\n// a */ b();"}
    pairs |= {name: (module, without_comments(module.encode()).decode())
              for name, module in planted.items()}
    node = Path(sys.executable).with_name("node")
    done = subprocess.run([node, "-e", DIFFERENT], input=json.dumps(pairs), check=True, text=True,
                          capture_output=True, cwd=node.parents[1] / "node")
    assert json.loads(done.stdout) == [*planted]
    for source, content in pairs.values():
        assert source.count("\n") == content.count("\n")


# Prints the names of the pairs that differ.
DIFFERENT = """
const { transpileModule } = require("typescript");
const bare = (source) => transpileModule(source, { reportDiagnostics: true, compilerOptions: {
\tremoveComments: true, target: "esnext", module: "esnext" } });
const pairs = Object.entries(JSON.parse(require("node:fs").readFileSync(0, "utf8")));
console.log(JSON.stringify(pairs.filter(([name, [a, b]]) => {
\tconst [one, other] = [bare(a), bare(b)];
\tif (!one.outputText || one.diagnostics.length)
\t\tthrow new Error(name);
\treturn one.outputText !== other.outputText;
}).map(([name]) => name)));
"""


def source_file(name: str) -> Path:
    sdk = WEB.parent / "clients/js/src"
    return sdk / name.removeprefix("sdk/") if name.startswith("sdk/") else WEB / name


# --- the folder ---------------------------------------------------------------------------
def test_files_are_readable_by_all_whatever_the_umask(tmp_path: Path):
    before = os.umask(0o777)
    try:
        write(tmp_path / "a" / "b", {"index.html": TEXT}, {"assets/c/d.js": TEXT})
    finally:
        os.umask(before)
    for path in (tmp_path / "a").rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644), path


def test_a_file_that_gzip_makes_smaller_has_its_compressed_form(tmp_path: Path):
    noise = hashlib.shake_256(b"x").digest(4096)
    write(tmp_path, {"index.html": TEXT}, {"assets/noise.png": noise, "assets/tiny.js": b"1"})
    assert gzip.decompress((tmp_path / "index.html.gz").read_bytes()) == TEXT
    assert not (tmp_path / "assets/noise.png.gz").exists()
    assert not (tmp_path / "assets/tiny.js.gz").exists()
    # It is no longer smaller.
    write(tmp_path, {"index.html": b"short"}, {})
    assert not (tmp_path / "index.html.gz").exists()


def test_the_time_of_a_file_follows_from_its_content(tmp_path: Path):
    """nginx makes the ETag of time and size: here both texts have one size."""
    for folder, text in (("one", TEXT), ("two", TEXT), ("three", TEXT[::-1])):
        write(tmp_path / folder, {"index.html": text}, {})
    one, two, three = (
        [(tmp_path / folder / name).stat().st_mtime_ns for name in ("index.html", "index.html.gz")]
        for folder in ("one", "two", "three"))
    assert one == two
    assert not set(one) & set(three)


def test_only_files_of_an_earlier_publish_are_removed(tmp_path: Path):
    (tmp_path / "mine.txt").write_text("of another program")
    write(tmp_path, {"index.html": TEXT, "old/index.html": TEXT}, {"assets/a.1.js": TEXT})
    write(tmp_path, {"index.html": TEXT}, {"assets/a.2.js": TEXT})
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"mine.txt", ".published", "index.html", "index.html.gz",
                    "assets/a.2.js", "assets/a.2.js.gz"}


# --- the command --------------------------------------------------------------------------
def run(*words, web: Path = WEB) -> subprocess.CompletedProcess:
    return subprocess.run([web / "publish", *words], capture_output=True, text=True)


def test_the_pages_of_the_project_are_published(tmp_path: Path):
    done = run(tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    for paper in ("openapi.yaml", "asyncapi.yaml"):
        assert (tmp_path / "docs" / paper).read_bytes() == \
            (WEB.parent / "docs/protocol" / paper).read_bytes()
    assert (tmp_path / "index.html").exists() and list((tmp_path / "assets/sdk").glob("index.*.js"))
    names = [path.name for path in tmp_path.rglob("*")]
    assert not [name for name in names if name.endswith((".py", ".md", ".new", ".ts")) or name == "tests"]


def test_nothing_of_a_folder_tests_is_published(tmp_path: Path):
    tree = tmp_path / "tree"
    shutil.copytree(WEB, tree / "web")
    shutil.copytree(WEB.parent / "clients/js", tree / "clients/js")
    shutil.copytree(WEB.parent / "docs/protocol", tree / "docs/protocol")
    for folder in ("web/chat/tests", "web/chat/store/tests/support", "clients/js/src/tests"):
        (tree / folder).mkdir(parents=True, exist_ok=True)
        for name in ("index.html", "x.js", "x.json"):
            (tree / folder / name).write_text("1")
    run(tmp_path / "site", web=tree / "web").check_returncode()
    run(tmp_path / "expected").check_returncode()
    found, expected = (sorted(path.relative_to(site) for path in site.rglob("*"))
                       for site in (tmp_path / "site", tmp_path / "expected"))
    assert found == expected


def test_a_second_publish_changes_nothing(tmp_path: Path):
    def state() -> dict:
        return {path: (path.read_bytes(), path.stat().st_mtime_ns)
                for path in tmp_path.rglob("*") if path.is_file()}
    run(tmp_path).check_returncode()
    first = state()
    run(tmp_path).check_returncode()
    assert state() == first


def test_each_fault_is_a_line_and_nothing_is_written(tmp_path: Path):
    tree = tmp_path / "tree"
    shutil.copytree(WEB, tree / "web")
    shutil.copytree(WEB.parent / "clients/js/src", tree / "clients/js/src")
    shutil.copytree(WEB.parent / "docs/protocol", tree / "docs/protocol")
    (tree / "web/bad.html").write_text('<p onclick="1" style="x">')
    done = run(tmp_path / "site", web=tree / "web")
    assert done.returncode == 1 and not (tmp_path / "site").exists()
    assert done.stderr.splitlines() == ["web/publish: bad.html:1: an attribute onclick",
                                        "web/publish: bad.html:1: an attribute style"]
    (tree / "docs/protocol/openapi.yaml").write_text("a: 1\nb: !!set {x}\n")
    done = run(tmp_path / "site", web=tree / "web")
    assert done.returncode == 1
    assert done.stderr.startswith("web/publish: openapi.yaml: line 2: "), done.stderr


@pytest.mark.parametrize("words", [(), ("a", "b")])
def test_wrong_usage(words: tuple[str, ...]):
    done = run(*words)
    assert done.returncode == 2 and done.stderr.startswith("usage: ")
