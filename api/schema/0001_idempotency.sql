-- What a write with an idempotency key answered, for a day. key is a hash of caller and key, request one of method,
-- address and body. status 0 means that the write is under way. The answer is sealed under the organisation's key.
CREATE TABLE idempotency (
	org_id     BIGINT NOT NULL,
	key        BLOB NOT NULL,
	request    BLOB NOT NULL,
	status     INTEGER NOT NULL,
	answer     BLOB,
	created_ms BIGINT NOT NULL,
	PRIMARY KEY (org_id, key)
) WITHOUT ROWID;
CREATE INDEX idempotency_age ON idempotency (org_id, created_ms);
