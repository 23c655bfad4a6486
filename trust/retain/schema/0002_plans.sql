-- What one plan put into the archive, for the run that goes on with it.
CREATE INDEX archive_items_plan ON archive_items (org_id, plan);
