"""Keep people out of what is published: suppression, masks, hashes, schemas, an audit log."""
