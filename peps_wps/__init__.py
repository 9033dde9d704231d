"""The service: protocols, jobs, staging, chains, readers and writers."""
