"""Programmes in tables: CSV, and workbooks of Excel.

Read: `csv_files` or `xlsx_reader` turn a file into `cells`; `mend` finds out which sheet is what, then come `about`, `listed`
(rooms, tracks, kinds, speakers, days) and `sessions` (on `rows`), with `things` as the register of what is named and `checked`
for cells that promise something, `urls` among them.

Written: `tables` lays a publication out in cells, `xlsx_writer` and `csv_files` write them; `template` is the empty workbook,
explained by `guide`.

Both ways: `columns` and `words` are the heads and words in three languages, `cell_lists` several things in one cell, `times`
days and clocks as people type them.
"""
