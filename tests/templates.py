"""Compiled templates, kept for the whole process: every test creates an application, whose Jinja
environment would compile the same templates again."""

from types import CodeType

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket


class CompiledTemplates(BytecodeCache):
    def __init__(self) -> None:
        # By Jinja's hash of a template's name and file; with the hash of its text.
        self._kept: dict[str, tuple[str, CodeType | None]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        checksum, code = self._kept.get(bucket.key, ("", None))
        if checksum == bucket.checksum:
            bucket.code = code

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = (bucket.checksum, bucket.code)


def keep_compiled() -> None:
    """Let all applications of this process share their compiled templates."""
    Flask.jinja_options = {"bytecode_cache": CompiledTemplates()}
