"""site - names the files of a site by their content, and changes the references to them.

The name of a file covers the names of the files that it refers to, so a page and all that it
loads always fit together, whatever a browser or a proxy has kept.
"""

import hashlib
import posixpath
import re
from html.parser import HTMLParser

DOCUMENTS = (".html", ".yaml")
ASSETS = (".js", ".css", ".json", ".svg", ".png", ".webp", ".ico", ".woff2", ".webmanifest")
HASH_LENGTH = 12

# Where a file refers to another one: the reference is the group `to`.
REFERENCES = {
    ".js": re.compile(r"""(?:\bfrom|\bimport|\bimport\s*\(|\bnew\s+URL\s*\()\s*"""
                      r"""(?P<quote>["'])(?P<to>\.{1,2}/[^"'\n]*)(?P=quote)"""),
    ".css": re.compile(r"""\burl\(\s*["']?(?P<to>[^"')\s]+)"""),
    ".html": re.compile(r"""\s(?:src|href)="(?P<to>[^"]*)\""""),
    ".webmanifest": re.compile(r"""\"src":\s*"(?P<to>[^"]*)\""""),
}
# A script of a document, and what it needs before it can run: not import(…) and new URL(…).
MODULE_SCRIPT = re.compile(r"""(?P<indent>[ \t]*)<script(?=\s[^>]*\btype="module")[^>]*"""
                           r"""\ssrc="(?P<to>[^"]*)"[^>]*>\s*</script>""")
STATIC_IMPORT = re.compile(r"""\b(?:from|import)\s*["'](\.{1,2}/[^"'\n]*)["']""")
# A place in the same file, or an address with a scheme.
ELSEWHERE = re.compile(r"#|[a-z][a-z0-9+.-]*:")


class Fault(Exception):
    """A source is wrong. The text names the file; it may have several lines."""


class Site:
    def __init__(self, sources: dict[str, bytes]):
        self.sources = sources
        self.made: dict[str, tuple[str, bytes]] = {}  # source -> name on the site, content
        self.open: list[str] = []  # sources that are being made
        faults = [fault for name in sources for fault in faults_of(name, sources[name])]
        if faults:
            raise Fault("\n".join(faults))

    def documents(self) -> dict[str, bytes]:
        return self.files(DOCUMENTS)

    def assets(self) -> dict[str, bytes]:
        return self.files(ASSETS)

    def files(self, kinds: tuple[str, ...]) -> dict[str, bytes]:
        """The name of each file on the site, and its content."""
        return dict(self.make(name) for name in self.sources if name.endswith(kinds))

    def make(self, source: str) -> tuple[str, bytes]:
        if source not in self.made:
            if source in self.open:
                raise Fault(f"{source}: it refers to itself, through "
                            f"{', '.join(self.open[self.open.index(source) + 1:])}")
            self.open.append(source)
            content = self.with_references(source)
            self.open.remove(source)
            self.made[source] = self.name_of(source, content), content
        return self.made[source]

    @staticmethod
    def name_of(source: str, content: bytes) -> str:
        if source.endswith(DOCUMENTS):
            return source
        stem, kind = posixpath.splitext(source)
        return f"assets/{stem}.{hashlib.sha256(content).hexdigest()[:HASH_LENGTH]}{kind}"

    def with_references(self, source: str) -> bytes:
        content = self.sources[source]
        pattern = REFERENCES.get(posixpath.splitext(source)[1])
        if not pattern:
            return content

        def changed(match: re.Match) -> str:
            start, end = match.start("to") - match.start(), match.end("to") - match.start()
            return match[0][:start] + self.address(source, match["to"]) + match[0][end:]

        text = content.decode("utf-8")
        if source.endswith(".html"):
            text = MODULE_SCRIPT.sub(lambda script: self.with_preloads(source, script), text)
        return pattern.sub(changed, text).encode()

    def with_preloads(self, source: str, script: re.Match) -> str:
        """The script, and a link for each module behind it: else a browser would learn of each
        row of imports only when it has loaded the row before."""
        links = [f'\n{script["indent"]}<link rel="modulepreload" href="/{module}">'
                 for module in self.imports(self.target(source, script["to"]))]
        return script[0] + "".join(links)

    def imports(self, module: str) -> list[str]:
        """All modules that run before this one."""
        found = [module]
        for importer in found:  # grows meanwhile
            for to in STATIC_IMPORT.findall(self.sources[importer].decode("utf-8")):
                target = self.target(importer, to)
                if target not in found:
                    found.append(target)
        return found[1:]

    def address(self, source: str, to: str) -> str:
        """The address on the site of what `source` names `to`."""
        path, mark, rest = re.fullmatch(r"([^?#]*)([?#]?)(.*)", to, re.S).groups()
        if ELSEWHERE.match(to) or not path:
            return to
        target = self.target(source, path)
        if target.endswith(DOCUMENTS):  # named by its path alone: documents may form a circle
            return "/" + target.removesuffix("index.html") + mark + rest
        return "/" + self.make(target)[0] + mark + rest

    def target(self, source: str, path: str) -> str:
        """The source that `source` names by this path."""
        target = posixpath.normpath(posixpath.join("/", posixpath.dirname(source), path))[1:]
        if re.search(r"(^|/)\.{0,2}$", path):
            target = posixpath.join(target, "index.html")
        if target not in self.sources:
            raise Fault(f"{source}: it refers to {path}, and there is no {target}")
        return target


# --- what the Content-Security-Policy of nginx would refuse in the browser, or would be slow --
def faults_of(name: str, content: bytes) -> list[str]:
    if name.endswith(".css") and b"@import" in content:
        return [f"{name}: an @import: a <link> in the document loads it without a wait"]
    if not name.endswith(".html"):
        return []
    reader = Strict(name)
    reader.feed(content.decode("utf-8"))
    return reader.faults


class Strict(HTMLParser):
    def __init__(self, name: str):
        super().__init__()
        self.name = name
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if tag == "style" or tag == "script" and not given.get("src"):
            self.fault(f"an inline <{tag}>")
        if tag == "base":
            self.fault("a <base>")
        for attribute, value in attributes:
            if attribute == "style" or attribute.startswith("on"):
                self.fault(f"an attribute {attribute}")
            if (value or "").lstrip().lower().startswith("javascript:"):
                self.fault("a javascript: address")
            if attribute == "src" and re.match(r"[a-z]+:|//", value or ""):
                self.fault(f"something of another origin, {value}")

    def fault(self, what: str) -> None:
        self.faults.append(f"{self.name}:{self.getpos()[0]}: {what}")
