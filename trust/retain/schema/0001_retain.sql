-- Plans of retention: what was due, whom it was told, and what was removed. Rows stay as the history; which items they
-- were is known only until the plan has ended.
CREATE TABLE retain_plans (
  org_id BIGINT NOT NULL,
  id TEXT NOT NULL,
  keeper TEXT NOT NULL,
  category TEXT NOT NULL,
  part TEXT NOT NULL,
  from_event TEXT NOT NULL,
  period TEXT NOT NULL, -- as the policy writes it, such as 365d
  before_ms BIGINT NOT NULL, -- due is what has its event before
  archives SMALLINT NOT NULL, -- items go to the archive first
  state TEXT NOT NULL, -- waiting, applied, cancelled, failed
  items BIGINT NOT NULL,
  row_count BIGINT NOT NULL,
  bytes BIGINT NOT NULL,
  oldest_ms BIGINT NOT NULL,
  newest_ms BIGINT NOT NULL,
  total_rows BIGINT NOT NULL, -- of the keeper, when the plan was made
  held BIGINT NOT NULL, -- items that a legal hold keeps
  locked BIGINT NOT NULL, -- items that a law keeps
  digest BLOB NOT NULL,
  wide SMALLINT NOT NULL, -- an unusual share: waits for a person
  made_ms BIGINT NOT NULL,
  due_ms BIGINT NOT NULL, -- not applied before
  told BIGINT NOT NULL, -- mails that went out
  confirmed_by TEXT NOT NULL,
  confirmed_ms BIGINT NOT NULL, -- 0 = not confirmed
  ended_ms BIGINT NOT NULL, -- 0 while it waits
  removed_rows BIGINT NOT NULL,
  removed_digest BLOB NOT NULL,
  why TEXT NOT NULL, -- a sentence, when it was cancelled or failed
  PRIMARY KEY (org_id, id)
) WITHOUT ROWID;
CREATE INDEX retain_plans_state ON retain_plans (org_id, state, keeper);

CREATE TABLE retain_items (
  org_id BIGINT NOT NULL,
  plan TEXT NOT NULL,
  item TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  row_count BIGINT NOT NULL,
  PRIMARY KEY (org_id, plan, item)
) WITHOUT ROWID;

-- What would have gone and must stay because a law says so: locked until the law's period ends. item is '' when all that
-- a person has in the category is locked.
CREATE TABLE retain_locks (
  org_id BIGINT NOT NULL,
  category TEXT NOT NULL,
  item TEXT NOT NULL,
  person TEXT NOT NULL, -- number/17 or member/mem_…, '' = nobody in particular
  law TEXT NOT NULL,
  since_ms BIGINT NOT NULL,
  until_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id, category, person, item)
) WITHOUT ROWID;
CREATE INDEX retain_locks_person ON retain_locks (org_id, person);

CREATE TABLE retain_runs (
  org_id BIGINT NOT NULL PRIMARY KEY,
  last_ms BIGINT NOT NULL,
  failed SMALLINT NOT NULL
);

-- The archive: sealed under the key of the person where it is a person's, and that under the archive's own key.
CREATE TABLE archive_items (
  org_id BIGINT NOT NULL,
  id TEXT NOT NULL,
  keeper TEXT NOT NULL,
  category TEXT NOT NULL,
  item TEXT NOT NULL,
  person TEXT NOT NULL, -- whose it is, as in retain_locks
  at_ms BIGINT NOT NULL, -- the event that the first period counted from
  row_count BIGINT NOT NULL,
  archived_ms BIGINT NOT NULL,
  plan TEXT NOT NULL, -- that put it here
  settled SMALLINT NOT NULL, -- 0 until the rows were removed
  sealed BLOB NOT NULL,
  PRIMARY KEY (org_id, id)
) WITHOUT ROWID;
CREATE INDEX archive_items_person ON archive_items (org_id, person);
CREATE INDEX archive_items_age ON archive_items (org_id, category, archived_ms);

-- Reviews of the archive: somebody is asked now and then, and signs what they decide.
CREATE TABLE archive_reviews (
  org_id BIGINT NOT NULL,
  id TEXT NOT NULL,
  category TEXT NOT NULL,
  opened_ms BIGINT NOT NULL,
  due_ms BIGINT NOT NULL,
  items BIGINT NOT NULL,
  digest BLOB NOT NULL, -- of the items that were there to be reviewed
  decision TEXT NOT NULL, -- '' while it is open; keep, erase
  signer TEXT NOT NULL,
  decided_ms BIGINT NOT NULL,
  removed BIGINT NOT NULL,
  note_sealed BLOB,
  PRIMARY KEY (org_id, id)
) WITHOUT ROWID;
