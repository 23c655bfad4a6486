-- By what the mails of one person are found: a keyed hash of the address, which outlives a change of the index key. Mails from
-- before have none, and are gone within weeks.
ALTER TABLE mails ADD COLUMN to_hash BLOB;
CREATE INDEX mails_to ON mails (org_id, to_hash, created_ms);
