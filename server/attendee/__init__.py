"""People who attend, and their badges. Owns `ticket_type`, `attendee` and `badge`."""
