"""Events for other people's programs: messages signed by Standard Webhooks 1.0, with a log and replay."""
