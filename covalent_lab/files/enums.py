"""The words of file transfers."""

from enum import StrEnum

__all__ = ["FileSchemes", "FtCallDepReturnValue", "Order"]


class Order(StrEnum):
    """When a transfer happens."""

    BEFORE = "before"
    """Before the task runs."""
    AFTER = "after"
    """After it has returned."""


class FileSchemes(StrEnum):
    """What the part of a URI before `://` may be, besides schemes that were registered."""

    File = "file"
    S3 = "s3"
    Blob = "blob"
    GCloud = "gs"
    Globus = "globus"
    HTTP = "http"
    HTTPS = "https"
    FTP = "ftp"


class FtCallDepReturnValue(StrEnum):
    """Which paths a transfer's first call returns."""

    FROM = "from"
    """The source's."""
    TO = "to"
    """The destination's."""
    FROM_TO = "from_to"
    """Both, as a tuple."""
