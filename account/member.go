package account

import "time"

// Member is a person in an organisation. Whoever has an Agent number is an agent: their calls are kept. An agent need
// not have an e-mail address, nor ever sign in.
type Member struct {
	ID        MemberID
	Org       OrgID
	Name      string
	Email     string // "" when there is none
	Role      Role
	Agent     AgentNo // 0 = not an agent
	Teams     []TeamID
	Active    bool
	JoinedAt  time.Time // when they accepted the terms and could sign in; zero before
	CreatedAt time.Time
}

// Team is a group of members.
type Team struct {
	ID      TeamID
	Name    string
	Members int // active ones
}
