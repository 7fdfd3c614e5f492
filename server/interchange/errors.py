"""What a reader of files raises when it cannot read one at all."""


class UnreadableSchedule(Exception):
    """The file must be refused whole.

    Its text is one sentence for the organiser: the place in the file, then what to do. What a reader can mend is no
    error but a `Repair`.
    """
