package rights

import "parley/platform/expire"

// Expiring lists what ends by age: requests with all that was done about them, once they are closed.
func Expiring() []expire.Table {
	return []expire.Table{expire.Files(expire.Table{Name: "requests", Category: ownCategory, From: "closed", Routine: true}, "requests", "closed_ms", "subject_ref", "request_id",
		"request_events", "request_codes", "request_steps", "request_receipts", "request_recipients", "request_corrections")}
}
