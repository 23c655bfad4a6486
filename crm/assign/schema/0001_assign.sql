-- Rules of an organisation, in the order of place. kind: 0 says who gets a new lead, 1 who gets one that waited too long. spec:
-- the rest of the rule as JSON.
CREATE TABLE assign_rules (
  org_id BIGINT NOT NULL,
  rule TEXT NOT NULL,
  kind SMALLINT NOT NULL,
  place INTEGER NOT NULL,
  spec TEXT NOT NULL,
  rev BIGINT NOT NULL,
  changed_ms BIGINT NOT NULL,
  changed_by TEXT NOT NULL,
  PRIMARY KEY (org_id, rule)
) WITHOUT ROWID;

-- What else an organisation says about assignment, as JSON. There is no row until somebody changed something.
CREATE TABLE assign_settings (
  org_id BIGINT NOT NULL PRIMARY KEY,
  spec TEXT NOT NULL,
  rev BIGINT NOT NULL,
  changed_ms BIGINT NOT NULL,
  changed_by TEXT NOT NULL
) WITHOUT ROWID;

-- What a member takes: languages, territories and caps, as JSON.
CREATE TABLE assignees (
  org_id BIGINT NOT NULL,
  member TEXT NOT NULL,
  spec TEXT NOT NULL,
  changed_ms BIGINT NOT NULL,
  changed_by TEXT NOT NULL,
  PRIMARY KEY (org_id, member)
) WITHOUT ROWID;

-- When members are away. Why is not kept.
CREATE TABLE member_absences (
  org_id BIGINT NOT NULL,
  absence TEXT NOT NULL,
  member TEXT NOT NULL,
  from_ms BIGINT NOT NULL,
  until_ms BIGINT NOT NULL,
  made_ms BIGINT NOT NULL,
  made_by TEXT NOT NULL,
  PRIMARY KEY (org_id, absence)
) WITHOUT ROWID;
CREATE INDEX member_absences_until ON member_absences (org_id, until_ms);

-- Whose turn it is: how much each member has coming, in 2^-32 of a lead. part: 0 the rule's own people, 1 those behind them.
CREATE TABLE assign_turns (
  org_id BIGINT NOT NULL,
  rule TEXT NOT NULL,
  part SMALLINT NOT NULL,
  credits TEXT NOT NULL,
  PRIMARY KEY (org_id, rule, part)
) WITHOUT ROWID;

-- The number of the next decision of an organisation. Whoever takes one decides alone until their transaction ends.
CREATE TABLE assign_counters (
  org_id BIGINT NOT NULL PRIMARY KEY,
  next BIGINT NOT NULL
) WITHOUT ROWID;

-- Every decision. kind: 0 a new lead, 1 one that waited too long. owner: '' = nobody; was: who had it before. why: the parts of a
-- sentence as JSON; skipped: "member reason detail" with semicolons between. until_ms: it waits until then, 0 = not.
CREATE TABLE assign_log (
  org_id BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  at_ms BIGINT NOT NULL,
  kind SMALLINT NOT NULL,
  lead TEXT NOT NULL,
  subject BIGINT NOT NULL,
  rule TEXT NOT NULL,
  owner TEXT NOT NULL,
  was TEXT NOT NULL,
  team TEXT NOT NULL,
  why TEXT NOT NULL,
  skipped TEXT NOT NULL,
  until_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id, seq)
) WITHOUT ROWID;
CREATE INDEX assign_log_lead ON assign_log (org_id, lead, seq);
CREATE INDEX assign_log_owner ON assign_log (org_id, owner, at_ms);
CREATE INDEX assign_log_subject ON assign_log (org_id, subject);

-- Leads that wait for somebody to be back. since_ms: since when.
CREATE TABLE assign_queue (
  org_id BIGINT NOT NULL,
  lead TEXT NOT NULL,
  subject BIGINT NOT NULL,
  since_ms BIGINT NOT NULL,
  due_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id, lead)
) WITHOUT ROWID;
CREATE INDEX assign_queue_due ON assign_queue (org_id, due_ms);

-- Leads that are looked after, where rules take those away that wait too long. owner and since_ms: who has it since when; due_ms:
-- when it has waited too long for a first attempt, 0 = it does not wait; late_ms: when the follow-up is looked at again; moves:
-- how often it was taken away; told: 1 = the log says that nobody could take it.
CREATE TABLE assign_watch (
  org_id BIGINT NOT NULL,
  lead TEXT NOT NULL,
  subject BIGINT NOT NULL,
  owner TEXT NOT NULL,
  since_ms BIGINT NOT NULL,
  due_ms BIGINT NOT NULL,
  late_ms BIGINT NOT NULL,
  moves INTEGER NOT NULL,
  told SMALLINT NOT NULL,
  PRIMARY KEY (org_id, lead)
) WITHOUT ROWID;
CREATE INDEX assign_watch_due ON assign_watch (org_id, due_ms) WHERE due_ms > 0;

-- Up to which change of leads the table above is true.
CREATE TABLE assign_followed (
  org_id BIGINT NOT NULL,
  field TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  lead TEXT NOT NULL,
  PRIMARY KEY (org_id, field)
) WITHOUT ROWID;

-- Who said that they are about to call a number. Rows count until until_ms and live a little longer.
CREATE TABLE dial_marks (
  org_id BIGINT NOT NULL,
  num BIGINT NOT NULL,
  member TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  until_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id, num, member)
) WITHOUT ROWID;
CREATE INDEX dial_marks_until ON dial_marks (org_id, until_ms);

-- How many open leads members have, so that a decision need not count them. gen grows with every change of a member's leads; open
-- holds while counted equals gen.
CREATE TABLE assign_loads (
  org_id BIGINT NOT NULL,
  member TEXT NOT NULL,
  open INTEGER NOT NULL,
  gen BIGINT NOT NULL,
  counted BIGINT NOT NULL,
  PRIMARY KEY (org_id, member)
) WITHOUT ROWID;
