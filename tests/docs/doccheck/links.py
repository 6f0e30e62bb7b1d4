"""The targets of links between pages and the paths that pages name exist."""
import re

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
# `common/wire/frame.h`, `tests/docs/`; not commands, and not
# `tests/test_x.c`, which many folders have.
NAMED = re.compile(
    r"`(?!tests/test_)((?:common|docs|mk|deploy|tests|bench|web|client-test|[a-z]+-service)"
    r"/[\w./-]*[\w/])`"
)


def faults(root):
    for path in pages(root):
        text = FENCE.sub("", path.read_text("utf-8"))
        name = path.relative_to(root)
        for target in LINK.findall(text):
            if not target.startswith(("http://", "https://", "mailto:")):
                yield from link_faults(path, name, target)
        for named in NAMED.findall(text):
            if not (root / named).exists():
                yield f"{name}: there is no {named}"


def pages(root):
    tops = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "deploy/README.md", "web/README.md")
    yield from (root / top for top in tops)
    yield from sorted((root / "docs").rglob("*.md"))


def link_faults(path, name, target):
    file, _, anchor = target.partition("#")
    aim = path.parent / file if file else path
    if not aim.exists():
        yield f"{name}: the link {target} leads nowhere"
    elif anchor and aim.suffix == ".md":
        headings = HEADING.findall(aim.read_text("utf-8"))
        if anchor not in map(slug, headings):
            yield f"{name}: {file or name} has no heading #{anchor}"


def slug(heading):
    kept = re.sub(r"[^\w\- ]", "", heading.lower())
    return kept.strip().replace(" ", "-")
