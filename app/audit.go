package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/fault"
	"parley/reach/mail"
	"parley/web/phrase"
)

type auditCmd struct {
	List       auditListCmd       `cmd:"" help:"List what was logged, the newest first."`
	Check      auditCheckCmd      `cmd:"" help:"Verify the log where it is kept, with all that stands beside it."`
	Export     auditExportCmd     `cmd:"" help:"Write the whole log to a file that can be verified anywhere. It holds no names and no numbers."`
	Verify     auditVerifyCmd     `cmd:"" help:"Verify a file of \"audit export\" or \"audit prove\"; needs nothing but the file."`
	Prove      auditProveCmd      `cmd:"" help:"Write the proof that one entry is in the log."`
	Checkpoint auditCheckpointCmd `cmd:"" help:"Show the signed checkpoint of the log, or take one back that a witness has cosigned."`
}

// ofLog is a command about one log.
type ofLog struct {
	inOrg
	Installation bool `help:"The log of the installation itself, in place of an organisation's."`
}

// log is the number of the log that is meant.
func (c *ofLog) log(ctx context.Context, r *Run) (int64, error) {
	if c.Installation {
		return 0, nil
	}
	org, err := c.find(ctx, r)
	if err != nil {
		return 0, err
	}
	return int64(org.ID), nil
}

type auditListCmd struct {
	ofLog
	asJSON
	About  string   `placeholder:"KIND/ID" help:"Only about this person, such as number/17 or member/mem_…"`
	Actor  string   `help:"Only what this member did, by name, e-mail address or id; or operator, system or public."`
	Action []string `help:"Only these actions, such as call.opened,export.made."`
	From   string   `placeholder:"2026-03-02" help:"Only from this day on (UTC)."`
	To     string   `placeholder:"2026-04-11" help:"Only before this day (UTC)."`
	Before int64    `help:"Only entries before this one."`
	Limit  int      `default:"50" help:"How many at most."`
}

// loggedEntry is an entry as JSON.
type loggedEntry struct {
	N         int64             `json:"n"`
	At        time.Time         `json:"at"`
	Action    audit.Action      `json:"action"`
	Actor     string            `json:"actor"`
	About     string            `json:"about,omitempty"`
	Object    string            `json:"object,omitempty"`
	Purpose   string            `json:"purpose,omitempty"`
	Policy    int               `json:"policy,omitempty"`
	Result    string            `json:"result"`
	Details   map[string]string `json:"details,omitempty"`
	Forgotten bool              `json:"forgotten,omitempty"`
}

func (c *auditListCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.log(ctx, r)
	if err != nil {
		return err
	}
	f := audit.Filter{About: c.About, Actor: c.Actor, Before: c.Before, Limit: c.Limit}
	for _, a := range c.Action {
		f.Actions = append(f.Actions, audit.Action(a))
	}
	for _, day := range []struct {
		text string
		to   *time.Time
	}{{c.From, &f.From}, {c.To, &f.To}} {
		if day.text == "" {
			continue
		}
		if *day.to, err = time.Parse(time.DateOnly, day.text); err != nil {
			return invalidf("%q is no day. Write it as 2026-03-02.", day.text)
		}
	}
	if f.Actor, err = c.actor(ctx, r); err != nil {
		return err
	}
	records, _, err := r.p.Audit.List(ctx, org, f)
	if err != nil {
		return err
	}
	out := make([]loggedEntry, len(records))
	for i, e := range records {
		out[i] = loggedEntry{e.N, e.At, e.Action, e.Actor, e.About, e.Object, e.Purpose, e.Policy, e.Result, e.Details, e.Forgotten}
		if e.Forgotten {
			out[i].Actor, out[i].About = e.WhoHash, e.AboutHash
		}
	}
	return c.write(r, out, func(t *table) {
		t.row("ENTRY", "TIME", "WHO", "DID", "ABOUT", "WHAT", "RESULT")
		for _, e := range out {
			t.row(e.N, e.At.Format("2006-01-02 15:04:05"), e.Actor, e.Action, e.About, e.Object, e.Result)
		}
	})
}

// actor is the member that is meant, or one of those who are none.
func (c *auditListCmd) actor(ctx context.Context, r *Run) (string, error) {
	if slices.Contains([]string{"", audit.Operator, audit.System, audit.Public}, c.Actor) || c.Installation {
		return c.Actor, nil
	}
	org, err := c.find(ctx, r)
	if err != nil {
		return "", err
	}
	m, err := findMember(ctx, r, org, c.Actor)
	if err != nil {
		return "", err
	}
	return string(m.ID), nil
}

type auditCheckCmd struct {
	ofLog
	asJSON
}

func (c *auditCheckCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.log(ctx, r)
	if err != nil {
		return err
	}
	v, err := r.p.Audit.Verify(ctx, org)
	if err != nil {
		return err
	}
	return c.tell(r, v, "")
}

// tell says what verifying found, and fails when that is something.
func (j asJSON) tell(r *Run, v *audit.Verdict, more string) error {
	if j.JSON {
		if err := writeJSON(r, v); err != nil {
			return err
		}
	} else if v.OK() {
		text := fmt.Sprintf("The log %s is whole: %d entries", v.Log, v.Entries)
		if v.Entries > 0 {
			text += fmt.Sprintf(" from %s to %s", v.First.Format("2006-01-02 15:04:05"), v.Last.Format("2006-01-02 15:04:05"))
		}
		text += fmt.Sprintf(", compared with %d checkpoints.\nRoot: %s\n", v.Checkpoints, v.Root)
		if len(v.Witnesses) > 0 {
			text += "Cosigned by " + strings.Join(v.Witnesses, ", ") + ".\n"
		}
		if err := r.printf("%s%s", text, more); err != nil {
			return err
		}
	}
	if v.OK() {
		return nil
	}
	return fault.New(fault.Conflict, "The audit log was tampered with. %s", strings.Join(v.Faults, " "))
}

type auditExportCmd struct {
	ofLog
	File string `arg:"" optional:"" help:"File to write; without, a name is made up."`
}

func (c *auditExportCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.log(ctx, r)
	if err != nil {
		return err
	}
	if c.File == "" {
		c.File = fmt.Sprintf("audit-%d-%s.jsonl", org, r.p.Now().UTC().Format("20060102"))
	}
	path := r.path(c.File)
	part, err := os.CreateTemp(filepath.Dir(path), ".parley-export-")
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "The file cannot be written to %s (%s).", filepath.Dir(path), plainReason(err))
	}
	point, err := r.p.Audit.Export(ctx, org, part)
	if err = errors.Join(err, part.Close()); err != nil {
		return errors.Join(err, os.Remove(part.Name()))
	}
	if err := os.Rename(part.Name(), path); err != nil {
		return err
	}
	return r.printf("%s was written: %d entries. Verify it anywhere with \"parley audit verify\".\n", path, point.Size)
}

type auditVerifyCmd struct {
	asJSON
	File       string   `arg:"" help:"File of \"audit export\", \"audit prove\" or \"audit checkpoint --since\"."`
	Key        string   `placeholder:"KEY|FILE" help:"Public key of the log as you know it, or a file with it; shows a log that was written anew under another key."`
	Checkpoint []string `placeholder:"FILE" help:"Older checkpoints, such as mails of checkpoints; shows a log that was written anew since."`
	Witness    []string `placeholder:"KEY|FILE" help:"Public keys of witnesses."`
}

func (c *auditVerifyCmd) plain(_ context.Context, r *Run) error {
	var known audit.Known
	var err error
	if known.Key, err = textOrFile(r, c.Key); err != nil {
		return err
	}
	for _, w := range c.Witness {
		key, err := textOrFile(r, w)
		if err != nil {
			return err
		}
		known.Witnesses = append(known.Witnesses, key)
	}
	for _, name := range c.Checkpoint {
		text, err := os.ReadFile(r.path(name))
		if err != nil {
			return unreadable(name, err)
		}
		found, ok := audit.FindCheckpoint(string(text))
		if !ok {
			return invalidf("There is no checkpoint in %s. It is three lines, an empty line, and a line that begins with \"— \".", name)
		}
		known.Checkpoints = append(known.Checkpoints, found)
	}
	f, err := os.Open(r.path(c.File))
	if err != nil {
		return unreadable(c.File, err)
	}
	defer f.Close()
	if p, ok := proofIn[audit.Proof](r.path(c.File)); ok && p.Leaf != "" {
		return c.proof(r, p, known.Key)
	}
	if g, ok := proofIn[audit.Growth](r.path(c.File)); ok && g.Old > 0 {
		return c.growth(r, g, known)
	}
	v, err := audit.Verify(f, known)
	if err != nil {
		return err
	}
	more := ""
	if !v.KeyKnown {
		more = "The key is the one in the file. To know that it is this log's, compare it with a copy kept elsewhere: --key.\n"
	}
	return c.tell(r, v, more)
}

// maxProof bounds the file of a proof, which has some dozens of hashes.
const maxProof = 1 << 20

// proofIn reads the file of a proof.
func proofIn[P any](path string) (*P, bool) {
	info, err := os.Stat(path)
	if err != nil || info.Size() > maxProof {
		return nil, false
	}
	text, err := os.ReadFile(path)
	var p P
	return &p, err == nil && json.Unmarshal(text, &p) == nil
}

func (c *auditVerifyCmd) growth(r *Run, g *audit.Growth, known audit.Known) error {
	if len(known.Checkpoints) != 1 {
		return invalidf("%s shows how the log grew from %d entries. Give the checkpoint that it grew from with --checkpoint.", c.File, g.Old)
	}
	key := known.Key
	if key == "" {
		key = g.Key
	}
	point, err := g.Check(key, known.Checkpoints[0])
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(r, map[string]any{"log": point.Log, "from": g.Old, "entries": point.Size})
	}
	return r.printf("The log %s only grew, from %d entries to %d.\n", point.Log, g.Old, point.Size)
}

func (c *auditVerifyCmd) proof(r *Run, p *audit.Proof, key string) error {
	point, err := p.Check(key)
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(r, map[string]any{"log": point.Log, "entries": point.Size, "n": p.N, "leaf": json.RawMessage(p.Leaf)})
	}
	return r.printf("Entry %d is in the log %s of %d entries:\n%s\n", p.N, point.Log, point.Size, p.Leaf)
}

// textOrFile gives a text, or what is in the file of that name.
func textOrFile(r *Run, text string) (string, error) {
	if text == "" || strings.Contains(text, "+") {
		return text, nil
	}
	b, err := os.ReadFile(r.path(text))
	if err != nil {
		return "", unreadable(text, err)
	}
	return strings.TrimSpace(string(b)), nil
}

func unreadable(name string, err error) error {
	return fault.Wrap(fault.NotFound, err, "The file %s cannot be read (%s).", name, plainReason(err))
}

type auditProveCmd struct {
	ofLog
	N int64 `arg:"" help:"Position of the entry, as \"audit list\" shows it."`
}

func (c *auditProveCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.log(ctx, r)
	if err != nil {
		return err
	}
	p, err := r.p.Audit.Prove(ctx, org, c.N)
	if err != nil {
		return err
	}
	return writeJSON(r, p)
}

type auditCheckpointCmd struct {
	ofLog
	Key     bool   `xor:"what" help:"Show the log's public key instead. Keep a copy elsewhere."`
	Keys    bool   `xor:"what" help:"Show the public key and how it followed from those before, as a file for --key of verifying commands."`
	Since   int64  `xor:"what" placeholder:"SIZE" help:"Write the proof that the log only grew since it had so many entries, for a witness."`
	Cosign  string `xor:"what" placeholder:"FILE" help:"Take back a checkpoint that a witness has cosigned."`
	Witness string `placeholder:"KEY|FILE" help:"Public key of the witness, with --cosign."`
}

func (c *auditCheckpointCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.log(ctx, r)
	if err != nil {
		return err
	}
	switch {
	case c.Key:
		key, err := r.p.Audit.Key(ctx, org)
		if err != nil {
			return err
		}
		return r.printf("%s\n", key)
	case c.Keys:
		text, err := r.p.Audit.KeyFile(ctx, org)
		if err != nil {
			return err
		}
		return r.printf("%s", text)
	case c.Since > 0:
		g, err := r.p.Audit.ProveGrowth(ctx, org, c.Since)
		if err != nil {
			return err
		}
		return writeJSON(r, g)
	case c.Cosign != "":
		return c.cosign(ctx, r, org)
	}
	p, err := r.p.Audit.Checkpoint(ctx, org)
	if err != nil {
		return err
	}
	return r.printf("%s", p.Note)
}

func (c *auditCheckpointCmd) cosign(ctx context.Context, r *Run, org int64) error {
	key, err := textOrFile(r, c.Witness)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(r.path(c.Cosign))
	if err != nil {
		return unreadable(c.Cosign, err)
	}
	found, ok := audit.FindCheckpoint(string(text))
	if !ok {
		return invalidf("There is no checkpoint in %s.", c.Cosign)
	}
	p, err := r.p.Audit.Cosign(ctx, org, found, key)
	if err != nil {
		return err
	}
	return r.printf("The checkpoint of %d entries is signed by %s.\n", p.Size, strings.Join(p.By, ", "))
}

// ofOrg is a command about one organisation.
type ofOrg interface {
	find(ctx context.Context, r *Run) (*account.Org, error)
}

// quietCommands are those that show nothing of people, and change nothing.
func quietCommands() []string {
	return []string{"doctor", "org list", "org show", "imports list", "audit list", "audit check", "audit prove", "audit checkpoint"}
}

// logged carries out a command and records that the operator did so. What shows people's data is recorded first.
func (r *Run) logged(ctx context.Context, command *kong.Context, c onData) error {
	if k, ok := c.(*keysRotateCmd); ok {
		return k.logged(ctx, r)
	}
	e, ok := commandEntry(command)
	if !ok {
		return c.onData(ctx, r)
	}
	org := int64(0)
	if in, ok := c.(ofOrg); ok {
		if o, err := in.find(ctx, r); err == nil {
			org = int64(o.ID)
		}
	}
	if slices.Contains([]string{"command/org delete", "command/demo"}, e.Object) { // its log goes with it
		org = 0
	}
	if e.Action != audit.CommandRun {
		if err := r.p.Audit.Record(ctx, org, e); err != nil {
			return err
		}
		return c.onData(ctx, r)
	}
	err := c.onData(ctx, r)
	if err != nil {
		e.Result = "failed"
	}
	return errors.Join(err, r.p.Audit.Record(context.WithoutCancel(ctx), org, e))
}

// commandEntry is what is logged of a command; ok is false for one that needs no entry.
func commandEntry(command *kong.Context) (e audit.Entry, ok bool) {
	name := strings.TrimPrefix(command.Selected().FullPath(), command.Model.Name+" ")
	if slices.Contains(quietCommands(), name) {
		return e, false
	}
	e = audit.Entry{Actor: audit.Operator, Action: audit.CommandRun, Object: "command/" + name}
	switch c := command.Selected().Target.Addr().Interface().(type) {
	case *exportCmd:
		e.Action, e.Details = audit.ExportMade, map[string]string{"report": c.Report}
	case *reportCmd:
		e.Action, e.Details = audit.ReportOpened, map[string]string{"report": c.Report}
	case *auditExportCmd:
		e.Action = audit.ExportMade
	case *userListCmd, *agentListCmd:
		e.Action = audit.PeopleListed
	}
	return e, true
}

// checkpoints signs what was logged, and sends the owners of each organisation a checkpoint a day: what is in their
// mailbox cannot be written anew with the log.
func (s *server) checkpoints(ctx context.Context) {
	s.every(ctx, checkpointEvery, "checkpoints", func(ctx context.Context) error {
		err := s.p.Audit.SignDue(ctx, 0)
		orgs, listErr := s.p.Accounts.Orgs(ctx)
		err = errors.Join(err, listErr)
		for _, org := range orgs {
			err = errors.Join(err, s.p.Audit.SignDue(ctx, int64(org.ID)), s.p.mailCheckpoint(ctx, org))
		}
		return err
	})
}

const (
	checkpointEvery = time.Hour
	mailEvery       = 24 * time.Hour
)

// mailCheckpoint sends the owners the checkpoint of the day. Mail that stays on this machine would prove nothing, and a
// demo has nobody to write to.
func (p *Parley) mailCheckpoint(ctx context.Context, org *account.Org) error {
	if org.Demo || !p.Mail.Configured() {
		return nil
	}
	c, due, err := p.Audit.ToMail(ctx, int64(org.ID), p.Now().Add(-mailEvery+checkpointEvery/2))
	if err != nil || !due {
		return err
	}
	key, err := p.Audit.Key(ctx, int64(org.ID))
	if err != nil {
		return err
	}
	members, err := p.Accounts.Members(ctx, org.ID)
	if err != nil {
		return err
	}
	sent := 0
	words := phrase.For(org.Locale).In(org.Location())
	for _, m := range members {
		if m.Role != account.Owner || !m.Active || m.Email == "" || m.JoinedAt.IsZero() {
			continue
		}
		text := words.T("mail.checkpoint.text", "Organisation", org.Name, "Count", c.Size, "Time", words.DateTime(c.At), "Checkpoint", c.Note, "Key", key, "Link", p.Config.base()+"/audit")
		if err := p.Mail.Send(ctx, mail.Message{Org: org.ID, To: m.Email, Subject: words.T("mail.checkpoint.subject", "Organisation", org.Name), Text: text}); err != nil {
			return err
		}
		sent++
	}
	if sent == 0 {
		return nil
	}
	return p.Audit.Mailed(ctx, int64(org.ID), c.Size)
}
