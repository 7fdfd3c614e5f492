"""People who attend, and the codes on their badges. Owns `ticket_type`, `attendee` and `badge`."""
