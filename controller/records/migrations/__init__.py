"""How the tables came to be, step by step; run by `database.migrate`. A released step is never changed."""
