package rights

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/fault"
)

// Receipt says what was done about a request. It holds no personal data.
type Receipt struct {
	Format       string             `json:"format"` // ReceiptFormat
	Request      string             `json:"request"`
	Kind         Kind               `json:"kind"`
	Organisation string             `json:"organisation"`
	Result       State              `json:"result"` // done, locked or refused
	Reason       Reason             `json:"reason,omitempty"`
	Received     time.Time          `json:"received_at"`
	Due          time.Time          `json:"due_at"`
	Law          string             `json:"clock"`
	Proof        Proof              `json:"proof"`
	Approved     time.Time          `json:"approved_at,omitzero"`
	Done         time.Time          `json:"done_at"`
	Round        int                `json:"round"`
	Policy       int                `json:"policy"`
	PolicyHash   string             `json:"policy_hash,omitempty"`
	PlanHash     string             `json:"plan_hash,omitempty"`
	Lines        []Line             `json:"lines,omitempty"`    // what was removed or written
	Left         int64              `json:"left"`               // what was found afterwards that should be gone
	Locks        []Lock             `json:"locked,omitempty"`   // what a law keeps
	Purposes     []string           `json:"purposes,omitempty"` // ended
	Package      *PackageSum        `json:"package,omitempty"`
	Recipients   []RecipientOutcome `json:"recipients,omitempty"`
}

// ReceiptFormat names the form of receipts, and ManifestFormat that of a package's manifest.
const (
	ReceiptFormat  = "parley receipt 1"
	ManifestFormat = "parley package 1"
)

// PackageSum names the package that a request gave.
type PackageSum struct {
	SHA256 string `json:"sha256"`
}

// RecipientOutcome is what came of telling a recipient.
type RecipientOutcome struct {
	Recipient string `json:"recipient"`
	Told      bool   `json:"told"`
	Answer    Answer `json:"answer"` // "" = none
}

// certify enters a statement in the audit log, and gives it with its proof.
func (r *Rights) certify(ctx context.Context, q *Request, action audit.Action, statement any) ([]byte, error) {
	e := entry(q, system, Ended)
	e.Action = action
	e.Details["request"] = q.ID
	return r.Log.Certify(ctx, int64(q.Org), e, statement)
}

// Verdict is what verifying a receipt or a package found.
type Verdict struct {
	Receipt    *Receipt  // nil for a package
	Manifest   *Manifest // nil for a receipt
	Key        string    // the log's public key
	KeyKnown   bool      // it was compared with one that the verifier had
	Checkpoint *audit.Checkpoint
}

// VerifyReceipt checks a receipt offline. key is the organisation's public key, as its privacy page shows it; "" takes the
// one in the receipt, which shows only that nothing was changed since it was signed.
func VerifyReceipt(text []byte, key string) (*Verdict, error) {
	c, point, err := audit.ReadCertified(text, key)
	if err != nil {
		return nil, err
	}
	v := &Verdict{Receipt: &Receipt{}, Key: c.Proof.Key, KeyKnown: key != "", Checkpoint: point}
	if err := json.Unmarshal(c.Statement, v.Receipt); err != nil || v.Receipt.Format != ReceiptFormat {
		return nil, fault.New(fault.Invalid, "This is no receipt: its form is %q.", v.Receipt.Format)
	}
	return v, nil
}

// Manifest lists what a package holds.
type Manifest struct {
	Format       string       `json:"format"` // ManifestFormat
	Request      string       `json:"request"`
	Kind         Kind         `json:"kind"`
	Organisation string       `json:"organisation"`
	Made         time.Time    `json:"made_at"`
	Policy       int          `json:"policy"`
	PolicyHash   string       `json:"policy_hash"`
	Files        []PackedFile `json:"files"`
}

// Names of files at the top of a package.
const (
	manifestFile = "manifest.json"
	aboutFile    = "about.json"
	readmeFile   = "README.txt"
)

// VerifyPackage checks a package offline: that its manifest was signed, and that every file is there and was not changed.
func VerifyPackage(from io.ReaderAt, size int64, key string) (*Verdict, error) {
	z, err := zip.NewReader(from, size)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "This is no package: it is not a ZIP file, or it was cut off.")
	}
	text, err := readZip(z, manifestFile)
	if err != nil {
		return nil, err
	}
	c, point, err := audit.ReadCertified(text, key)
	if err != nil {
		return nil, err
	}
	v := &Verdict{Manifest: &Manifest{}, Key: c.Proof.Key, KeyKnown: key != "", Checkpoint: point}
	if err := json.Unmarshal(c.Statement, v.Manifest); err != nil || v.Manifest.Format != ManifestFormat {
		return nil, fault.New(fault.Invalid, "This is no package: the form of its manifest is %q.", v.Manifest.Format)
	}
	return v, v.Manifest.check(z)
}

func (m *Manifest) check(z *zip.Reader) error {
	if len(z.File) != len(m.Files)+1 {
		return fault.New(fault.Invalid, "The package has %d files where its manifest lists %d.", len(z.File)-1, len(m.Files))
	}
	for _, f := range m.Files {
		r, err := z.Open(f.Name)
		if err != nil {
			return fault.Wrap(fault.Invalid, err, "The package lacks the file %s.", f.Name)
		}
		sum := sha256.New()
		n, err := io.Copy(sum, r)
		if closed := r.Close(); err == nil {
			err = closed
		}
		if err != nil || n != f.Bytes || hex.EncodeToString(sum.Sum(nil)) != f.SHA256 {
			return fault.New(fault.Invalid, "The file %s of the package is not the one that was packed: it was changed or cut off.", f.Name)
		}
	}
	return nil
}

// maxManifest bounds the manifest of a package that somebody hands in.
const maxManifest = 16 << 20

func readZip(z *zip.Reader, name string) ([]byte, error) {
	f, err := z.Open(name)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "This is no package: it has no %s.", name)
	}
	defer f.Close() //nolint:errcheck // it was only read
	text, err := io.ReadAll(io.LimitReader(f, maxManifest))
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "The file %s of the package is damaged.", name)
	}
	return text, nil
}

// receipt makes and keeps the receipt of a request that ends in a state.
func (r *Rights) receipt(ctx context.Context, q *Request, result State) error {
	var n int
	if err := r.DB.Row(ctx, `SELECT count(*) FROM request_receipts WHERE org_id = $1 AND request_id = $2 AND round = $3`, q.Org, q.ID, q.Round).Scan(&n); err != nil || n > 0 {
		return err
	}
	org, err := r.Accounts.Org(ctx, q.Org)
	if err != nil {
		return err
	}
	out := Receipt{Format: ReceiptFormat, Request: q.ID, Kind: q.Kind, Organisation: org.Name, Result: result, Reason: q.Reason, Received: q.Received, Due: q.Due, Law: q.Law,
		Proof: q.Proof, Approved: q.Approved, Done: r.Now().UTC().Truncate(time.Second), Round: q.Round, Purposes: q.Purposes}
	if q.Plan != nil && result != Refused {
		out.Policy, out.PolicyHash, out.PlanHash, out.Locks = q.Plan.Policy, q.Plan.PolicyHash, q.Plan.Hash(), q.Plan.Locks
		if err := r.outcome(ctx, q, &out); err != nil {
			return err
		}
	}
	action := audit.RequestChanged
	if q.Kind == Erasure && result != Refused {
		action = audit.PersonErased
	}
	ended := *q
	ended.State = result
	text, err := r.certify(ctx, &ended, action, out)
	if err != nil {
		return err
	}
	_, err = r.DB.Exec(ctx, `INSERT INTO request_receipts (org_id, request_id, round, receipt, made_ms) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
		q.Org, q.ID, q.Round, text, ms(r.Now()))
	return err
}

// outcome fills in what was done.
func (r *Rights) outcome(ctx context.Context, q *Request, out *Receipt) (err error) {
	if out.Lines, err = r.done(ctx, q); err != nil {
		return err
	}
	if q.Kind == Erasure && q.Known() {
		names, err := r.names(ctx, r.DB, q.Org, q.Who)
		if err != nil {
			return err
		}
		if out.Left, err = r.left(ctx, q, names); err != nil {
			return err
		}
	}
	if q.Kind.Gives() {
		sum, ok, err := db.One(ctx, r.DB, scanText, `SELECT sha256 FROM request_packages WHERE org_id = $1 AND request_id = $2`, q.Org, q.ID)
		if err != nil {
			return err
		}
		if ok {
			out.Package = &PackageSum{sum}
		}
	}
	of, err := r.Recipients(ctx, q.Org, q.ID)
	for _, o := range of {
		out.Recipients = append(out.Recipients, RecipientOutcome{o.Recipient, !o.Told.IsZero(), o.Answer})
	}
	return err
}

// Receipts gives the receipts of a request, one per round, oldest first.
func (r *Rights) Receipts(ctx context.Context, org account.OrgID, request string) ([][]byte, error) {
	return db.Select(ctx, r.DB, func(row db.Scanner) (b []byte, err error) { return b, row.Scan(&b) },
		`SELECT receipt FROM request_receipts WHERE org_id = $1 AND request_id = $2 ORDER BY round`, org, request)
}

// ReceiptName is the file name of a receipt.
func ReceiptName(request string) string { return fmt.Sprintf("receipt-%s.json", request) }
