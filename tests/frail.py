"""A store for tests, ``frail://``, that fails when asked to; on disk, so that it outlives its process, which may die.

Like an object store it has no folders, shows nothing before it is whole, and has exceptions of its own.
"""

import os
import signal

import fsspec
from fsspec.implementations.dirfs import DirFileSystem
from fsspec.implementations.local import LocalFileSystem

ROOT = "FRAIL_ROOT"  # the folder behind it, and what it does after so many writes, in the environment
LEFT = "FRAIL_LEFT"
THEN = "FRAIL_THEN"


class StoreError(Exception):
    """What the store says when it cannot write."""


class Death(BaseException):
    """The end of the process, as far as the store can tell: nothing comes after it."""


class Frail(DirFileSystem):
    protocol = "frail"
    cachable = False

    def __init__(self, **_):
        super().__init__(os.environ[ROOT], LocalFileSystem(auto_mkdir=True))

    def pipe_file(self, path, value, mode="overwrite"):
        if mode == "create" and os.environ.get(THEN) == "no create":
            raise TypeError("unexpected keyword argument 'mode'")
        self._write()
        super().pipe_file(path, value, mode=mode)

    def put_file(self, lpath, rpath):
        self._write()
        super().put_file(lpath, rpath)

    def put(self, lpath, rpath):
        for one, other in zip(lpath, rpath, strict=True):
            self.put_file(one, other)

    def rm(self, path, recursive=False):
        self._write()
        super().rm(path, recursive=recursive)

    def _write(self):
        if LEFT not in os.environ:
            return
        if left := int(os.environ[LEFT]):
            os.environ[LEFT] = str(left - 1)
            return
        match os.environ[THEN]:
            case "die":
                raise Death("dead")
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "fail once":
                del os.environ[LEFT]
        raise StoreError("no room in the store")


fsspec.register_implementation("frail", Frail, clobber=True)
