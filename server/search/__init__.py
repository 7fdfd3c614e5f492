"""Finding sessions, speakers and exhibitors by what one types. Owns `search_entry` and `search_spelling`."""
