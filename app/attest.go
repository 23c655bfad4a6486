package app

import (
	"context"
	"os"
	"runtime/debug"
	"time"

	"parley/account"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/trust/attest"
	"parley/trust/rights"
	"parley/trust/subject"
)

// attestStore is the trainings of members.
func (p *Parley) attestStore() rights.Store {
	const category = "audit"
	trainings := func(ctx context.Context, org account.OrgID, who subject.Ref) ([]*attest.Duty, error) {
		if who.Kind != subject.Member {
			return nil, nil
		}
		return p.Attested.OfMember(ctx, org, account.MemberID(who.ID))
	}
	return rights.Store{
		Name: "attestations", Tables: []string{"attest_duties", "attestations"},
		Export: func(ctx context.Context, org account.OrgID, who subject.Ref, out *rights.Package) error {
			all, err := trainings(ctx, org, who)
			if err != nil {
				return err
			}
			return out.Table(category, "trainings", []string{"title", "due", "result", "done"}, func(add func(...any) error) error {
				for _, d := range all {
					var result string
					var done time.Time
					if d.Last != nil {
						result, done = string(d.Last.Result), d.Last.Done
					}
					if err := add(d.Title, d.Due, result, done); err != nil {
						return err
					}
				}
				return nil
			})
		},
		Plan: func(ctx context.Context, org account.OrgID, who subject.Ref) ([]rights.Line, error) {
			all, err := trainings(ctx, org, who)
			l := rights.Line{Thing: rights.Rows, Name: "trainings", Category: category, Count: int64(len(all))}
			for _, d := range all {
				l.Newest = latest(l.Newest, d.CreatedAt)
			}
			return []rights.Line{l}, err
		},
		Erase: p.erasing(category, func(ctx context.Context, tx *db.Tx, org account.OrgID, who subject.Ref) (int64, error) {
			if who.Kind != subject.Member {
				return 0, nil
			}
			return attest.EraseMember(ctx, tx, org, account.MemberID(who.ID))
		}),
	}
}

// checkAttested is the alarm of audits, trainings and scans that are overdue.
func checkAttested(ctx context.Context, r *Run) finding {
	const name = "attestations"
	orgs, err := r.p.Accounts.Orgs(ctx)
	if err != nil {
		return failed(name, err)
	}
	switch late, err := r.p.Attested.Late(ctx, orgs); {
	case err != nil:
		return failed(name, err)
	case late > 0:
		return failed(name, fault.New(fault.Unavailable, "%d audits, trainings or scans are overdue. See \"parley attest list\".", late))
	default:
		return ok(name, "no audit, training or scan is overdue")
	}
}

type attestCmd struct {
	List      attestListCmd      `cmd:"" default:"withargs" help:"List what has to be attested, and when."`
	Add       attestAddCmd       `cmd:"" help:"Put an audit, a training or a scan of the release on the list."`
	Record    attestRecordCmd    `cmd:"" help:"Attest what came of one: a signed statement."`
	Statement attestStatementCmd `cmd:"" help:"Write the newest statement of one with its proof."`
	Verify    attestVerifyCmd    `cmd:"" help:"Check such a statement; needs no data."`
	Drop      attestDropCmd      `cmd:"" help:"Take one off the list."`
}

type attestListCmd struct {
	inOrg
	asJSON
}

type dutyView struct {
	ID      string           `json:"id"`
	Kind    attest.Kind      `json:"kind"`
	Title   string           `json:"title"`
	Member  account.MemberID `json:"member"`
	Every   int              `json:"every_days"`
	Due     *time.Time       `json:"due_at"`
	Overdue bool             `json:"overdue"`
	Result  attest.Result    `json:"result"`
	Release string           `json:"release"`
	Done    *time.Time       `json:"done_at"`
}

func (c *attestListCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	all, err := r.p.Attested.Duties(ctx, org.ID)
	if err != nil {
		return err
	}
	out := make([]dutyView, len(all))
	for i, d := range all {
		out[i] = dutyView{ID: d.ID, Kind: d.Kind, Title: d.Title, Member: d.Member, Every: d.Every, Due: orNil(d.Due), Overdue: r.p.Attested.Overdue(d, r.p.Now())}
		if d.Last != nil {
			out[i].Result, out[i].Release, out[i].Done = d.Last.Result, d.Last.Release, orNil(d.Last.Done)
		}
	}
	return c.write(r, out, func(t *table) {
		t.row("ID", "KIND", "WHAT", "MEMBER", "DUE", "OVERDUE", "LAST", "DONE")
		for _, v := range out {
			t.row(v.ID, v.Kind, v.Title, v.Member, moment(v.Due, org), yes(v.Overdue), v.Result, moment(v.Done, org))
		}
	})
}

type attestAddCmd struct {
	inOrg
	Kind   string `arg:"" enum:"audit,training,scan" help:"audit, training or scan."`
	Title  string `arg:"" help:"What is to be done, for example: yearly audit of who has access."`
	Due    string `required:"" placeholder:"2027-06-30" help:"Last day on which it can be done in time."`
	Every  int    `help:"Days until it is due again; 0 for once, and for a scan once for each release."`
	Member string `help:"Who is trained: name, e-mail address or id."`
}

func (c *attestAddCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	in := attest.Duty{Kind: attest.Kind(c.Kind), Title: c.Title, Every: c.Every}
	if in.Due, err = lastMoment(c.Due, org); err != nil {
		return err
	}
	if c.Member != "" {
		m, err := findMember(ctx, r, org, c.Member)
		if err != nil {
			return err
		}
		in.Member = m.ID
	}
	d, err := r.p.Attested.Add(ctx, r.p.Accounts.Operator(org), in)
	if err != nil {
		return err
	}
	return r.printf("%s is on the list. Attest it with \"parley attest record %s passed\".\n", d.ID, d.ID)
}

type attestRecordCmd struct {
	inOrg
	Duty   string `arg:"" help:"Id, as \"parley attest list\" shows it."`
	Result string `arg:"" enum:"passed,findings,failed" help:"passed, findings or failed."`
	Note   string `help:"What was found, who did it, where the report is."`
	Done   string `placeholder:"2027-06-12" help:"Day on which it was done; today unless said."`
	Next   string `placeholder:"2028-06-11" help:"Last day on which it counts, such as of a certificate; else as the list says."`
}

func (c *attestRecordCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	o := attest.Outcome{Result: attest.Result(c.Result), Note: c.Note}
	if c.Done != "" {
		day, err := civil.Parse(c.Done)
		if err != nil {
			return err
		}
		o.Done = day.Start(org.Location())
	}
	if o.Next, err = lastMoment(c.Next, org); err != nil {
		return err
	}
	x, err := r.p.Attested.Sign(ctx, r.p.Accounts.Operator(org), c.Duty, o)
	if err != nil {
		return err
	}
	if x.Next.IsZero() {
		return r.printf("It is attested, and the audit log has signed it. It is not due again.\n")
	}
	return r.printf("It is attested, and the audit log has signed it. It is due again until %s.\n", lastDayOf(x.Next, org))
}

type attestStatementCmd struct {
	inOrg
	Duty string `arg:"" help:"Id, as \"parley attest list\" shows it."`
}

func (c *attestStatementCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	d, err := r.p.Attested.Get(ctx, org.ID, c.Duty)
	if err != nil {
		return err
	}
	if d.Last == nil {
		return fault.New(fault.NotFound, "Nothing was attested of %q yet.", d.Title)
	}
	return r.printf("%s\n", d.Last.Statement)
}

type attestVerifyCmd struct {
	File string `arg:"" help:"File with what \"parley attest statement\" wrote."`
	Key  string `help:"Public key of the organisation's audit log; left out, the one in the file is taken."`
}

func (c *attestVerifyCmd) plain(_ context.Context, r *Run) error {
	text, err := os.ReadFile(r.path(c.File))
	if err != nil {
		return unreadable(c.File, err)
	}
	known, err := textOrFile(r, c.Key)
	if err != nil {
		return err
	}
	s, key, err := attest.Verify(text, known)
	if err != nil {
		return err
	}
	return r.printf("The statement is whole and stands in the log %s.\n%s: %s, done %s, %s.\n", key, s.Kind, s.Title, s.Done.Format(time.RFC3339), s.Result)
}

type attestDropCmd struct {
	inOrg
	Duty string `arg:"" help:"Id, as \"parley attest list\" shows it."`
}

func (c *attestDropCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	if err := r.p.Attested.Drop(ctx, r.p.Accounts.Operator(org), c.Duty); err != nil {
		return err
	}
	return r.printf("It is off the list.\n")
}

// bill is what this program is made of.
func bill() (*attest.Bill, error) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil, fault.New(fault.Unsupported, "This program was built without notes of its libraries. Build it with modules.")
	}
	return attest.BillOf(info, version()), nil
}
