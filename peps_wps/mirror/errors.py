"""Errors of the mirror; none of their messages holds a credential."""

from peps_wps.errors import PepsError


class MirrorError(PepsError):
    """Base of what the mirror raises."""


class SourceFileError(MirrorError):
    """The file of sources, or a file of credentials, cannot be used."""


class CredentialsError(MirrorError):
    """A source does not accept our credentials."""


class HubUnavailableError(MirrorError):
    """A source does not answer, or asks for a pause: nothing is wrong with what was asked."""


class HubAnswerError(MirrorError):
    """A source answers what its interface does not allow."""


class HubRefusalError(MirrorError):
    """A source refuses a product."""


class DownloadBrokenError(MirrorError):
    """A download ended early; what arrived can be continued."""


class CorruptDownloadError(MirrorError):
    """What arrived is not what the source announced."""


class UnusableProductError(MirrorError):
    """What arrived is what was announced, and no sound product."""


class StoppedError(MirrorError):
    """The run was told to stop."""


class NoRoomError(MirrorError):
    """There is no room left to store a product."""


class BusyError(MirrorError):
    """Another run follows this source."""
