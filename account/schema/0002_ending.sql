-- Network addresses of sessions are masked after a while; from_sealed says then what is left of them.
ALTER TABLE sessions ADD COLUMN masked SMALLINT NOT NULL DEFAULT 0;

-- When a member last signed in, and when their access ended (0 = it has not, -1 = they were erased).
ALTER TABLE members ADD COLUMN seen_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE members ADD COLUMN left_ms BIGINT NOT NULL DEFAULT 0;

-- An organisation that is being closed: since when, when it will be gone, and who said so (a member's id, '' = the operator).
ALTER TABLE organisations ADD COLUMN closing_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE organisations ADD COLUMN closes_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE organisations ADD COLUMN closing_by TEXT NOT NULL DEFAULT '';
