-- What was written about all calls with a number.
CREATE INDEX call_notes_num ON call_notes (org_id, num);
CREATE INDEX call_tags_num ON call_tags (org_id, num);
