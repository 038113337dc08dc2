"""Mail and SMS to people outside: written in the transaction of their cause, sent after its commit."""
