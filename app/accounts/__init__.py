"""Staff and shippers who sign in, their roles, API tokens, and the tenants they belong to."""
