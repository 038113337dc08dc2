"""The database: its base class, its one unit of work, its types, its outbox and its private server."""
