"""The shipped sample city is what its code makes, byte for byte."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pytest

from deploy_opt.inputs.sample_city import write_sample_city

CITY = Path(__file__).parents[2] / "data" / "sample_city"


def plain_bytes(path):
    content = path.read_bytes()
    return gzip.decompress(content) if path.suffix == ".gz" else content


def files_below(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_the_listed_hashes_are_those_of_the_shipped_files():
    listed = {}
    for line in (CITY / "SHA256SUMS").read_text(encoding="utf-8").splitlines():
        digest, path = line.removesuffix("  (unpacked)").split("  ")
        listed[path] = digest
    found = [path for path in files_below(CITY) if path != "SHA256SUMS"]
    assert sorted(listed) == found
    for path, digest in listed.items():
        assert hashlib.sha256(plain_bytes(CITY / path)).hexdigest() == digest, path


@pytest.mark.slow
def test_making_the_city_again_gives_the_shipped_bytes(tmp_path):
    write_sample_city(tmp_path / "stad Ülm")
    made = tmp_path / "stad Ülm"
    assert files_below(made) == files_below(CITY)
    differing = [
        path for path in files_below(CITY) if plain_bytes(made / path) != plain_bytes(CITY / path)
    ]
    assert differing == []


def test_packed_files_carry_no_time_stamp():
    for path in CITY.rglob("*.gz"):
        head = path.read_bytes()[:10]
        assert head[3] == 0, path
        assert head[4:8] == b"\0\0\0\0", path
