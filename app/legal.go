package app

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"parley/account"
	"parley/calls/person"
	"parley/platform/phone"
	"parley/trust/incident"
	"parley/trust/rights"
	"parley/trust/subject"
)

// openNew makes a file that must not be there yet, readable by its owner alone.
func openNew(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, invalidf("The file %s cannot be made; perhaps it is there already. Choose another name.", path)
	}
	return f, nil
}

// writeNew writes a file that must not be there yet. What went wrong on the way leaves none.
func writeNewFile(path string, write func(w io.Writer) error) error {
	f, err := openNew(path)
	if err != nil {
		return err
	}
	err = errors.Join(write(f), f.Close())
	if err != nil {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

// handOver writes what goes to the successor of an organisation: everybody's data but that of whoever objected.
func (p *Parley) handOver(ctx context.Context, org *account.Org, without []subject.Ref, w io.Writer) error {
	doc, err := p.policyOf(ctx, org.ID)
	if err != nil {
		return err
	}
	part := rights.Part{}
	for key := range doc.Categories {
		part.Categories = append(part.Categories, key)
	}
	numbers, err := p.Calls.Concerned(ctx, org.ID, 0, 0, nil)
	if err != nil {
		return err
	}
	members, err := p.Accounts.Members(ctx, org.ID)
	if err != nil {
		return err
	}
	var persons []subject.Ref
	for _, c := range numbers {
		persons = append(persons, subject.OfNumber(int64(c.Number)))
	}
	for _, m := range members {
		persons = append(persons, subject.OfMember(string(m.ID)))
	}
	persons = slices.DeleteFunc(persons, func(who subject.Ref) bool { return slices.Contains(without, who) })
	_, err = p.Rights.WritePart(ctx, org.ID, persons, part, w)
	return err
}

// whoIs gives the person behind a number, or a member.
func whoIs(ctx context.Context, r *Run, org *account.Org, numberText, member string) (subject.Ref, error) {
	if member != "" {
		m, err := findMember(ctx, r, org, member)
		if err != nil {
			return subject.Ref{}, err
		}
		return subject.OfMember(string(m.ID)), nil
	}
	who, ok, err := person.InBook(r.p.Book).Find(ctx, r.p.DB, org.ID, phone.Parse(numberText, org.Country).Canonical())
	if err == nil && !ok {
		err = notFoundf("There are no calls with %s.", numberText)
	}
	return who, err
}

type legalCmd struct {
	Add      legalAddCmd      `cmd:"" help:"Open the file of an authority's request for data."`
	List     legalListCmd     `cmd:"" help:"List the files."`
	Show     legalShowCmd     `cmd:"" help:"Show one file with its decisions."`
	Disclose legalDiscloseCmd `cmd:"" help:"Write the package, once two members have approved it on the pages."`
	Told     legalToldCmd     `cmd:"" help:"Write down that the persons concerned were told."`
}

type legalAddCmd struct {
	inOrg
	Authority   string   `required:"" help:"Which authority asks."`
	Law         string   `required:"" help:"Which law or order it relies on."`
	Reference   string   `help:"Its own reference."`
	Asked       string   `help:"What it asks for."`
	Number      []string `help:"Phone numbers that it is about."`
	Member      []string `help:"Members that it is about, by name, e-mail address or id."`
	Category    []string `required:"" help:"Categories of the privacy policy, such as call.meta."`
	From        string   `placeholder:"2027-03-01" help:"First day of what is asked for."`
	To          string   `placeholder:"2027-03-31" help:"Last day of what is asked for."`
	Received    string   `placeholder:"2027-06-01T14:30" help:"When it came; now, when nothing is said."`
	Due         string   `placeholder:"2027-06-30" help:"By when it is to be answered."`
	BarReason   string   `help:"Order that forbids to tell the persons concerned."`
	BarredUntil string   `placeholder:"2027-12-31" help:"Last day of that."`
}

func (c *legalAddCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	f := incident.LegalFacts{Authority: c.Authority, Law: c.Law, Reference: c.Reference, Asked: c.Asked, Barred: c.BarReason != "", BarReason: c.BarReason}
	f.Scope.Categories = c.Category
	for _, n := range c.Number {
		who, err := whoIs(ctx, r, org, n, "")
		if err != nil {
			return err
		}
		f.Scope.Persons = append(f.Scope.Persons, who)
	}
	for _, m := range c.Member {
		who, err := whoIs(ctx, r, org, "", m)
		if err != nil {
			return err
		}
		f.Scope.Persons = append(f.Scope.Persons, who)
	}
	if f.Scope.From, err = momentIn(c.From, org); err != nil {
		return err
	}
	if f.Scope.To, err = lastMoment(c.To, org); err != nil {
		return err
	}
	if f.Received, err = momentIn(c.Received, org); err != nil {
		return err
	}
	if f.Due, err = lastMoment(c.Due, org); err != nil {
		return err
	}
	if f.BarredUntil, err = lastMoment(c.BarredUntil, org); err != nil {
		return err
	}
	q, err := r.p.Incidents.AddLegal(ctx, r.p.Accounts.Operator(org), f)
	if err != nil {
		return err
	}
	return r.printf("The file %s is open. Two members with their own sign-in decide on it under Incidents.\n", q.ID)
}

// legalView is a file as JSON.
type legalView struct {
	ID         string    `json:"id"`
	State      string    `json:"state"`
	Authority  string    `json:"authority"`
	Law        string    `json:"law"`
	Reference  string    `json:"reference,omitempty"`
	Received   time.Time `json:"received"`
	Due        time.Time `json:"due,omitzero"`
	Persons    []string  `json:"persons"`
	Categories []string  `json:"categories"`
	Approvals  int       `json:"approvals"`
	Barred     bool      `json:"barred"`
	NoticeDue  bool      `json:"notice_due"`
	SHA256     string    `json:"package_sha256,omitempty"`
}

func viewLegal(q *incident.LegalRequest, now time.Time) legalView {
	v := legalView{ID: q.ID, State: string(q.State), Authority: q.Authority, Law: q.Law, Reference: q.Reference, Received: q.Received, Due: q.Due, Categories: q.Scope.Categories,
		Approvals: q.Approvals(), Barred: q.Barred, NoticeDue: q.NoticeDue(now), SHA256: q.SHA256}
	for _, who := range q.Scope.Persons {
		v.Persons = append(v.Persons, who.String())
	}
	return v
}

type legalListCmd struct {
	inOrg
	asJSON
}

func (c *legalListCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	all, err := r.p.Incidents.LegalRequests(ctx, r.p.Accounts.Operator(org))
	if err != nil {
		return err
	}
	out := make([]legalView, len(all))
	for i, q := range all {
		out[i] = viewLegal(q, r.p.Now())
	}
	return c.write(r, out, func(t *table) {
		t.row("ID", "RECEIVED", "DUE", "STATE", "APPROVALS", "AUTHORITY", "TELL THEM")
		for _, v := range out {
			t.row(v.ID, dayIn(org, v.Received), dayIn(org, v.Due), v.State, v.Approvals, v.Authority, yes(v.NoticeDue))
		}
	})
}

// ofLegal is a command about one file.
type ofLegal struct {
	inOrg
	ID string `arg:"" help:"The file, from \"parley legal list\"."`
}

type legalShowCmd struct {
	ofLegal
	asJSON
}

func (c *legalShowCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	q, err := r.p.Incidents.Legal(ctx, r.p.Accounts.Operator(org), c.ID)
	if err != nil {
		return err
	}
	v := viewLegal(q, r.p.Now())
	return c.write(r, v, func(t *table) {
		for _, line := range [...][2]any{
			{"state", v.State}, {"authority", v.Authority}, {"law", v.Law}, {"reference", v.Reference}, {"asked", q.Asked}, {"persons", strings.Join(v.Persons, ", ")},
			{"categories", list(v.Categories)}, {"from", dayIn(org, q.Scope.From)}, {"until", dayIn(org, q.Scope.To)}, {"due", dayIn(org, q.Due)}, {"persons may not be told", yes(q.Barred)}, {"package", v.SHA256},
		} {
			t.row(line[0], line[1])
		}
		for _, d := range q.Decisions {
			t.row(clockText(org, d.At), d.By, "approves: "+yes(d.Approves), d.Why)
		}
	})
}

type legalDiscloseCmd struct {
	ofLegal
	Out string `arg:"" placeholder:"FILE.zip" help:"File to write."`
}

func (c *legalDiscloseCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	var q *incident.LegalRequest
	if err := writeNewFile(r.path(c.Out), func(w io.Writer) (err error) {
		q, err = r.p.Incidents.Disclose(ctx, r.p.Accounts.Operator(org), c.ID, w)
		return err
	}); err != nil {
		return err
	}
	return r.printf("%d files were written to %s (SHA-256 %s).\n", q.Files, c.Out, q.SHA256)
}

type legalToldCmd struct{ ofLegal }

func (c *legalToldCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	if _, err := r.p.Incidents.Told(ctx, r.p.Accounts.Operator(org), c.ID); err != nil {
		return err
	}
	return r.printf("It is written down that the persons concerned were told.\n")
}

type transferCmd struct {
	Announce transferAnnounceCmd `cmd:"" help:"Announce that the business goes to a successor. People have 30 days at least to object."`
	List     transferListCmd     `cmd:"" help:"List transfers and how many objected."`
	Object   transferObjectCmd   `cmd:"" help:"Write down that a person objects: their data stays behind."`
	Withdraw transferWithdrawCmd `cmd:"" help:"End a transfer that will not happen."`
	Export   transferExportCmd   `cmd:"" help:"Write what goes to the successor, once the time to object is over."`
}

type transferAnnounceCmd struct {
	inOrg
	Successor string `required:"" help:"Who takes the business over."`
	Reason    string `help:"Why."`
	Contact   string `required:"" help:"Where people can object."`
	Until     string `required:"" placeholder:"2027-12-31" help:"Last day to object."`
}

func (c *transferAnnounceCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	until, err := lastMoment(c.Until, org)
	if err != nil {
		return err
	}
	t, err := r.p.Incidents.Announce(ctx, r.p.Accounts.Operator(org), incident.Transfer{Successor: c.Successor, Reason: c.Reason, Contact: c.Contact, Until: until})
	if err != nil {
		return err
	}
	return r.printf("The transfer %s is announced; %d members were told. Nothing is handed over before the end of %s.\n", t.ID, t.Told, c.Until)
}

type transferListCmd struct{ inOrg }

func (c *transferListCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	all, err := r.p.Incidents.Transfers(ctx, r.p.Accounts.Operator(org))
	if err != nil {
		return err
	}
	return asJSON{}.write(r, nil, func(t *table) {
		t.row("ID", "STATE", "SUCCESSOR", "ANNOUNCED", "OBJECT UNTIL", "OBJECTIONS")
		for _, x := range all {
			t.row(x.ID, x.State, x.Successor, dayIn(org, x.Announced), clockText(org, x.Until), len(x.Objections))
		}
	})
}

type ofTransfer struct {
	inOrg
	ID string `arg:"" help:"The transfer, from \"parley transfer list\"."`
}

type transferObjectCmd struct {
	ofTransfer
	Number string `help:"Phone number of a person outside."`
	Member string `help:"Member, by name, e-mail address or id."`
}

func (c *transferObjectCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	who, err := whoIs(ctx, r, org, c.Number, c.Member)
	if err != nil {
		return err
	}
	if err := r.p.Incidents.Object(ctx, r.p.Accounts.Operator(org), c.ID, who); err != nil {
		return err
	}
	return r.printf("It is written down that they object.\n")
}

type transferWithdrawCmd struct{ ofTransfer }

func (c *transferWithdrawCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	if _, err := r.p.Incidents.Withdraw(ctx, r.p.Accounts.Operator(org), c.ID); err != nil {
		return err
	}
	return r.printf("The transfer was withdrawn.\n")
}

type transferExportCmd struct {
	ofTransfer
	Out string `arg:"" placeholder:"FILE.zip" help:"File to write."`
}

func (c *transferExportCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	var t *incident.Transfer
	if err := writeNewFile(r.path(c.Out), func(w io.Writer) (err error) {
		t, err = r.p.Incidents.HandOver(ctx, r.p.Accounts.Operator(org), c.ID, func(without []subject.Ref) error { return r.p.handOver(ctx, org, without, w) })
		return err
	}); err != nil {
		return err
	}
	return r.printf("Everything but the data of %d people who objected was written to %s.\n", len(t.Objections), c.Out)
}
