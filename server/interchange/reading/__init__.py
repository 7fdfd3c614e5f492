"""What the readers of all formats share.

- `values`, `texts`: a single value or text, read tolerantly; `arabic_letters` mends letters that PDF files leave behind
- `json_values`: JSON decoded, with limits
- `keys`, `session_keys`: one key for each thing of a file, the same one in every later file
- `spans`: when a session is
- `repairs`: the list of what was mended
"""
