-- Incidents: what went wrong with people's data. *_sealed columns are encrypted under the organisation's key.
CREATE TABLE incidents (
  org_id BIGINT NOT NULL,
  id TEXT NOT NULL,
  state TEXT NOT NULL, -- open, closed
  risk TEXT NOT NULL, -- low, high
  categories TEXT NOT NULL, -- keys of the policy with spaces between
  places TEXT NOT NULL, -- whose law applies, with spaces between: IN, DE, US-CA
  began_ms BIGINT NOT NULL, -- when it happened, as far as it is known; 0 = not known
  ended_ms BIGINT NOT NULL,
  noticed_ms BIGINT NOT NULL, -- clocks count from here
  scope_from BIGINT NOT NULL, -- first and last day of the calls concerned; 0 = any
  scope_to BIGINT NOT NULL,
  scope_agents TEXT NOT NULL, -- members' ids with spaces between; '' = all
  affected BIGINT NOT NULL, -- people, when it was last counted; -1 = never
  affected_digest BLOB NOT NULL,
  counted_ms BIGINT NOT NULL,
  sealed BLOB NOT NULL, -- title, what happened, systems, consequences, advice, numbers concerned
  opened_by TEXT NOT NULL, -- a member's id, '' = the operator
  opened_ms BIGINT NOT NULL,
  closed_by TEXT NOT NULL,
  closed_ms BIGINT NOT NULL, -- 0 while it is open
  report_sealed BLOB,
  PRIMARY KEY (org_id, id)
) WITHOUT ROWID;

-- What was done about an incident, in its order: measures, decisions, notices that went out.
CREATE TABLE incident_steps (
  org_id BIGINT NOT NULL,
  incident TEXT NOT NULL,
  n BIGINT NOT NULL,
  kind TEXT NOT NULL, -- note, measure, decision, notice, waived
  clock TEXT NOT NULL, -- which clock a notice or waiver is about
  by_member TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY (org_id, incident, n)
) WITHOUT ROWID;

-- Alarms about clocks that went out, so that each goes out once.
CREATE TABLE incident_alarms (
  org_id BIGINT NOT NULL,
  incident TEXT NOT NULL,
  clock TEXT NOT NULL,
  stage TEXT NOT NULL, -- half, soon, over
  at_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id, incident, clock, stage)
) WITHOUT ROWID;

-- Requests of authorities for data.
CREATE TABLE legal_requests (
  org_id BIGINT NOT NULL,
  id TEXT NOT NULL,
  state TEXT NOT NULL, -- open, refused, disclosed, closed
  categories TEXT NOT NULL,
  persons TEXT NOT NULL, -- number/17 or member/mem_…, with spaces between
  from_ms BIGINT NOT NULL, -- 0 = any time
  to_ms BIGINT NOT NULL,
  received_ms BIGINT NOT NULL,
  due_ms BIGINT NOT NULL, -- 0 = none set
  barred SMALLINT NOT NULL, -- the persons must not be told
  barred_until_ms BIGINT NOT NULL, -- 0 = not known
  version BIGINT NOT NULL, -- grows with every change; approvals are of one version
  sealed BLOB NOT NULL, -- authority, law, reference, what is asked, why they are not told
  opened_by TEXT NOT NULL,
  opened_ms BIGINT NOT NULL,
  disclosed_by TEXT NOT NULL,
  disclosed_ms BIGINT NOT NULL,
  package_sha256 TEXT NOT NULL,
  package_files BIGINT NOT NULL,
  told_ms BIGINT NOT NULL, -- when the persons were told; 0 = not yet
  told_by TEXT NOT NULL,
  PRIMARY KEY (org_id, id)
) WITHOUT ROWID;

CREATE TABLE legal_decisions (
  org_id BIGINT NOT NULL,
  request TEXT NOT NULL,
  version BIGINT NOT NULL,
  member TEXT NOT NULL,
  approves SMALLINT NOT NULL,
  at_ms BIGINT NOT NULL,
  sealed BLOB NOT NULL, -- why
  PRIMARY KEY (org_id, request, version, member)
) WITHOUT ROWID;

-- Transfers of the business with its data to a successor: announced, then a time to object.
CREATE TABLE transfers (
  org_id BIGINT NOT NULL,
  id TEXT NOT NULL,
  state TEXT NOT NULL, -- announced, done, withdrawn
  announced_ms BIGINT NOT NULL,
  until_ms BIGINT NOT NULL, -- objections come until here; nothing is handed over before
  policy BIGINT NOT NULL, -- version that the successor is bound to
  announced_by TEXT NOT NULL,
  told BIGINT NOT NULL, -- mails that went out
  ended_by TEXT NOT NULL,
  ended_ms BIGINT NOT NULL,
  sealed BLOB NOT NULL, -- successor, reason, contact
  PRIMARY KEY (org_id, id)
) WITHOUT ROWID;

CREATE TABLE transfer_objections (
  org_id BIGINT NOT NULL,
  transfer TEXT NOT NULL,
  person TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  by_member TEXT NOT NULL, -- who wrote it down
  PRIMARY KEY (org_id, transfer, person)
) WITHOUT ROWID;

-- What happened around signing in. Network addresses are masked after the policy's while; org_id 0 is for what belongs to
-- no organisation, such as guesses at an address nobody has.
CREATE TABLE security_events (
  org_id BIGINT NOT NULL,
  id TEXT NOT NULL,
  kind TEXT NOT NULL, -- guesses, new_browser
  member TEXT NOT NULL, -- '' = nobody
  times BIGINT NOT NULL,
  at_ms BIGINT NOT NULL, -- the last time
  masked SMALLINT NOT NULL,
  from_sealed BLOB NOT NULL,
  PRIMARY KEY (org_id, id)
) WITHOUT ROWID;
CREATE INDEX security_events_age ON security_events (org_id, at_ms);
