"""An event: what it is called, when and where it is, which languages it speaks. Owns `event` and `organizer`."""
