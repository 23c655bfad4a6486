-- Mails that were sent or wait to be. Address, subject and text lie sealed under the organisation's key; org_id 0 is the
-- installation itself (links to set a password belong to a person and to no organisation).
CREATE TABLE mails (
  org_id BIGINT NOT NULL,
  id TEXT NOT NULL,
  sealed BLOB NOT NULL,
  state TEXT NOT NULL, -- waiting, sent, failed, local
  attempts INTEGER NOT NULL,
  next_ms BIGINT NOT NULL, -- when it is tried next, while it waits
  created_ms BIGINT NOT NULL,
  ended_ms BIGINT NOT NULL, -- when it was sent or given up; 0 before
  sentence TEXT NOT NULL, -- why the last attempt failed
  PRIMARY KEY (org_id, id)
) WITHOUT ROWID;
-- Delivery asks for what is due in all organisations.
CREATE INDEX mails_due ON mails (state, next_ms);
