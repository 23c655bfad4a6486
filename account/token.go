package account

import "time"

// Token lets a program act for the member who made it.
type Token struct {
	ID        string
	Org       OrgID
	Member    MemberID // who made it
	Name      string
	Scopes    []Permission
	CreatedAt time.Time
	ExpiresAt time.Time // zero = never
	UsedAt    time.Time // to the minute; zero = not yet
}
