package account

import "time"

// Session is one signed-in browser.
type Session struct {
	ID        string
	Org       OrgID
	Member    MemberID
	CreatedAt time.Time
	SeenAt    time.Time // to the minute
	IP        string
	UserAgent string
}
