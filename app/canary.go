package app

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/device"
	"parley/calls/ingest"
	"parley/calls/number"
	"parley/crm/contact"
	"parley/platform/civil"
	"parley/platform/fault"
	"parley/trust/consent"
	"parley/trust/hold"
	"parley/trust/prove"
	"parley/trust/rights"
	"parley/trust/subject"
)

// canaryName is what the organisation is called that a proof run makes for itself, and removes.
const canaryName = "Proof run (removed when it ends)"

// canary is a person who does not exist, in an organisation of their own on the living installation: they are called,
// noted, found, given their data, erased, and looked for everywhere.
type canary struct {
	p     *Parley
	dir   string // for what the run makes, removed with it
	org   *account.Org
	op    *account.Actor
	agent *account.Member
	phone *device.Device

	number, other string // the canary's, and somebody else's whom their package must not show
	name, note    string
	card          *contact.Contact // who they are among the contacts
	second        string           // another number of theirs, which never called
	email, remark string           // of the contact
	ref           subject.Ref
	before        int       // calls kept before the erasure
	began, made   time.Time // of the run, and of the backup in which the canary is
	facts         []string
	failed        prove.Failures
}

func newCanary(p *Parley, dir string) *canary {
	word := strings.ToLower(rand.Text()[:10])
	digits := func() string {
		n, _ := rand.Int(rand.Reader, big.NewInt(90_000)) // never fails, see crypto/rand
		return strconv.FormatInt(10_000+n.Int64(), 10)
	}
	c := &canary{p: p, dir: dir, began: p.Now(), name: "Canary " + word, note: "sings " + strings.ToLower(rand.Text()[:10]),
		email: word + "@canary.example", remark: "eats " + strings.ToLower(rand.Text()[:10])}
	c.number = "+44207946" + digits()[:1] + digits()[1:4] // of the range that is set aside for fiction
	for c.other = c.number; c.other == c.number; {
		c.other = "+44207946" + digits()[:1] + digits()[1:4]
	}
	for c.second = c.number; c.second == c.number || c.second == c.other; {
		c.second = "+44207946" + digits()[:1] + digits()[1:4]
	}
	return c
}

func (c *canary) tell(sentence string, args ...any) {
	c.facts = append(c.facts, fmt.Sprintf(sentence, args...))
}

// broke notes a promise that does not hold.
func (c *canary) broke(promises, sentence string, args ...any) {
	c.failed.Add(prove.Fail(promises, sentence, args...))
}

// run is the canary's life. An error is one of the run itself; what does not hold is noted.
func (c *canary) run(ctx context.Context) (err error) {
	defer func() { c.failed.Add(prove.Stop(c.end(context.WithoutCancel(ctx)), "P79")) }()
	parts := []struct {
		try      func(context.Context) error
		promises string // that it speaks for
	}{
		{c.begin, ""}, {c.called, "P28"}, {c.carded, "P43"}, {c.unreadable, "P5 P42 P43"}, {c.found, "P43 P48"}, {c.asked, "P25 P89 P90"}, {c.preferred, "P94 P104"}, {c.restricted, "P93"},
		{c.held, "P88"}, {c.backedUp, ""}, {c.erased, "P92"}, {c.gone, "P6 P92"}, {c.notBack, "P87 P112"}, {c.notInBackup, "P77"},
	}
	for i, part := range parts {
		if err := part.try(ctx); err != nil {
			var untried []string
			for _, later := range parts[i:] {
				untried = append(untried, strings.Fields(later.promises)...)
			}
			return prove.Stop(err, untried...)
		}
	}
	return nil
}

func (c *canary) begin(ctx context.Context) (err error) {
	p := c.p
	if c.org, err = p.Accounts.CreateOrg(ctx, account.NewOrg{Name: canaryName, Country: "GB", Zone: "Europe/London", OwnerName: "Proof run", OwnerEmail: "proof@parley.invalid", Demo: true}); err != nil {
		return err
	}
	c.op = p.Accounts.Operator(c.org)
	if c.agent, err = p.Accounts.AddAgent(ctx, c.org.ID, account.NewAgent{Name: "Proof agent"}); err != nil {
		return err
	}
	code, _, err := p.Devices.PairingCode(ctx, c.org, c.agent.Agent)
	if err != nil {
		return err
	}
	c.phone, _, err = p.Devices.Pair(ctx, code, device.PairRequest{InstallID: rand.Text(), Name: "Proof phone", Model: "Proof phone", OS: "Android 15", AppVersion: "1.0.0",
		SIMs: []device.SIM{{Slot: 1, SubscriptionID: "1", Number: "+442079460000", Label: "Work"}}})
	return err
}

// synced sends a call as a phone does.
func (c *canary) synced(ctx context.Context, key, number, name string, kind call.Type, seconds int, ago time.Duration) (ingest.SyncAnswer, error) {
	start := c.began.Add(-ago).UnixMilli()
	answers, err := c.p.Writer.Sync(ctx, c.p.Devices, c.org, c.phone, ingest.Batch{Calls: []ingest.SyncCall{{
		ClientKey: key, SIM: "1", Number: number, Type: ingest.Code(strconv.Itoa(int(kind))), Start: ingest.Moment(strconv.FormatInt(start, 10)), Seconds: seconds, Name: name}}})
	if err != nil {
		return ingest.SyncAnswer{}, err
	}
	return answers[0], nil
}

func (c *canary) called(ctx context.Context) error {
	missed, err := c.synced(ctx, "proof-1", c.number, c.name, call.TypeMissed, 0, 3*time.Hour)
	if err != nil {
		return err
	}
	again, err := c.synced(ctx, "proof-1", c.number, c.name, call.TypeMissed, 0, 3*time.Hour)
	if err != nil {
		return err
	}
	if missed.State != ingest.New || again.State != ingest.Known && again.ID != missed.ID {
		c.broke("P28", "A call that a phone sent twice was answered %s, then %s.", missed.State, again.State)
	}
	for i, number := range []string{c.number, c.other} {
		if _, err := c.synced(ctx, "proof-"+strconv.Itoa(i+2), number, c.name, call.TypeOutgoing, 60, time.Duration(i+1)*time.Hour); err != nil {
			return err
		}
	}
	if err := c.p.Calls.SetNote(ctx, c.org, missed.Key, c.note, c.agent.ID); err != nil {
		return err
	}
	if err := c.p.Calls.SetTags(ctx, c.org, missed.Key, []string{"proof"}); err != nil {
		return err
	}
	num, ok, err := c.p.Book.Find(ctx, c.p.DB, c.org.ID, c.number)
	if err != nil {
		return err
	}
	if !ok {
		return fault.New(fault.Internal, "The number book does not find the number that was just stored.")
	}
	c.ref = subject.OfNumber(int64(num))
	c.before, err = c.calls(ctx)
	c.tell("A person who does not exist was called, noted and tagged through a paired phone: %d calls.", c.before)
	return err
}

// calls counts what the history of the canary's organisation shows.
func (c *canary) calls(ctx context.Context) (int, error) {
	page, err := c.history(ctx)
	if err != nil {
		return 0, err
	}
	return len(page.Calls), nil
}

func (c *canary) history(ctx context.Context) (*call.Page, error) {
	today := civil.DayOf(c.p.Now(), c.org.Location())
	return c.p.Calls.History(ctx, c.org, call.HistoryQuery{From: today - 2, To: today + 2, Limit: 100})
}

// words are what nobody may read where the canary's data lies.
func (c *canary) words() [][]byte {
	return [][]byte{[]byte(strings.TrimPrefix(c.number, "+")), []byte(strings.TrimPrefix(c.number, "+44")), []byte(c.name), []byte(c.note),
		[]byte(strings.TrimPrefix(c.second, "+")), []byte(c.email), []byte(c.remark)}
}

// unreadable looks into every column of every table, as the database hands them out, and into every file.
func (c *canary) unreadable(ctx context.Context) error {
	where, err := c.inTables(ctx)
	if err != nil {
		return err
	}
	files, n, err := c.inFiles()
	if err != nil {
		return err
	}
	if where = append(where, files...); len(where) > 0 {
		c.broke("P5 P42 P43", "The canary's number, name or note can be read in %s.", strings.Join(where, ", "))
	}
	c.tell("Number, name and note are unreadable in every column and in %d files.", n)
	return nil
}

// inTables names the columns in which one of the words can be read.
func (c *canary) inTables(ctx context.Context) (where []string, err error) {
	m, err := dataMap()
	if err != nil {
		return nil, err
	}
	for _, table := range m.Tables() {
		columns := m.Columns(table)
		names := make([]string, len(columns))
		for i, col := range columns {
			names[i] = col.Name
		}
		query := `SELECT ` + strings.Join(names, ", ") + ` FROM ` + table // names of our own schema
		var args []any
		if _, ok := m.Column(table, "org_id"); ok {
			query, args = query+` WHERE org_id = $1`, []any{c.org.ID}
		}
		rows, err := c.p.DB.Rows(ctx, query, args...)
		if err != nil {
			continue // a table of the key store, which is a file of its own
		}
		where = append(where, c.inRows(table, names, rows)...)
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return nil, err
		}
	}
	return where, nil
}

// cursor is what inRows reads.
type cursor interface {
	Next() bool
	Scan(...any) error
}

func (c *canary) inRows(table string, names []string, rows cursor) (where []string) {
	values, to := make([]any, len(names)), make([]any, len(names))
	for i := range values {
		to[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(to...); err != nil {
			return where // the rows' own error tells
		}
		for i, v := range values {
			if c.in(fmt.Appendf(nil, "%s", v)) {
				where = append(where, table+"."+names[i])
			}
		}
	}
	return where
}

func (c *canary) in(b []byte) bool {
	for _, w := range c.words() {
		if bytes.Contains(b, w) {
			return true
		}
	}
	return false
}

// chunk is how much of a file is looked at at once.
const chunk = 1 << 20

// inFiles names the files of the data folder in which one of the words can be read, and tells how many were looked at.
func (c *canary) inFiles() (where []string, n int, err error) {
	err = filepath.WalkDir(c.p.Config.Data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		n++
		found, err := c.inFile(path)
		if found {
			where = append(where, filepath.Base(path))
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it went meanwhile
		}
		return err
	})
	return where, n, err
}

func (c *canary) inFile(path string) (found bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	const overlap = 64 // more than the longest word
	buf, kept := make([]byte, chunk+overlap), 0
	for {
		n, err := io.ReadFull(f, buf[kept:])
		if c.in(buf[:kept+n]) {
			return true, nil
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		kept = copy(buf, buf[kept+n-overlap:kept+n])
	}
}

// found checks that whoever may read the data can.
func (c *canary) found(ctx context.Context) error {
	page, err := c.history(ctx)
	if err != nil {
		return err
	}
	var shown, noted bool
	for _, x := range page.Calls {
		shown = shown || x.Number == c.number
		noted = noted || x.Note == c.note
	}
	if !shown || !noted {
		c.broke("P43", "A sealed number or note is not shown to those who may see it.")
	}
	ending, err := c.p.Book.FindEnding(ctx, c.p.DB, c.org.ID, c.number[len(c.number)-4:])
	if err != nil {
		return err
	}
	if len(ending) == 0 {
		c.broke("P43", "A number is not found by its last four digits.")
	}
	c.tell("The sealed number is found by all its digits and by the last four.")
	return nil
}

// request takes a request of the canary through to its end.
func (c *canary) request(ctx context.Context, kind rights.Kind) (*rights.Request, error) {
	q, err := c.approved(ctx, kind, c.number)
	if err != nil || q.State == rights.Done { // a restriction takes effect as soon as it is known who asks
		return q, err
	}
	return c.p.Rights.Run(ctx, c.op, q.ID)
}

// approved takes a request of one of the two persons to where it may be carried out.
func (c *canary) approved(ctx context.Context, kind rights.Kind, number string) (*rights.Request, error) {
	r := c.p.Rights
	q, err := r.Take(ctx, c.op, rights.Ask{Kind: kind, Channel: rights.Phone, Contact: number, Locale: "en", Place: "GB"})
	if err != nil {
		return nil, err
	}
	if q, err = r.Review(ctx, c.op, q.ID, "The proof run made this person up."); err != nil {
		return nil, err
	}
	if q.State == rights.Approved || q.State == rights.Done {
		return q, nil
	}
	if q, err = r.MakePlan(ctx, c.op, q.ID); err != nil {
		return nil, err
	}
	return r.Approve(ctx, c.op, q.ID, q.Plan.Hash())
}

// asked checks that the canary is given everything about themself, and nothing about anybody else.
func (c *canary) asked(ctx context.Context) error {
	q, err := c.request(ctx, rights.Access)
	if err != nil {
		return err
	}
	from, _, err := c.p.Rights.FetchFor(ctx, c.op, q.ID)
	if err != nil {
		return err
	}
	raw, err := io.ReadAll(from)
	if err = errors.Join(err, from.Close()); err != nil {
		return err
	}
	files, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return err
	}
	var all []byte
	for _, f := range files.File {
		r, err := f.Open()
		if err != nil {
			return err
		}
		b, err := io.ReadAll(r)
		if err = errors.Join(err, r.Close()); err != nil {
			return err
		}
		all = append(all, b...)
	}
	for what, w := range map[string]string{"number": c.number, "name": c.name, "note": c.note, "second number": c.second, "e-mail address": c.email, "note as a contact": c.remark} {
		if !bytes.Contains(all, []byte(w)) {
			c.broke("P25 P89", "The package of an access request lacks the person's %s.", what)
		}
	}
	if bytes.Contains(all, []byte(c.other)) {
		c.broke("P89", "The package of an access request shows another person's number.")
	}
	if _, err := rights.VerifyPackage(bytes.NewReader(raw), int64(len(raw)), ""); err != nil {
		c.broke("P90", "The package's signature does not verify: %s", fault.Sentence(err))
	}
	c.tell("An access request gave a signed package of %d files with all that is kept, and nobody else's number.", len(files.File))
	return nil
}

// preferred checks that a withdrawal and a stop count at once.
func (c *canary) preferred(ctx context.Context) error {
	who := consent.Who{Ref: c.ref, Number: c.number}
	if err := c.p.Consents.Stop(ctx, c.org.ID, who, consent.Call, consent.BySpoken, c.op.Member.ID); err != nil {
		return err
	}
	d, err := c.p.Consents.MayContact(ctx, c.org.ID, who, "marketing", consent.Call, c.p.Now())
	if err != nil {
		return err
	}
	if d.Allowed {
		c.broke("P94 P104", "Somebody who said stop may still be called for marketing.")
	}
	c.tell("After \"stop\" the gate before calls refuses, at once.")
	return nil
}

// restricted checks that a restriction keeps the data from every use, and that lifting it gives it back.
func (c *canary) restricted(ctx context.Context) error {
	q, err := c.request(ctx, rights.Restriction)
	if err != nil {
		return err
	}
	if err := c.p.Book.CheckUse(ctx, c.p.DB, c.org.ID, number.ID(c.ref.Num())); err == nil {
		c.broke("P93", "A restricted person's data may still be used.")
	}
	page, err := c.history(ctx)
	if err != nil {
		return err
	}
	for _, x := range page.Calls {
		if x.Number == c.number || x.Note == c.note {
			c.broke("P93", "A restricted person is still shown in the history of calls.")
			break
		}
	}
	if err := c.cardRestricted(ctx); err != nil {
		return err
	}
	if _, err := c.p.Rights.Lift(ctx, c.op, q.ID, "The proof run goes on."); err != nil {
		return err
	}
	c.tell("A restriction took the person out of lists and reports, and its end brought them back.")
	return nil
}

// held checks that nothing is erased under a hold; the other person is held, so that the canary can go on.
func (c *canary) held(ctx context.Context) error {
	owner, err := c.p.Accounts.Owner(ctx, c.org.ID)
	if err != nil {
		return err
	}
	num, _, err := c.p.Book.Find(ctx, c.p.DB, c.org.ID, c.other)
	if err != nil {
		return err
	}
	h, err := c.p.Holds.Add(ctx, c.op, hold.Hold{Scope: hold.Person, Persons: []subject.Ref{subject.OfNumber(int64(num))}, Reason: "The proof run tries a hold.", Owner: owner.ID, Ends: c.p.Now().Add(24 * time.Hour)})
	if err != nil {
		return err
	}
	q, err := c.approved(ctx, rights.Erasure, c.other)
	if err != nil && fault.KindOf(err) != fault.Conflict {
		return err
	}
	if err == nil {
		_, err = c.p.Rights.Run(ctx, c.op, q.ID)
	}
	if err == nil {
		c.broke("P88", "A person was erased although a legal hold protects them.")
	}
	if _, err := c.p.Holds.Release(ctx, c.op, h.ID, "The proof run goes on."); err != nil {
		return err
	}
	c.tell("Under a legal hold the erasure was refused.")
	return nil
}

// end removes the canary's organisation and makes sure that no row of it is left.
func (c *canary) end(ctx context.Context) error {
	if c.org == nil {
		return nil
	}
	if err := c.p.RemoveOrg(ctx, c.org.ID); err != nil {
		return err
	}
	left, err := c.rowsLeft(ctx)
	if err != nil {
		return err
	}
	if len(left) > 0 {
		c.broke("P79", "Rows of a closed organisation are left in %s.", strings.Join(left, ", "))
	}
	return nil
}

func (c *canary) rowsLeft(ctx context.Context) (left []string, err error) {
	m, err := dataMap()
	if err != nil {
		return nil, err
	}
	for _, table := range m.Tables() {
		if _, ok := m.Column(table, "org_id"); !ok {
			continue
		}
		var n int64
		if err := c.p.DB.Row(ctx, `SELECT count(*) FROM `+table+` WHERE org_id = $1`, c.org.ID).Scan(&n); err != nil {
			continue // a table of the key store
		}
		if n > 0 {
			left = append(left, table)
		}
	}
	return left, nil
}
