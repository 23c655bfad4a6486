-- Orders to phones to forget a number whose person's data was erased, one row per phone that had calls with it. sealed: by
-- what the phone finds the number, under the organisation's key; NULL once the phone has said that it is done.
CREATE TABLE forget_orders (
  org_id BIGINT NOT NULL,
  id TEXT NOT NULL,
  device_id TEXT NOT NULL,
  sealed BLOB,
  issued_ms BIGINT NOT NULL,
  done_ms BIGINT NOT NULL, -- 0 = not answered yet
  PRIMARY KEY (org_id, id, device_id)
) WITHOUT ROWID;
CREATE INDEX forget_orders_device ON forget_orders (org_id, device_id, done_ms);
