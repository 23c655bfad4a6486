-- Lines: an agent's SIMs and extensions. no: dense per organisation, the call tables use it, never used twice.
-- agent: who holds the line now. number_sealed: the canonical number under the organisation's key; number_key: its keyed index.
CREATE TABLE lines (
  org_id BIGINT NOT NULL,
  no INTEGER NOT NULL,
  id TEXT NOT NULL,
  agent INTEGER NOT NULL,
  label TEXT NOT NULL,
  number_sealed BLOB,
  number_key BLOB,
  sim_slot INTEGER NOT NULL, -- 1 is SIM 1; 0 = not said
  created_ms BIGINT NOT NULL,
  archived_ms BIGINT NOT NULL, -- 0 = in use
  PRIMARY KEY (org_id, no)
) WITHOUT ROWID;
CREATE UNIQUE INDEX lines_id ON lines (org_id, id);
CREATE UNIQUE INDEX lines_number ON lines (org_id, number_key) WHERE archived_ms = 0;

CREATE TABLE line_counters (
  org_id BIGINT NOT NULL PRIMARY KEY,
  next INTEGER NOT NULL
) WITHOUT ROWID;

-- Who held a line from when on. A line's first row has from_ms 0, so that calls older than the line find somebody.
CREATE TABLE line_holders (
  org_id BIGINT NOT NULL,
  line INTEGER NOT NULL,
  from_ms BIGINT NOT NULL,
  agent INTEGER NOT NULL,
  PRIMARY KEY (org_id, line, from_ms)
) WITHOUT ROWID;

-- Paired phones. Heartbeats leave their last values here and no trail.
CREATE TABLE devices (
  org_id BIGINT NOT NULL,
  id TEXT NOT NULL,
  agent INTEGER NOT NULL,
  name TEXT NOT NULL,
  install_key BLOB NOT NULL, -- keyed index of the installation's id, so that a phone paired again stays one device
  token_hash BLOB NOT NULL,
  paired_ms BIGINT NOT NULL,
  unpaired_ms BIGINT NOT NULL, -- 0 = paired
  seen_ms BIGINT NOT NULL, -- last heartbeat or sync; 0 = none yet
  synced_ms BIGINT NOT NULL, -- last sync
  complete_ms BIGINT NOT NULL, -- when the phone last had nothing left to send
  last_call_ms BIGINT NOT NULL,
  waiting INTEGER NOT NULL, -- calls that the phone has not sent yet, as it says
  app_version TEXT NOT NULL,
  os TEXT NOT NULL,
  model TEXT NOT NULL,
  battery INTEGER, -- per cent; NULL unless the organisation asks for it
  skew_ms BIGINT NOT NULL, -- the phone's clock minus ours
  permissions TEXT NOT NULL, -- names of permissions that the phone lacks, with spaces between
  PRIMARY KEY (org_id, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX devices_token ON devices (org_id, token_hash);
CREATE UNIQUE INDEX devices_install ON devices (org_id, install_key);

-- Which line each SIM of a paired phone is. A line is on one phone at a time.
CREATE TABLE device_lines (
  org_id BIGINT NOT NULL,
  line INTEGER NOT NULL,
  device_id TEXT NOT NULL,
  slot INTEGER NOT NULL,
  subscription TEXT NOT NULL, -- the SIM's id as the phone names it
  PRIMARY KEY (org_id, line)
) WITHOUT ROWID;
CREATE INDEX device_lines_device ON device_lines (org_id, device_id);

-- What phones are told to do, one row per organisation that changed the usual.
CREATE TABLE device_settings (
  org_id BIGINT NOT NULL PRIMARY KEY,
  collect_from INTEGER NOT NULL, -- local day; 0 = everything
  track_days SMALLINT NOT NULL, -- bit 0 is Sunday
  track_from INTEGER NOT NULL, -- minutes after midnight
  track_to INTEGER NOT NULL,
  battery SMALLINT NOT NULL
) WITHOUT ROWID;

-- Codes that pair one phone each. A phone that types one does not know its organisation yet: no org_id in the key.
CREATE TABLE pairing_codes (
  code_key BLOB NOT NULL PRIMARY KEY, -- keyed index under the installation's key
  org_id BIGINT NOT NULL,
  agent INTEGER NOT NULL,
  expires_ms BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX pairing_codes_agent ON pairing_codes (org_id, agent);

-- Wrong codes, counted per network address and in all. No org_id, for the same reason.
CREATE TABLE pairing_attempts (
  from_key BLOB NOT NULL PRIMARY KEY,
  failures INTEGER NOT NULL,
  since_ms BIGINT NOT NULL
) WITHOUT ROWID;

-- What a phone says of a line's day, and whether we lacked calls when we last looked.
CREATE TABLE digests (
  org_id BIGINT NOT NULL,
  line INTEGER NOT NULL,
  day INTEGER NOT NULL,
  device_id TEXT NOT NULL,
  calls INTEGER NOT NULL,
  hash TEXT NOT NULL,
  lacking SMALLINT NOT NULL,
  at_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id, line, day)
) WITHOUT ROWID;
