package app

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"parley/account"
	"parley/platform/civil"
	"parley/platform/fault"
	"parley/trust/rights"
)

type rightsCmd struct {
	List    rightsListCmd    `cmd:"" help:"List requests, the most urgent first."`
	New     rightsNewCmd     `cmd:"" help:"Enter a request that came by mail, by phone or in another way."`
	Intake  rightsIntakeCmd  `cmd:"" help:"Enter a mail as a request. Its clock runs from when the mail was received."`
	Show    rightsShowCmd    `cmd:"" help:"Show a request, its plan and its history."`
	Code    rightsCodeCmd    `cmd:"" help:"Make the code that is read out to whoever is called back on the number of a request."`
	Review  rightsReviewCmd  `cmd:"" help:"Say what evidence proved who asks."`
	Plan    rightsPlanCmd    `cmd:"" help:"Plan a request anew: what there is, and what stands in the way."`
	Propose rightsProposeCmd `cmd:"" help:"Say what a correction is to write."`
	Approve rightsApproveCmd `cmd:"" help:"Approve the plan of a request."`
	Run     rightsRunCmd     `cmd:"" help:"Carry out an approved request."`
	Refuse  rightsRefuseCmd  `cmd:"" help:"Turn a request down, with a reason."`
	Extend  rightsExtendCmd  `cmd:"" help:"Take the longer time that the law allows, and tell the person why."`
	Answer  rightsAnswerCmd  `cmd:"" help:"Answer a complaint."`
	Note    rightsNoteCmd    `cmd:"" help:"Add a remark to the history of a request."`
	Hear    rightsHearCmd    `cmd:"" help:"Note what a recipient answered."`
	Lift    rightsLiftCmd    `cmd:"" help:"End a restriction or an objection."`
	Fetch   rightsFetchCmd   `cmd:"" help:"Write the package of an access request to a file."`
	Receipt rightsReceiptCmd `cmd:"" help:"Write the signed receipt of a request to a file."`
	Verify  rightsVerifyCmd  `cmd:"" help:"Check a receipt or a package; needs nothing but the file."`
}

// oneRequest is a command about one request.
type oneRequest struct {
	inOrg
	ID string `arg:"" help:"Id of the request."`
}

// officer is the operator in the organisation that is meant.
func (o inOrg) officer(ctx context.Context, r *Run) (*account.Actor, error) {
	org, err := o.find(ctx, r)
	if err != nil {
		return nil, err
	}
	return r.p.Accounts.Operator(org), nil
}

// did does something to a request and says how it stands then.
func (c *oneRequest) did(ctx context.Context, r *Run, do func(by *account.Actor) (*rights.Request, error)) error {
	by, err := c.officer(ctx, r)
	if err != nil {
		return err
	}
	q, err := do(by)
	if err != nil {
		return err
	}
	return r.printf("%s is %s.\n", q.ID, q.State)
}

// requestView is a request as JSON.
type requestView struct {
	ID       string         `json:"id"`
	Kind     rights.Kind    `json:"kind"`
	Channel  rights.Channel `json:"channel"`
	State    rights.State   `json:"state"`
	Reason   rights.Reason  `json:"reason"`
	Proof    rights.Proof   `json:"proof"`
	Contact  string         `json:"contact"`
	Name     string         `json:"name"`
	Text     string         `json:"text"`
	Known    bool           `json:"known"`
	Minor    bool           `json:"minor"`
	Place    string         `json:"place"`
	Clock    string         `json:"clock"`
	Received time.Time      `json:"received_at"`
	Due      time.Time      `json:"due_at"`
	Overdue  bool           `json:"overdue"`
	Closed   *time.Time     `json:"closed_at"`
	RunAfter *time.Time     `json:"run_after"`
	Plan     *rights.Plan   `json:"plan"`
	PlanHash string         `json:"plan_hash"`
}

func viewOf(q *rights.Request, now time.Time) requestView {
	v := requestView{ID: q.ID, Kind: q.Kind, Channel: q.Channel, State: q.State, Reason: q.Reason, Proof: q.Proof, Contact: q.Contact.Email + q.Contact.Number, Name: q.Contact.Name, Text: q.Text,
		Known: q.Known(), Minor: q.Minor, Place: q.Place, Clock: q.Law, Received: q.Received, Due: q.Due, Overdue: q.Overdue(now), Closed: orNil(q.Closed), RunAfter: orNil(q.RunAfter), Plan: q.Plan}
	if q.Plan != nil {
		v.PlanHash = q.Plan.Hash()
	}
	return v
}

type rightsListCmd struct {
	inOrg
	asJSON
	Closed  bool   `help:"Those that were answered or refused."`
	Overdue bool   `help:"Only those whose answer is late."`
	Kind    string `help:"Only this kind: access, portability, correction, erasure, restriction, objection, withdrawal, complaint."`
}

func (c *rightsListCmd) onData(ctx context.Context, r *Run) error {
	by, err := c.officer(ctx, r)
	if err != nil {
		return err
	}
	q := rights.Queue{Closed: c.Closed, Overdue: c.Overdue}
	if c.Kind != "" {
		if q.Kind, err = rights.ParseKind(c.Kind); err != nil {
			return err
		}
	}
	all, err := r.p.Rights.List(ctx, by, q)
	if err != nil {
		return err
	}
	out := make([]requestView, len(all))
	for i, one := range all {
		out[i] = viewOf(one, r.p.Now())
	}
	return c.write(r, out, func(t *table) {
		t.row("ID", "KIND", "STATE", "FROM", "RECEIVED", "DUE", "LATE")
		for _, v := range out {
			t.row(v.ID, v.Kind, v.State, v.Contact, moment(orNil(v.Received), by.Org), moment(orNil(v.Due), by.Org), yes(v.Overdue))
		}
	})
}

type rightsNewCmd struct {
	inOrg
	Kind     string   `arg:"" help:"access, portability, correction, erasure, restriction, objection, withdrawal or complaint."`
	Contact  string   `arg:"" optional:"" help:"E-mail address or phone number that it is about."`
	Channel  string   `default:"phone" help:"How it came: mail, phone or api."`
	Name     string   `help:"Name of the person."`
	Text     string   `help:"What they wrote or said."`
	Place    string   `help:"Where the person lives, such as IN or US-CA; left out, the strictest law counts."`
	Purpose  []string `help:"Purposes of the policy, for an objection or a withdrawal."`
	Received string   `placeholder:"2026-03-02" help:"Day on which it was received; today when left out."`
	Minor    bool     `help:"The data is about a child."`
}

func (c *rightsNewCmd) onData(ctx context.Context, r *Run) error {
	by, err := c.officer(ctx, r)
	if err != nil {
		return err
	}
	a := rights.Ask{Kind: rights.Kind(c.Kind), Channel: rights.Channel(c.Channel), Contact: c.Contact, Name: c.Name, Text: c.Text, Place: c.Place, Locale: by.Org.Locale, Purposes: c.Purpose, Minor: c.Minor}
	if c.Received != "" {
		day, err := civil.Parse(c.Received)
		if err != nil {
			return err
		}
		a.Received = day.Start(by.Org.Location())
	}
	return enterRequest(ctx, r, by, a)
}

func enterRequest(ctx context.Context, r *Run, by *account.Actor, a rights.Ask) error {
	q, err := r.p.Rights.Take(ctx, by, a)
	if err != nil {
		return err
	}
	return r.printf("%s (%s) is entered. The answer is due on %s.\n", q.ID, q.Kind, moment(orNil(q.Due), by.Org))
}

type rightsIntakeCmd struct {
	inOrg
	File  string `arg:"" help:"The mail, as a file that ends in .eml."`
	Kind  string `help:"What it asks for, where its words do not tell."`
	Place string `help:"Where the person lives, such as IN or US-CA."`
}

func (c *rightsIntakeCmd) onData(ctx context.Context, r *Run) error {
	by, err := c.officer(ctx, r)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(r.path(c.File))
	if err != nil {
		return fault.Wrap(fault.NotFound, err, "The file %s cannot be read.", c.File)
	}
	a, err := rights.ReadLetter(bytes.NewReader(text))
	if err != nil {
		return err
	}
	a.Place, a.Locale = c.Place, by.Org.Locale
	if c.Kind != "" {
		a.Kind = rights.Kind(c.Kind)
	}
	if a.Kind == "" {
		return fault.New(fault.Invalid, "The words of this mail do not tell what is asked for. Read it, and say so with --kind.")
	}
	return enterRequest(ctx, r, by, a)
}

type rightsShowCmd struct {
	oneRequest
	asJSON
}

func (c *rightsShowCmd) onData(ctx context.Context, r *Run) error {
	by, err := c.officer(ctx, r)
	if err != nil {
		return err
	}
	q, err := r.p.Rights.One(ctx, by, c.ID)
	if err != nil {
		return err
	}
	history, err := r.p.Rights.History(ctx, by.Org.ID, c.ID)
	if err != nil {
		return err
	}
	v := viewOf(q, r.p.Now())
	return c.write(r, struct {
		requestView
		History []rights.Event `json:"history"`
	}{v, history}, func(t *table) {
		t.row("request", q.ID)
		t.row("kind", q.Kind)
		t.row("state", q.State)
		t.row("from", v.Contact, q.Contact.Name)
		t.row("proof", v.Proof)
		t.row("received", moment(orNil(q.Received), by.Org))
		t.row("due", moment(orNil(q.Due), by.Org), q.Law)
		if q.Text != "" {
			t.row("text", strings.ReplaceAll(q.Text, "\n", " "))
		}
		showPlan(t, q, by.Org)
		t.row(" ")
		for _, e := range history {
			t.row(moment(orNil(e.At), by.Org), e.What, e.Actor, e.Note)
		}
	})
}

func showPlan(t *table, q *rights.Request, org *account.Org) {
	p := q.Plan
	if p == nil {
		return
	}
	t.row(" ")
	t.row("plan", p.Hash())
	for _, l := range p.Lines {
		t.row("", l.Count, l.Name, l.Category)
	}
	for _, l := range p.Locks {
		t.row("", "stays until", moment(orNil(l.Until), org), l.Category, l.Law)
	}
	for _, h := range p.Holds {
		t.row("", "held by", h.Hold, h.Category)
	}
	for _, name := range p.Recipients {
		t.row("", "told", name)
	}
}

type rightsCodeCmd struct{ oneRequest }

func (c *rightsCodeCmd) onData(ctx context.Context, r *Run) error {
	by, err := c.officer(ctx, r)
	if err != nil {
		return err
	}
	code, err := r.p.Rights.SpeakCode(ctx, by, c.ID)
	if err != nil {
		return err
	}
	return r.printf("Call the number of the request, and read out this code: %s\nIt works once, for 15 minutes.\n", code)
}

type rightsReviewCmd struct {
	oneRequest
	Evidence string `arg:"" help:"What proved who asks. Only a hash of this text is kept."`
}

func (c *rightsReviewCmd) onData(ctx context.Context, r *Run) error {
	return c.did(ctx, r, func(by *account.Actor) (*rights.Request, error) { return r.p.Rights.Review(ctx, by, c.ID, c.Evidence) })
}

type rightsPlanCmd struct {
	oneRequest
	asJSON
}

func (c *rightsPlanCmd) onData(ctx context.Context, r *Run) error {
	by, err := c.officer(ctx, r)
	if err != nil {
		return err
	}
	q, err := r.p.Rights.MakePlan(ctx, by, c.ID)
	if err != nil {
		return err
	}
	return c.write(r, viewOf(q, r.p.Now()), func(t *table) { showPlan(t, q, by.Org) })
}

type rightsProposeCmd struct {
	oneRequest
	Field string `arg:"" help:"contact.name or member.name."`
	Value string `arg:"" help:"The right value."`
}

func (c *rightsProposeCmd) onData(ctx context.Context, r *Run) error {
	return c.did(ctx, r, func(by *account.Actor) (*rights.Request, error) {
		return r.p.Rights.Propose(ctx, by, c.ID, c.Field, c.Value)
	})
}

type rightsApproveCmd struct {
	oneRequest
	Plan string `help:"Hash of the plan that you saw; left out, the plan as it is now."`
}

func (c *rightsApproveCmd) onData(ctx context.Context, r *Run) error {
	return c.did(ctx, r, func(by *account.Actor) (*rights.Request, error) {
		q, err := r.p.Rights.One(ctx, by, c.ID)
		if err != nil {
			return nil, err
		}
		hash := c.Plan
		if hash == "" && q.Plan != nil {
			hash = q.Plan.Hash()
		}
		return r.p.Rights.Approve(ctx, by, c.ID, hash)
	})
}

type rightsRunCmd struct{ oneRequest }

func (c *rightsRunCmd) onData(ctx context.Context, r *Run) error {
	return c.did(ctx, r, func(by *account.Actor) (*rights.Request, error) { return r.p.Rights.Run(ctx, by, c.ID) })
}

type rightsRefuseCmd struct {
	oneRequest
	Reason   string `arg:"" help:"unverified, no_data, unfounded, duplicate, legal_duty, others, undone or answered."`
	Sentence string `arg:"" help:"Why, for the person."`
}

func (c *rightsRefuseCmd) onData(ctx context.Context, r *Run) error {
	return c.did(ctx, r, func(by *account.Actor) (*rights.Request, error) {
		return r.p.Rights.Refuse(ctx, by, c.ID, rights.Reason(c.Reason), c.Sentence)
	})
}

type rightsExtendCmd struct {
	oneRequest
	Why string `arg:"" help:"Why more time is needed, for the person."`
}

func (c *rightsExtendCmd) onData(ctx context.Context, r *Run) error {
	return c.did(ctx, r, func(by *account.Actor) (*rights.Request, error) { return r.p.Rights.Extend(ctx, by, c.ID, c.Why) })
}

type rightsAnswerCmd struct {
	oneRequest
	Text string `arg:"" help:"The answer."`
}

func (c *rightsAnswerCmd) onData(ctx context.Context, r *Run) error {
	return c.did(ctx, r, func(by *account.Actor) (*rights.Request, error) { return r.p.Rights.Answer(ctx, by, c.ID, c.Text) })
}

type rightsNoteCmd struct {
	oneRequest
	Text string `arg:"" help:"The remark."`
}

func (c *rightsNoteCmd) onData(ctx context.Context, r *Run) error {
	return c.did(ctx, r, func(by *account.Actor) (*rights.Request, error) { return r.p.Rights.Note(ctx, by, c.ID, c.Text) })
}

type rightsHearCmd struct {
	oneRequest
	Recipient string `arg:"" help:"Key of the recipient in the policy."`
	Answer    string `arg:"" help:"done or refused."`
}

func (c *rightsHearCmd) onData(ctx context.Context, r *Run) error {
	return c.did(ctx, r, func(by *account.Actor) (*rights.Request, error) {
		return r.p.Rights.Hear(ctx, by, c.ID, c.Recipient, rights.Answer(c.Answer))
	})
}

type rightsLiftCmd struct {
	oneRequest
	Why string `arg:"" help:"Why it ends."`
}

func (c *rightsLiftCmd) onData(ctx context.Context, r *Run) error {
	return c.did(ctx, r, func(by *account.Actor) (*rights.Request, error) { return r.p.Rights.Lift(ctx, by, c.ID, c.Why) })
}

// toFile is a command that writes a file.
type toFile struct {
	Out string `required:"" placeholder:"FILE" help:"File to write."`
}

func (c *toFile) write(r *Run, from io.Reader) error {
	f, err := os.OpenFile(r.path(c.Out), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "The file %s cannot be written. Check that its folder exists and can be written to.", c.Out)
	}
	_, err = io.Copy(f, from)
	return errors.Join(err, f.Close())
}

type rightsFetchCmd struct {
	oneRequest
	toFile
}

func (c *rightsFetchCmd) onData(ctx context.Context, r *Run) error {
	by, err := c.officer(ctx, r)
	if err != nil {
		return err
	}
	from, _, err := r.p.Rights.FetchFor(ctx, by, c.ID)
	if err != nil {
		return err
	}
	if err := errors.Join(c.write(r, from), from.Close()); err != nil {
		return err
	}
	return r.printf("The package is in %s. Hand it to nobody but the person.\n", c.Out)
}

type rightsReceiptCmd struct {
	oneRequest
	toFile
}

func (c *rightsReceiptCmd) onData(ctx context.Context, r *Run) error {
	by, err := c.officer(ctx, r)
	if err != nil {
		return err
	}
	if _, err := r.p.Rights.One(ctx, by, c.ID); err != nil {
		return err
	}
	all, err := r.p.Rights.Receipts(ctx, by.Org.ID, c.ID)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return fault.New(fault.NotFound, "The request %s has no receipt yet: it was neither carried out nor refused.", c.ID)
	}
	if err := c.write(r, bytes.NewReader(all[len(all)-1])); err != nil {
		return err
	}
	return r.printf("The receipt is in %s.\n", c.Out)
}

type rightsVerifyCmd struct {
	asJSON
	File string `arg:"" help:"A receipt or a package."`
	Key  string `help:"Public key of the organisation's audit log, from its privacy page; left out, the one in the file is taken."`
}

func (c *rightsVerifyCmd) plain(_ context.Context, r *Run) (err error) {
	f, err := os.Open(r.path(c.File))
	if err != nil {
		return fault.Wrap(fault.NotFound, err, "The file %s cannot be read.", c.File)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	head := make([]byte, 2)
	if _, err := f.ReadAt(head, 0); err != nil {
		return fault.New(fault.Invalid, "The file %s is empty or cut off.", c.File)
	}
	key, err := textOrFile(r, c.Key)
	if err != nil {
		return err
	}
	v, err := verifyRights(f, string(head) == "PK", key)
	if err != nil {
		return err
	}
	return c.asJSON.write(r, v, func(t *table) {
		if m := v.Manifest; m != nil {
			t.row("sound", "package of request "+m.Request)
			t.row("from", m.Organisation)
			t.row("files", len(m.Files))
		}
		if x := v.Receipt; x != nil {
			t.row("sound", "receipt of request "+x.Request)
			t.row("from", x.Organisation)
			t.row("result", x.Kind, x.Result, x.Reason)
			for _, l := range x.Lines {
				t.row("", l.Count, l.Name, l.Category)
			}
			for _, l := range x.Locks {
				t.row("", "stays until "+l.Until.Format(time.DateOnly), l.Category, l.Law)
			}
			for _, o := range x.Recipients {
				t.row("", o.Recipient, nonEmpty(string(o.Answer), "no answer"))
			}
		}
		t.row("log", v.Key)
		if !v.KeyKnown {
			t.row("", "Compare this key with the one on the organisation's privacy page.")
		}
	})
}

func verifyRights(f *os.File, zipped bool, key string) (*rights.Verdict, error) {
	if zipped {
		info, err := f.Stat()
		if err != nil {
			return nil, err
		}
		return rights.VerifyPackage(f, info.Size(), key)
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	return rights.VerifyReceipt(text, key)
}
