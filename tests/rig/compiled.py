"""Templates are compiled once for all the apps that tests make."""

from typing import Final

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

_COMPILED: Final[dict[str, bytes]] = {}


class Shared(BytecodeCache):
    """Compiled templates in memory, by name and content."""

    def load_bytecode(self, bucket: Bucket) -> None:
        kept = _COMPILED.get(f"{bucket.key}{bucket.checksum}")
        if kept is not None:
            bucket.bytecode_from_string(kept)

    def dump_bytecode(self, bucket: Bucket) -> None:
        _COMPILED[f"{bucket.key}{bucket.checksum}"] = bucket.bytecode_to_string()


def once() -> None:
    """From now on every app in this process finds what another one has compiled."""
    Flask.jinja_options = {"bytecode_cache": Shared()}
