"""One person, one file: customer records, the identities that recognise them, their addresses."""
