"""Jobs: rows, claims, order of the queue, outlook, expiry; and the workers."""
