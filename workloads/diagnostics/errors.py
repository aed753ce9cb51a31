"""The one failure of a diagnostic job."""


class FailedAsAsked(Exception):
    """The job was told to fail."""
