"""What the organizers tell everybody. Owns `announcement`; emits `announcement.published` on channel `announcements`."""
