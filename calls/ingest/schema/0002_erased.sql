-- Rows of an import whose number was erased: counted, and not kept.
ALTER TABLE imports ADD COLUMN erased_count BIGINT NOT NULL DEFAULT 0;

-- Persons whose erasure has begun and is not at its end: their numbers have left the book, their calls are being detached.
-- sealed: the order for phones that had calls with the number, under the organisation's key.
CREATE TABLE erasing_numbers (
  org_id BIGINT NOT NULL,
  num BIGINT NOT NULL,
  order_id TEXT NOT NULL,
  sealed BLOB NOT NULL,
  begun_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id, num)
) WITHOUT ROWID;
