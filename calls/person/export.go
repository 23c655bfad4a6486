package person

import (
	"context"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/device"
	"parley/calls/number"
	"parley/calls/roll"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/trust/rights"
	"parley/trust/subject"
)

// dressAtOnce is how many calls are opened at a time.
const dressAtOnce = 500

// copies takes the tables of a person's copy, as rights.Package does.
type copies interface {
	Table(category, name string, columns []string, each func(add func(values ...any) error) error) error
}

// stamp writes an instant to the millisecond, as "parley import" reads it.
func stamp(t time.Time, zone *time.Location) string {
	return t.In(zone).Format("2006-01-02T15:04:05.000Z07:00")
}

// callColumns are those of a person's calls. "parley import" reads them back from the CSV.
func callColumns() []string {
	return []string{"start", "direction", "type", "duration", "number", "presentation", "name", "line", "source", "note", "tags"}
}

// export writes what calls hold of a person. Of a person outside: their calls with notes and tags, their name in phone
// books, what was agreed about calling them back, and whether they are kept out. Colleagues who spoke with them are not
// named: that is those people's data.
func (p *Persons) export(ctx context.Context, id account.OrgID, who subject.Ref, out copies) error {
	org, err := p.Accounts.Org(ctx, id)
	if err != nil {
		return err
	}
	if who.Kind == subject.Member {
		return p.exportMember(ctx, org, who, out)
	}
	n := number.ID(who.Num())
	if n <= number.Withheld {
		return nil
	}
	lines, err := p.lineNames(ctx, org)
	if err != nil {
		return err
	}
	var said []call.Call
	if err := out.Table(call.CategoryCall, "calls", callColumns(), func(add func(...any) error) error {
		said = said[:0]
		return p.eachDressed(ctx, org, n, func(c *call.Call) error {
			if c.Said.Outcome != "" {
				said = append(said, *c)
			}
			return add(stamp(c.Row.At(), org.Location()), c.Row.Direction.String(), c.Row.Type.String(), c.Row.Seconds, c.Number, c.Presentation.String(), c.Name,
				lines[c.Row.Line], c.Row.Source.String(), c.Note, c.Tags)
		})
	}); err != nil {
		return err
	}
	if len(said) > 0 {
		if err := out.Table(call.CategoryNote, "call_outcomes", []string{"start", "outcome", "said"}, func(add func(...any) error) error {
			for i := range said {
				if err := add(stamp(said[i].Row.At(), org.Location()), said[i].Said.Outcome, said[i].Said.At); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return p.exportContact(ctx, org, n, out)
}

func (p *Persons) lineNames(ctx context.Context, org *account.Org) (map[call.LineNo]string, error) {
	all, err := p.Devices.Lines(ctx, org)
	out := make(map[call.LineNo]string, len(all))
	for _, l := range all {
		if out[l.No] = l.Number; l.Number == "" {
			out[l.No] = l.Label
		}
	}
	return out, err
}

// eachDressed visits the calls with a number, opened, in order of time as far as days go.
func (p *Persons) eachDressed(ctx context.Context, org *account.Org, n number.ID, visit func(*call.Call) error) error {
	var rows []call.Row
	flush := func() error {
		calls, err := p.Calls.DressOwn(ctx, p.DB, org, rows)
		if err != nil {
			return err
		}
		rows = rows[:0]
		for i := range calls {
			if err := visit(&calls[i]); err != nil {
				return err
			}
		}
		return nil
	}
	if err := p.Writer.EachOf(ctx, org.ID, n, func(r *call.Row) error {
		if rows = append(rows, *r); len(rows) < dressAtOnce {
			return nil
		}
		return flush()
	}); err != nil {
		return err
	}
	return flush()
}

func (p *Persons) exportContact(ctx context.Context, org *account.Org, n number.ID, out copies) error {
	ids := []number.ID{n}
	texts, err := p.Book.Texts(ctx, p.DB, org.ID, ids)
	if err != nil {
		return err
	}
	names, err := p.Book.LoggedNames(ctx, p.DB, org.ID, ids)
	if err != nil {
		return err
	}
	text, known := texts[n]
	if known {
		if err := out.Table(call.CategoryContact, "numbers", []string{"number", "name"}, func(add func(...any) error) error { return add(text, names[n]) }); err != nil {
			return err
		}
	}
	exclusion, excluded, err := p.Book.Exclusion(ctx, p.DB, org.ID, text)
	if err != nil {
		return err
	}
	if excluded {
		if err := out.Table("suppression", "exclusions", []string{"number", "strength", "label", "since"}, func(add func(...any) error) error {
			return add(text, exclusion.Strength.String(), exclusion.Label, exclusion.AddedAt)
		}); err != nil {
			return err
		}
	}
	callbacks, err := p.Callbacks.Of(ctx, org.ID, ids)
	if err != nil {
		return err
	}
	c, ok := callbacks[n]
	if !ok {
		return nil
	}
	return out.Table(call.CategoryCall, "callbacks", []string{"number", "assigned", "handled", "note"}, func(add func(...any) error) error {
		return add(text, c.AssignedAt, c.HandledAt, c.Note)
	})
}

// exportMember writes what calls hold of an agent: their own calls, lines and phones. Whom they spoke with is other people's
// data and stays out.
func (p *Persons) exportMember(ctx context.Context, org *account.Org, who subject.Ref, out copies) error {
	m, err := p.agent(ctx, org.ID, who)
	if err != nil || m == 0 {
		return err
	}
	lines, err := p.lineNames(ctx, org)
	if err != nil {
		return err
	}
	if err := out.Table(call.CategoryCall, "own_calls", []string{"start", "direction", "type", "duration", "line", "source"}, func(add func(...any) error) error {
		return p.eachOfAgent(ctx, org.ID, m, func(r *call.Row) error {
			return add(stamp(r.At(), org.Location()), r.Direction.String(), r.Type.String(), r.Seconds, lines[r.Line], r.Source.String())
		})
	}); err != nil {
		return err
	}
	if err := p.exportLines(ctx, org, m, out); err != nil {
		return err
	}
	phones, err := p.phones(ctx, org, m)
	if err != nil {
		return err
	}
	return out.Table("device", "phones", []string{"name", "model", "os", "app_version", "paired", "unpaired", "seen", "synced", "last_call", "battery", "missing_permissions"},
		func(add func(...any) error) error {
			for _, d := range phones {
				var battery any
				if d.Battery != nil {
					battery = *d.Battery
				}
				if err := add(d.Name, d.Model, d.OS, d.AppVersion, d.PairedAt, d.UnpairedAt, d.SeenAt, d.SyncedAt, d.LastCallAt, battery, d.Permissions); err != nil {
					return err
				}
			}
			return nil
		})
}

func (p *Persons) exportLines(ctx context.Context, org *account.Org, agent account.AgentNo, out copies) error {
	all, err := p.Devices.Lines(ctx, org)
	if err != nil {
		return err
	}
	return out.Table("device", "lines", []string{"line", "number", "label", "since"}, func(add func(...any) error) error {
		for _, l := range all {
			if l.Agent != agent {
				continue
			}
			if err := add(string(l.ID), l.Number, l.Label, l.CreatedAt); err != nil {
				return err
			}
		}
		return nil
	})
}

// agent is the number under which a member's calls are kept; 0 when they have none.
func (p *Persons) agent(ctx context.Context, org account.OrgID, who subject.Ref) (account.AgentNo, error) {
	m, err := p.Accounts.Member(ctx, org, account.MemberID(who.ID))
	if fault.KindOf(err) == fault.NotFound {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return m.Agent, nil
}

func (p *Persons) phones(ctx context.Context, org *account.Org, agent account.AgentNo) ([]*device.Device, error) {
	all, err := p.Devices.Devices(ctx, org, []account.AgentNo{agent})
	out := make([]*device.Device, len(all))
	for i := range all {
		out[i] = all[i].Device
	}
	return out, err
}

// eachOfAgent visits an agent's calls by day.
func (p *Persons) eachOfAgent(ctx context.Context, org account.OrgID, agent account.AgentNo, visit func(*call.Row) error) error {
	return p.DB.Read(ctx, func(tx *db.Tx) error {
		days, err := db.Select(ctx, tx, func(r db.Scanner) (k call.Key, err error) { return k, r.Scan(&k.Day) },
			`SELECT day FROM rolls WHERE org_id = $1 AND agent = $2 AND day >= $3 ORDER BY day`, org, agent, roll.FirstDay)
		if err != nil {
			return err
		}
		for _, k := range days {
			where := call.Where(org).And(`day = ?`, k.Day).And(`agent = ?`, agent)
			if err := call.Each(ctx, tx, where, "ORDER BY start, num, dir, line", visit); err != nil {
				return err
			}
		}
		return nil
	})
}

// planMember lists what an erasure of a member's own data would remove here. Their calls are the organisation's, and stay.
func (p *Persons) planMember(ctx context.Context, org account.OrgID, who subject.Ref) ([]rights.Line, error) {
	phones, err := p.phonesOf(ctx, org, who)
	if err != nil {
		return nil, err
	}
	return there([]rights.Line{{Thing: rights.Rows, Name: "phones", Category: "device", Count: int64(len(phones))}}), nil
}

func (p *Persons) phonesOf(ctx context.Context, org account.OrgID, who subject.Ref) ([]*device.Device, error) {
	agent, err := p.agent(ctx, org, who)
	if err != nil || agent == 0 {
		return nil, err
	}
	o, err := p.Accounts.Org(ctx, org)
	if err != nil {
		return nil, err
	}
	return p.phones(ctx, o, agent)
}

// eraseMember removes a member's phones with all that they told about themselves.
func (p *Persons) eraseMember(ctx context.Context, org account.OrgID, who subject.Ref, d rights.Decision) ([]rights.Line, error) {
	if d.Keeps("device") {
		return nil, nil
	}
	phones, err := p.phonesOf(ctx, org, who)
	if err != nil {
		return nil, err
	}
	for _, x := range phones {
		if err := p.DB.Tx(ctx, func(tx *db.Tx) error {
			if err := d.Gate(ctx, tx, "device"); err != nil {
				return err
			}
			return p.Devices.Remove(ctx, tx, org, x.ID)
		}); err != nil {
			return nil, err
		}
	}
	return there([]rights.Line{{Thing: rights.Rows, Name: "phones", Category: "device", Count: int64(len(phones))}}), nil
}
