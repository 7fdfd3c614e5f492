"""The one exception by which a command says no."""


class Refused(Exception):
    """A command cannot do what it was asked; the message is one sentence that says what to do."""
