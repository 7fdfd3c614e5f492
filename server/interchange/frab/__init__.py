"""Frab's family: schedule.xml, and schedule.json in its versions 1 and 2.

Read: `xml_reader` (on `xml_tree`) and `json_reader` (with `json_parts`) make a `draft`, all that the file says; `mend` makes a
`Programme` of it, with `days`, `times`, `places` (rooms, tracks, kinds), `people`, `links` and `sessions`; `extra` keeps
what a `Programme` has no place for.

Written: `export` makes a publication ready, `layout` lays its sessions out by day and room, then `xml_writer`,
`json_v1_writer` and `json_v2_writer` (with `json_writing`) write; `wording` is what all three say in the same words.

Both ways, so that our own files come back whole: `columns`, `kept`, and `additions` with `sound`.
"""
