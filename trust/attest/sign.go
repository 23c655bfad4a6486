package attest

import (
	"context"
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/fault"
)

// Format names the form of statements.
const Format = "parley attestation 1"

// Statement is what is certified. Members stand in it by their ids.
type Statement struct {
	Format       string           `json:"format"`
	Organisation account.OrgID    `json:"organisation"`
	Duty         string           `json:"duty"`
	Kind         Kind             `json:"kind"`
	Title        string           `json:"title"`
	Member       account.MemberID `json:"member,omitempty"`
	Release      string           `json:"release,omitempty"`
	Result       Result           `json:"result"`
	Note         string           `json:"note,omitempty"`
	Done         time.Time        `json:"done_at"`
	Next         time.Time        `json:"due_again,omitzero"`
	Signer       account.MemberID `json:"signer"` // "" is the operator
	Signed       time.Time        `json:"signed_at"`
}

// Verify checks a statement anywhere, and gives it with the log's public key. key is the one that is known; "" takes the one
// in the text, which shows only that nothing was changed since it was signed.
func Verify(text []byte, key string) (*Statement, string, error) {
	c, _, err := audit.ReadCertified(text, key)
	if err != nil {
		return nil, "", err
	}
	var s Statement
	if err := json.Unmarshal(c.Statement, &s); err != nil || s.Format != Format {
		return nil, "", fault.New(fault.Invalid, "This is no attestation: its form is %q.", s.Format)
	}
	return &s, c.Proof.Key, nil
}

// Outcome is what somebody attests.
type Outcome struct {
	Result Result
	Note   string
	Done   time.Time // zero = now
	// Next is when it is due again; zero counts from Done as the duty says. A certificate may say another day.
	Next time.Time
}

// Sign attests what came of a duty: a statement that the audit log certifies, and the next day on which it is due. What
// failed is kept, and the duty stays due.
func (a *Attestations) Sign(ctx context.Context, by *account.Actor, duty string, o Outcome) (*Attestation, error) {
	if err := by.Require(account.ManagePrivacy); err != nil {
		return nil, err
	}
	org := by.Org.ID
	d, err := a.Get(ctx, org, duty)
	if err != nil {
		return nil, err
	}
	if o.Done.IsZero() {
		o.Done = a.now()
	}
	o.Note = strings.TrimSpace(o.Note)
	if err := a.checkOutcome(d, &o); err != nil {
		return nil, err
	}
	out := &Attestation{Result: o.Result, Note: o.Note, Signer: by.Member.ID, Done: o.Done, Next: next(d, &o)}
	if d.Kind == Scan {
		out.Release = a.release
	}
	e := a.entry(by, d, audit.AttestSigned, string(o.Result))
	if out.Statement, err = a.log.Certify(ctx, int64(org), e, Statement{Format: Format, Organisation: org, Duty: d.ID, Kind: d.Kind, Title: d.Title, Member: d.Member, Release: out.Release,
		Result: o.Result, Note: o.Note, Done: o.Done.UTC(), Next: out.Next.UTC(), Signer: out.Signer, Signed: a.now().UTC()}); err != nil {
		return nil, err
	}
	return out, a.keep(ctx, org, d.ID, out)
}

func (a *Attestations) checkOutcome(d *Duty, o *Outcome) error {
	switch now := a.now(); {
	case o.Result != Passed && o.Result != Findings && o.Result != Failed:
		return fault.Field("result", "%q is no result. Choose passed, findings or failed.", string(o.Result))
	case utf8.RuneCountInString(o.Note) > maxNote:
		return fault.Field("note", "The note is too long; at most %d characters are kept. Say where the report is.", maxNote)
	case o.Result != Passed && o.Note == "":
		return fault.Field("note", "Say what was found, or where the report is.")
	case o.Done.After(now):
		return fault.Field("done", "The day lies in the future. Attest it when it is done.")
	case d.Last != nil && o.Done.Add(24*time.Hour).Before(d.Last.Done): // the same day is given by its beginning
		return fault.Field("done", "A later result was attested already, of %s.", d.Last.Done.UTC().Format("2 January 2006"))
	case !o.Next.IsZero() && !o.Next.After(o.Done):
		return fault.Field("next", "It would be due again before it was done. Choose a later day.")
	case o.Next.Sub(o.Done) > longest:
		return fault.Field("next", "The day is more than five years after it was done. Choose an earlier one.")
	}
	return nil
}

// next is when a duty is due after an outcome.
func next(d *Duty, o *Outcome) time.Time {
	switch {
	case o.Result == Failed:
		return d.Due
	case !o.Next.IsZero():
		return o.Next
	case d.Every == 0:
		return time.Time{}
	default:
		return o.Done.AddDate(0, 0, d.Every)
	}
}

func (a *Attestations) keep(ctx context.Context, org account.OrgID, duty string, x *Attestation) error {
	k, err := a.keys.Org(ctx, int64(org))
	if err != nil {
		return err
	}
	var note []byte
	if x.Note != "" {
		note = k.Seal(noteField(duty), []byte(x.Note))
	}
	return a.db.Tx(ctx, func(tx *db.Tx) error {
		if err := tx.Row(ctx, `SELECT coalesce(max(n), 0) + 1 FROM attestations WHERE org_id = $1 AND duty = $2`, org, duty).Scan(&x.N); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO attestations (org_id, duty, n, result, release, note_sealed, signer, done_ms, next_ms, statement_sealed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
			org, duty, x.N, x.Result, x.Release, note, x.Signer, x.Done.UnixMilli(), millis(x.Next), k.Seal(statementField(duty), x.Statement)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE attest_duties SET due_ms = $3 WHERE org_id = $1 AND id = $2`, org, duty, millis(x.Next))
		return err
	})
}
