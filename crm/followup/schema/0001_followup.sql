-- What somebody is to do for a contact. subject: whose key seals the text and the result (JSON). state: 0 open, 1 done, 2
-- cancelled. day and minute: for when it was planned, by the organisation's calendar and clocks (minute -1 = for the whole
-- day); due_ms: that instant, and when working hours begin for a whole day; at_ms: due_ms, or until when it was put off
-- (snoozed_ms); late_ms: from when on it is overdue. remind: minutes before, with commas between; remind_ms: when it is
-- spoken of next, 0 = not again. series and nth: of one that repeats, the first of the series and the place in it.
CREATE TABLE follow_ups (
  org_id BIGINT NOT NULL,
  follow_up TEXT NOT NULL,
  contact TEXT NOT NULL,
  subject BIGINT NOT NULL,
  lead TEXT NOT NULL,
  owner TEXT NOT NULL,
  kind TEXT NOT NULL,
  state SMALLINT NOT NULL,
  day INTEGER NOT NULL,
  minute INTEGER NOT NULL,
  due_ms BIGINT NOT NULL,
  at_ms BIGINT NOT NULL,
  late_ms BIGINT NOT NULL,
  snoozed_ms BIGINT NOT NULL,
  snoozes INTEGER NOT NULL,
  remind TEXT NOT NULL,
  remind_ms BIGINT NOT NULL,
  repeat TEXT NOT NULL,
  series TEXT NOT NULL,
  nth INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  sealed BLOB, -- NULL = no words
  rev BIGINT NOT NULL,
  made_ms BIGINT NOT NULL,
  made_by TEXT NOT NULL,
  changed_ms BIGINT NOT NULL,
  changed_by TEXT NOT NULL,
  ended_ms BIGINT NOT NULL,
  ended_by TEXT NOT NULL,
  escalated_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id, follow_up)
) WITHOUT ROWID;
CREATE INDEX follow_ups_owner ON follow_ups (org_id, owner, state, at_ms);
CREATE INDEX follow_ups_contact ON follow_ups (org_id, contact, at_ms);
CREATE INDEX follow_ups_subject ON follow_ups (org_id, subject);
CREATE INDEX follow_ups_lead ON follow_ups (org_id, lead, state, at_ms) WHERE lead <> '';
CREATE INDEX follow_ups_late ON follow_ups (org_id, late_ms) WHERE state = 0 AND escalated_ms = 0;
CREATE INDEX follow_ups_remind ON follow_ups (org_id, remind_ms) WHERE remind_ms > 0;
CREATE UNIQUE INDEX follow_ups_series ON follow_ups (org_id, series, nth) WHERE series <> '';

-- What was done with follow-ups, by whom. rev is the follow-up's after it. fields: what changed, with blanks between. was: how
-- it stood before, as JSON that tells nothing about the contact, where it can be taken back.
CREATE TABLE follow_up_events (
  org_id BIGINT NOT NULL,
  follow_up TEXT NOT NULL,
  subject BIGINT NOT NULL,
  rev BIGINT NOT NULL,
  at_ms BIGINT NOT NULL,
  by_member TEXT NOT NULL,
  what TEXT NOT NULL,
  fields TEXT NOT NULL,
  was TEXT NOT NULL,
  PRIMARY KEY (org_id, follow_up, rev)
) WITHOUT ROWID;
CREATE INDEX follow_up_events_what ON follow_up_events (org_id, what, at_ms);
CREATE INDEX follow_up_events_subject ON follow_up_events (org_id, subject, at_ms, follow_up, rev);

-- What a member is told on the pages. about: the follow-up; mark: the instant that tells two notices of a kind about one
-- follow-up apart.
CREATE TABLE notices (
  org_id BIGINT NOT NULL,
  notice TEXT NOT NULL,
  member TEXT NOT NULL,
  kind TEXT NOT NULL,
  about TEXT NOT NULL,
  mark BIGINT NOT NULL,
  link TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  seen_ms BIGINT NOT NULL, -- 0 = not yet
  PRIMARY KEY (org_id, notice)
) WITHOUT ROWID;
CREATE UNIQUE INDEX notices_once ON notices (org_id, about, kind, member, mark);
CREATE INDEX notices_member ON notices (org_id, member, seen_ms, at_ms);

-- Calendars that members subscribed to: the hash of the secret in the link.
CREATE TABLE calendar_feeds (
  org_id BIGINT NOT NULL,
  member TEXT NOT NULL,
  hash BLOB NOT NULL,
  made_ms BIGINT NOT NULL,
  used_ms BIGINT NOT NULL, -- to the day; 0 = never
  PRIMARY KEY (org_id, member)
) WITHOUT ROWID;
CREATE UNIQUE INDEX calendar_feeds_hash ON calendar_feeds (org_id, hash);

-- How an organisation works with leads, as JSON (see Settings). There is no row until somebody changed something.
CREATE TABLE crm_settings (
  org_id BIGINT NOT NULL PRIMARY KEY,
  settings TEXT NOT NULL,
  rev BIGINT NOT NULL,
  changed_ms BIGINT NOT NULL,
  changed_by TEXT NOT NULL
) WITHOUT ROWID;
