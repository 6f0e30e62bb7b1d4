"""sources - what a site is made of: the files of web/, and the papers of docs/protocol."""

import json
from pathlib import Path

from publisher.site import ASSETS, DOCUMENTS, Fault
from publisher.yaml_subset import YamlFault, load

PAPERS = ("openapi", "asyncapi")
NO_PAGES = ("publisher", "tests")


def read_sources(web: Path) -> dict[str, bytes]:
    """The path of each file on the site, before its name gets a hash, and its content."""
    sources = {}
    for path in sorted(web.rglob("*")):
        name = path.relative_to(web)
        if path.is_file() and path.suffix in DOCUMENTS + ASSETS and \
                not set(name.parts) & set(NO_PAGES):
            sources[name.as_posix()] = path.read_bytes()
    for paper in PAPERS:
        sources |= paper_sources(web.parent / "docs" / "protocol" / f"{paper}.yaml")
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
