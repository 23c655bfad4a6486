-- What changed of calls and has not been looked at yet: one row per transaction, written in it. b: agents' days with the
-- numbers whose calls changed, see touched.go. Rows live for seconds.
CREATE TABLE touched_calls (
  org_id BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  at_ms BIGINT NOT NULL,
  b BLOB NOT NULL,
  PRIMARY KEY (org_id, seq)
) WITHOUT ROWID;

-- Contacts whose leads are to be reckoned from their calls anew, not before after_ms. n grows with every mark, so that one
-- which comes while a contact is reckoned is not lost.
CREATE TABLE due_contacts (
  org_id BIGINT NOT NULL,
  contact TEXT NOT NULL,
  n BIGINT NOT NULL,
  after_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id, contact)
) WITHOUT ROWID;

-- By which threshold (seconds of talk) the leads of an organisation are reckoned.
CREATE TABLE attach_reckoned (
  org_id BIGINT NOT NULL PRIMARY KEY,
  connected_from INTEGER NOT NULL
) WITHOUT ROWID;

-- Lines that make leads of unknown callers. since_ms: of calls from then on; dirs: 1 incoming, 2 outgoing, 3 both; min_seconds:
-- of talk, 0 takes missed calls, too; pipeline: '' is the organisation's first; source: what the leads have as their source.
CREATE TABLE lead_lines (
  org_id BIGINT NOT NULL,
  line INTEGER NOT NULL,
  dirs SMALLINT NOT NULL,
  min_seconds INTEGER NOT NULL,
  pipeline TEXT NOT NULL,
  source TEXT NOT NULL,
  since_ms BIGINT NOT NULL,
  by_member TEXT NOT NULL,
  PRIMARY KEY (org_id, line)
) WITHOUT ROWID;

-- Stages that leads move to by themselves: at the first attempt to call, and at the first connected call. '' moves none.
CREATE TABLE stage_rules (
  org_id BIGINT NOT NULL,
  pipeline TEXT NOT NULL,
  attempted TEXT NOT NULL,
  connected TEXT NOT NULL,
  by_member TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id, pipeline)
) WITHOUT ROWID;

-- Leads that a call made: the call's start, from which their calls count.
CREATE TABLE call_leads (
  org_id BIGINT NOT NULL,
  lead TEXT NOT NULL,
  num BIGINT NOT NULL,
  start BIGINT NOT NULL,
  line INTEGER NOT NULL,
  PRIMARY KEY (org_id, lead)
) WITHOUT ROWID;
CREATE INDEX call_leads_num ON call_leads (org_id, num);

-- Follow-ups that a connected call settled, by that call's key. One that was opened again is not settled by the same call.
CREATE TABLE settled_follow_ups (
  org_id BIGINT NOT NULL,
  follow_up TEXT NOT NULL,
  contact TEXT NOT NULL,
  day INTEGER NOT NULL,
  agent INTEGER NOT NULL,
  start BIGINT NOT NULL,
  num BIGINT NOT NULL,
  dir SMALLINT NOT NULL,
  line INTEGER NOT NULL,
  PRIMARY KEY (org_id, follow_up)
) WITHOUT ROWID;
CREATE INDEX settled_follow_ups_contact ON settled_follow_ups (org_id, contact);
