"""A full disk refuses writes, and accepts them again when space is freed."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from nemesis.disk import Disk, run


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    disk = Disk(SimpleNamespace(run_dir=tmp_path), 16)
    disk.place.mkdir(parents=True)
    why_not = run("mount", "-t", "tmpfs", "-o", "size=16m", "parley-faults", str(disk.place))
    if why_not:
        pytest.skip(f"mounting is not allowed here: {why_not}")
    yield disk
    run("umount", str(disk.place))


def test_a_full_disk_can_be_freed(disk: Disk):
    disk.fill()
    assert disk.left_mib() == 0
    with pytest.raises(OSError, match="No space left"):
        (disk.place / "one").write_bytes(bytes(5000))
    disk.free()
    assert disk.left_mib() > 10
    (disk.place / "two").write_bytes(bytes(1 << 20))


def test_a_leftover_mount_is_unmounted(disk: Disk, tmp_path: Path):
    (disk.place / "left").write_text("by a run that was killed")
    Disk(SimpleNamespace(run_dir=tmp_path), 16)
    assert not list(disk.place.iterdir())
