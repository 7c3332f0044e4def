"""One module a requirement, named by its ID. The catalogue says which are loaded; there is no list here."""
