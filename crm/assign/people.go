package assign

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"parley/account"
	"parley/calls/device"
	"parley/calls/roll"
	"parley/platform/civil"
	"parley/platform/db"
)

// person is what a choice looks at of a member.
type person struct {
	id     account.MemberID
	agent  account.AgentNo
	role   account.Role
	active bool
	teams  []account.TeamID
	takes  Assignee
	away   []span

	phone  bool          // one is paired
	silent time.Duration // working time since it told anything
	open   int           // open leads
	gen    int64         // of open, see assign_loads
	stale  bool          // open is not what it is any more
	given  int           // leads that rules gave them today
	talk   int64         // seconds today

	passed  int  // the number of the last case that passed over them
	counted bool // given was looked up for this person alone
}

// works tells whether the member may have leads at all.
func (p *person) works() bool { return p.active && p.role.Can(account.WriteLeads) }

// people are the members of an organisation, by id.
func people(ctx context.Context, c db.Conn, org account.OrgID, at time.Time) ([]*person, error) {
	rows, err := c.Rows(ctx, `SELECT m.id, m.role, m.agent_no, m.active, coalesce(a.spec, ''), coalesce(t.team_id, '') FROM members m
		LEFT JOIN assignees a ON a.org_id = m.org_id AND a.member = m.id LEFT JOIN team_members t ON t.org_id = m.org_id AND t.member_id = m.id
		WHERE m.org_id = $1 ORDER BY m.id, t.team_id`, org)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []*person
	for rows.Next() {
		var p person
		var active int
		var spec string
		var team account.TeamID
		if err := rows.Scan(&p.id, &p.role, &p.agent, &active, &spec, &team); err != nil {
			return nil, err
		}
		if n := len(all); n == 0 || all[n-1].id != p.id {
			p.active = active == 1
			if spec != "" {
				if err := json.Unmarshal([]byte(spec), &p.takes); err != nil {
					return nil, err
				}
			}
			all = append(all, &p)
		}
		if team != "" {
			last := all[len(all)-1]
			last.teams = append(last.teams, team)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return all, addAbsences(ctx, c, org, at, all)
}

func addAbsences(ctx context.Context, c db.Conn, org account.OrgID, at time.Time, all []*person) error {
	rows, err := c.Rows(ctx, `SELECT member, from_ms, until_ms FROM member_absences WHERE org_id = $1 AND until_ms > $2 ORDER BY from_ms`, org, at.UnixMilli())
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var m account.MemberID
		var s span
		if err := rows.Scan(&m, &s.from, &s.until); err != nil {
			return err
		}
		if i, ok := slices.BinarySearchFunc(all, m, func(p *person, m account.MemberID) int { return compare(p.id, m) }); ok {
			all[i].away = append(all[i].away, s)
		}
	}
	return rows.Err()
}

func compare(a, b account.MemberID) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	default:
		return 0
	}
}

// fact is something that is looked up of everybody once a rule asks for it.
type fact uint8

const (
	factLoads fact = 1 << iota
	factGiven
	factTalk
	factPhone
)

// need looks facts up that are not known yet.
func (r *Run) need(ctx context.Context, c db.Conn, at time.Time, want fact) error {
	for f, look := range map[fact]func(context.Context, db.Conn, time.Time) error{factLoads: r.readLoads, factGiven: r.countGiven, factTalk: r.sumTalk, factPhone: r.findPhones} {
		if want&f == 0 || r.known&f != 0 {
			continue
		}
		if err := look(ctx, c, at); err != nil {
			return err
		}
		r.known |= f
	}
	return nil
}

// perStatement is how many members one statement asks about.
const perStatement = 100

// count asks a query about some members, which ends with a list of them as $3 and so on, for a number of each.
func (r *Run) count(ctx context.Context, c db.Conn, of []*person, query string, arg any, set func(p *person, n int)) error {
	var able []*person
	for _, p := range of {
		set(p, 0)
		if p.works() {
			able = append(able, p)
		}
	}
	for part := range slices.Chunk(able, perStatement) {
		args := []any{r.org.ID, arg}
		for _, p := range part {
			args = append(args, p.id)
		}
		rows, err := c.Rows(ctx, query+db.In(3, len(part))+` GROUP BY owner`, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var m account.MemberID
			var n int
			if err := rows.Scan(&m, &n); err != nil {
				return err
			}
			set(r.byID[m], n)
		}
		if err := rows.Err(); err != nil {
			return err
		}
	}
	return nil
}

const givenTo = `SELECT owner, count(*) FROM assign_log WHERE org_id = $1 AND at_ms >= $2 AND owner IN `

func (r *Run) countGiven(ctx context.Context, c db.Conn, at time.Time) error {
	return r.count(ctx, c, r.all, givenTo, r.dayStart(at), func(p *person, n int) { p.given = n })
}

// dayStart is when the organisation's day began, in Unix ms.
func (r *Run) dayStart(at time.Time) int64 {
	zone := r.org.Location()
	return civil.DayOf(at, zone).Start(zone).UnixMilli()
}

// full tells whether somebody who is about to get a lead has as many as they take.
func (r *Run) full(ctx context.Context, c db.Conn, at time.Time, p *person) (Reason, int64, error) {
	if p.takes.OpenCap > 0 {
		of := r.all
		if r.single {
			of = []*person{p}
		}
		if err := r.countOpen(ctx, c, at, of...); err != nil {
			return "", 0, err
		}
	}
	if p.takes.DayCap > 0 {
		if err := r.needGiven(ctx, c, at, p); err != nil {
			return "", 0, err
		}
	}
	switch {
	case p.takes.DayCap > 0 && p.given >= p.takes.DayCap:
		return DayFull, int64(p.takes.DayCap), nil
	case p.takes.OpenCap > 0 && p.open >= p.takes.OpenCap:
		return OpenFull, int64(p.takes.OpenCap), nil
	default:
		return "", 0, nil
	}
}

// needGiven looks up how many leads somebody was given today; where one decision is made, of them alone.
func (r *Run) needGiven(ctx context.Context, c db.Conn, at time.Time, p *person) error {
	if !r.single {
		return r.need(ctx, c, at, factGiven)
	}
	if r.known&factGiven != 0 || p.counted {
		return nil
	}
	p.counted = true
	return r.count(ctx, c, []*person{p}, givenTo, r.dayStart(at), func(p *person, n int) { p.given = n })
}

func (r *Run) sumTalk(ctx context.Context, c db.Conn, at time.Time) error {
	for _, p := range r.all {
		p.talk = 0
	}
	today := civil.DayOf(at, r.org.Location())
	var day roll.Day
	return roll.Walk(ctx, c, r.org.ID, today, today+1, func(_ civil.Day, agent account.AgentNo, b []byte) error {
		p := r.byAgent[agent]
		if p == nil {
			return nil
		}
		err := day.DecodeSums(b)
		p.talk = day.TalkIn + day.TalkOut
		return err
	})
}

// findPhones asks when each agent's phone last told anything.
func (r *Run) findPhones(ctx context.Context, c db.Conn, at time.Time) error {
	signs, err := r.a.d.Devices.LastSigns(ctx, c, r.org.ID, at)
	for _, p := range r.all {
		var sign time.Time
		if sign, p.phone = signs[p.agent]; p.phone {
			p.silent = device.WorkingTime(r.org, sign, at)
		}
	}
	return err
}
