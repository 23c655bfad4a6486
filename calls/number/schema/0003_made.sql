-- When a number came into the book: what its period counts from as long as it has no call. 0 is not known yet.
ALTER TABLE numbers ADD COLUMN made_ms BIGINT NOT NULL DEFAULT 0;

CREATE INDEX numbers_undated ON numbers (org_id) WHERE made_ms = 0;
