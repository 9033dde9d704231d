"""Why two images cannot be registered."""


class RegistrationError(ValueError):
    """The images do not say how one must move to lie on the other."""
