-- Organisations that were closed: nothing is left of them but the receipt, which names no person.
CREATE TABLE closed_organisations (
  org_id BIGINT NOT NULL PRIMARY KEY,
  asked_ms BIGINT NOT NULL,
  closed_ms BIGINT NOT NULL,
  receipt TEXT NOT NULL -- a statement, and the proof that it stands in the installation's audit log
);
