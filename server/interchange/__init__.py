"""Files in and out: schedules and lists in the formats of the field. Pure: bytes in, values out, no database."""
