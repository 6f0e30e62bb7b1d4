"""sources - what a site is made of: the files of web/, the SDK, and the papers of docs/protocol."""

import json
from pathlib import Path

from publisher.comments import without_comments
from publisher.site import ASSETS, DOCUMENTS, Fault
from publisher.yaml_subset import YamlFault, load

PAPERS = ("openapi", "asyncapi")
NO_PAGES = ("publisher", "tests")


def read_sources(web: Path) -> dict[str, bytes]:
    """The path of each file on the site, before its name gets a hash, and its content."""
    sources = folder_sources(web, "") | folder_sources(web.parent / "clients/js/src", "sdk/")
    for paper in PAPERS:
        sources |= paper_sources(web.parent / "docs" / "protocol" / f"{paper}.yaml")
    return sources


def folder_sources(folder: Path, prefix: str) -> dict[str, bytes]:
    sources = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and path.suffix in DOCUMENTS + ASSETS and \
                not set(name.parts) & set(NO_PAGES):
            content = path.read_bytes()
            sources[prefix + name.as_posix()] = \
                without_comments(content) if path.suffix == ".js" else content
    return sources


def paper_sources(path: Path) -> dict[str, bytes]:
    """The file itself, for other tools, and its JSON: so the page needs no YAML reader."""
    text = path.read_bytes()
    try:
        value = load(text.decode("utf-8"))
    except YamlFault as fault:
        raise Fault(f"{path.name}: {fault}") from fault
    compact = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return {f"docs/{path.name}": text, f"docs/{path.stem}.json": compact.encode()}
