-- Numbers whose calls before a day are being detached because they went to the archive: decided, and not at its end. The
-- order to phones is as in erasing_numbers.
CREATE TABLE taking_numbers (
  org_id BIGINT NOT NULL,
  num BIGINT NOT NULL,
  before_day INTEGER NOT NULL,
  order_id TEXT NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY (org_id, num)
) WITHOUT ROWID;
