"""Files of published data: where they are kept, and how they are fetched once."""

import os
from dataclasses import dataclass
from pathlib import Path


def folder(root: str | Path | None = None) -> Path:
    """The folder of downloaded files: ``root``, else ``$NTKAL_DATA``, else the user's cache folder.

    Example:
        >>> folder("somewhere").name
        'somewhere'
    """
    if root is None:
        root = os.environ.get("NTKAL_DATA") or None
    if root is None:
        import pooch

        root = pooch.os_cache("ntkal")
    return Path(root).expanduser()


@dataclass(frozen=True)
class File:
    """A published file.

    Attributes:
        url: Its address; what follows the last slash is the file's name.
        checksum: ``"sha256:"`` or ``"md5:"`` and the digits.
    """

    url: str
    checksum: str

    @property
    def name(self) -> str:
        """The file's name."""
        return self.url.rsplit("/", 1)[1]

    def find(self, place: Path) -> Path:
        """The file's path in the folder ``place``, after a download when it is not there."""
        path = place / self.name
        if not path.is_file():
            _fetch(path, self)
        return path

    def again(self, path: Path) -> str:
        """What to do about a bad copy."""
        return f"Delete {path} and load again to fetch a fresh copy from {self.url}."


def _fetch(path: Path, file: File, retries: int = 3) -> None:
    """Download to a temporary file beside ``path`` that takes its name once the checksum is right."""
    import pooch
    import requests

    address, checksum = {path.name: file.url}, {path.name: file.checksum}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        store = pooch.create(path.parent, "", registry=checksum, urls=address, retry_if_failed=retries)
        store.fetch(path.name, downloader=pooch.HTTPDownloader(timeout=30))
    except (requests.RequestException, OSError, ValueError) as error:
        kind, digits = file.checksum.split(":")
        kind = {"sha256": "SHA-256", "md5": "MD5"}[kind]
        raise ConnectionError(
            f"Could not fetch {path.name} into {path.parent} ({type(error).__name__}). Fetch {file.url} by "
            f"hand, check that its {kind} is {digits}, and save it as {path}; or set NTKAL_DATA to a folder "
            f"with {path.name}. The data sets digits and mnist5k need no download."
        ) from error
