"""Files in and out: schedules and lists in the formats of the field. Pure: bytes in, values out, no database.

- `programme`: what every reader returns and every writer takes
- `detect`: the one door for files; `json_formats` behind it, for there are many kinds of JSON
- `frab/`: schedule.xml and schedule.json, read and written
- `ical/`: iCalendar, read and written
- `json_lists/`: JSON of pretalx, of Sessionize and of anybody's own lists of sessions, read
- `sheet/`: tables in CSV and workbooks of Excel, read and written, and the template that organisers fill in
- `reading/`: what the readers share, from single values to the list of mends
- `plain_text`: HTML and Markdown as text, for writers and for the search; `errors`: a file that cannot be read

No format knows another one.
"""
