"""folder - writes a site into the folder that nginx serves."""

import gzip
import hashlib
import os
from pathlib import Path

# What this publisher has written, so that the next one removes nothing else.
LIST = ".published"
# What gzip must save, so that a second file is worth it.
GZIP_SAVES = 64


def write(folder: Path, documents: dict[str, bytes], assets: dict[str, bytes]) -> None:
    """A document is replaced after the files that it names are there. What is not of this
    site any more is removed last."""
    make_folder(folder)
    written = []
    for files in (assets, documents):
        for name, content in files.items():
            written += write_file(folder, name, content)
    earlier = folder / LIST
    stale = set(earlier.read_text("utf-8").split("\n")) if earlier.exists() else set()
    replace(earlier, "\n".join(written).encode())
    for name in stale - set(written):
        if name:
            (folder / name).unlink(missing_ok=True)


def write_file(folder: Path, name: str, content: bytes) -> list[str]:
    path = folder / name
    for parent in reversed(path.relative_to(folder).parents):
        make_folder(folder / parent)
    compressed = gzip.compress(content, 9, mtime=0)
    # nginx prefers the compressed file, so it must not be older than the other.
    if len(compressed) + GZIP_SAVES <= len(content):
        replace(path.with_name(path.name + ".gz"), compressed)
        replace(path, content)
        return [name, name + ".gz"]
    path.with_name(path.name + ".gz").unlink(missing_ok=True)
    replace(path, content)
    return [name]


def make_folder(path: Path) -> None:
    """The workers of nginx have another user, and the umask may be strict."""
    if not path.is_dir():
        path.mkdir(parents=True)
        path.chmod(0o755)


def replace(path: Path, content: bytes) -> None:
    new = path.with_name(f".{path.name}.new")
    new.write_bytes(content)
    new.chmod(0o644)
    # nginx makes the ETag of a file of its time and size. A time that follows from the
    # content makes it change exactly when the content does, on every machine.
    stamp = int.from_bytes(hashlib.sha256(content).digest()[:4], "big") >> 2
    os.utime(new, (stamp, stamp))
    os.replace(new, path)
