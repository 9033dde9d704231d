"""Files, their copies on disk, recalls, and the requests that wait for them."""
