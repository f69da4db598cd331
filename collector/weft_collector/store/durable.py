"""Writing whole files so that a crash leaves the old one or the new one, never a part."""

from typing import Final

from weft_collector.store.files import Files

__all__ = ["DRAFT", "put", "remove_drafts"]

DRAFT: Final = ".draft"
"""The end of the name of a file that is being written; whoever opens the folder removes such files."""


def put(files: Files, name: str, content: bytes | memoryview) -> None:
    """Write a file under a temporary name, make its bytes durable, and give it its name.

    The name is durable only after `files.sync_folder`, so that several files can share one.
    """
    file = files.create(name + DRAFT)
    try:
        file.write(content)
        file.sync()
    finally:
        file.close()
    files.rename(name + DRAFT, name)


def remove_drafts(files: Files) -> None:
    """Remove what an interrupted `put` has left."""
    for name in files.names():
        if name.endswith(DRAFT):
            files.remove(name)
