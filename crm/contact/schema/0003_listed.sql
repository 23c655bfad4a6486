-- How many contacts there are to be seen, by owner; and a note without its contact.
CREATE INDEX contacts_listed ON contacts (org_id, owner) WHERE merged_into = '' AND restricted = 0;
CREATE INDEX contact_notes_note ON contact_notes (org_id, note);
