"""Badges on paper: a PDF with the QR, the name in Latin and Arabic script, company and ticket. Pure: rows in, bytes out.

`bidi` orders a line that mixes scripts, `lettering` shapes and fits it, `qr` draws the code, `badge` is the layout, `pdf` the
file, `sheets` puts badges on pages. The fonts in `fonts/` are Noto's, under the SIL Open Font License that lies beside them.
"""
