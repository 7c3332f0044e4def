"""Every error that a user can cause, under one root.

Each message is one line that says what, where and what to do. The command line turns the class into an exit code.
"""


class PinproofError(Exception):
    """Root of all errors that Pinproof raises on purpose."""


class InputError(PinproofError):
    """An input file cannot be read or is not what it should be (exit code 2)."""


class ImageError(InputError):
    """The firmware image is malformed, ambiguous or not for this architecture."""


class DeclarationError(InputError):
    """The declaration (`module.toml`) or a file it names is malformed or impossible."""


class SiliconError(InputError):
    """There is no usable silicon file for the declared part."""


class CertificateError(InputError):
    """The certificate or trust file cannot be parsed."""


class KeyFileError(InputError):
    """A signing key cannot be read."""


class NotConforming(PinproofError):
    """A certificate was asked for an image that does not conform (exit code 1 or 3, by verdict)."""


class TrustError(PinproofError):
    """A signature, digest or trust rule does not hold (exit code 5)."""


class ExpiredError(PinproofError):
    """The certificate is expired, withdrawn or its status is stale (exit code 6)."""
