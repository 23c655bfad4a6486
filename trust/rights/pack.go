package rights

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
	"parley/platform/seal"
)

// keepPackage is how long a package waits to be fetched.
const keepPackage = 30 * 24 * time.Hour

const readme = `This package holds what is kept about you.

  data/     one folder per category of data. Each table is there twice: as JSON, which keeps every
            value exactly, and as CSV, which opens in a spreadsheet.
  files/    recordings and other files.
  also-1/   the same of further numbers of yours that we know, one folder each.
  about.json     what each category is used for, how long it is kept, and who else receives it.
  manifest.json  the list of all files with their SHA-256, signed.

Check that nothing was changed:  parley rights verify PACKAGE.zip
Bring calls into another Parley: parley import data/call.meta/calls.csv

इस पैकेज में आपके बारे में रखी गई जानकारी है।

  data/     हर श्रेणी का एक फ़ोल्डर। हर तालिका दो रूपों में है: JSON, जिसमें हर मान ठीक वैसा ही है,
            और CSV, जो स्प्रेडशीट में खुलती है।
  files/    रिकॉर्डिंग और दूसरी फ़ाइलें।
  also-1/   यही आपके दूसरे नंबरों के लिए, हर नंबर का एक फ़ोल्डर।
  about.json     हर श्रेणी किस काम आती है, कितने समय तक रखी जाती है और किसे दी जाती है।
  manifest.json  सब फ़ाइलों की सूची, SHA-256 के साथ, हस्ताक्षर सहित।
`

// pack makes the package of an access request, sealed in a file until it is fetched.
func (r *Rights) pack(ctx context.Context, q *Request) error {
	return r.step(ctx, q, "pack", func() ([]Line, error) {
		if err := r.unpack(ctx, q.Org, q.ID); err != nil { // left by an attempt that was broken off
			return nil, err
		}
		if err := os.MkdirAll(r.Dir, 0o700); err != nil {
			return nil, fault.Wrap(fault.Unavailable, err, "The folder %s for packages cannot be made.", r.Dir)
		}
		p := packed{file: id.New("pkg"), key: make([]byte, 32)}
		_, _ = rand.Read(p.key) // never fails, see crypto/rand
		lines, err := r.writePackage(ctx, q, &p)
		if err == nil {
			err = r.keepPackage(ctx, q, &p)
		}
		if err != nil {
			return nil, errors.Join(err, r.removeFile(p.file))
		}
		return lines, nil
	})
}

// packed is a package in its sealed file.
type packed struct {
	file   string
	key    []byte
	bytes  int64
	sha256 string
}

func associated(q *Request) []byte {
	return []byte("package|" + strconv.FormatInt(int64(q.Org), 10) + "|" + q.ID)
}

func (r *Rights) writePackage(ctx context.Context, q *Request, p *packed) (lines []Line, err error) {
	f, err := os.OpenFile(filepath.Join(r.Dir, p.file), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "The package cannot be written. Check that there is room on the disk.")
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	sealed, err := seal.NewWriter(f, p.key, associated(q))
	if err != nil {
		return nil, err
	}
	sum := sha256.New()
	if lines, err = r.fill(ctx, q, io.MultiWriter(sealed, sum)); err != nil {
		return nil, err
	}
	if err := sealed.Close(); err != nil {
		return nil, err
	}
	if err := f.Sync(); err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	p.bytes, p.sha256 = info.Size(), hex.EncodeToString(sum.Sum(nil))
	return lines, nil
}

// fill writes the package: what every store has, what the policy says about it, and the signed list of all files.
func (r *Rights) fill(ctx context.Context, q *Request, w io.Writer) ([]Line, error) {
	org, err := r.Accounts.Org(ctx, q.Org)
	if err != nil {
		return nil, err
	}
	policy, err := r.Policy(ctx, q.Org)
	if err != nil {
		return nil, err
	}
	p := newPackage(w, r.Now())
	if err := p.top(readmeFile, []byte(readme)); err != nil {
		return nil, err
	}
	if err := p.top(aboutFile, indented(policy.Facts)); err != nil {
		return nil, err
	}
	if q.Known() {
		names, err := r.names(ctx, r.DB, q.Org, q.Who)
		if err == nil {
			err = r.exportAll(ctx, q.Org, names, p)
		}
		if err != nil {
			return nil, err
		}
	}
	m := Manifest{Format: ManifestFormat, Request: q.ID, Kind: q.Kind, Organisation: org.Name, Made: p.at.Truncate(time.Second),
		Policy: policy.Version, PolicyHash: policy.Hash, Files: p.files}
	signed, err := r.certify(ctx, q, audit.ExportMade, m)
	if err != nil {
		return nil, err
	}
	if err := p.top(manifestFile, signed); err != nil {
		return nil, err
	}
	return p.lines(), p.zip.Close()
}

// top writes a file at the top of a package.
func (p *Package) top(name string, text []byte) error {
	f, err := p.create(name, "")
	if err != nil {
		return err
	}
	if _, err := f.Write(text); err != nil {
		return err
	}
	p.done(f, 0)
	return nil
}

// lines counts what was packed. Each table is counted once, though it is there twice.
func (p *Package) lines() []Line {
	var out []Line
	for _, f := range p.files {
		base := f.Name[strings.LastIndexByte(f.Name, '/')+1:]
		switch {
		case f.Category == "":
		case strings.Contains("/"+f.Name, "/files/"):
			out = append(out, Line{Store: "package", Thing: Blobs, Name: base, Category: f.Category, Count: 1})
		case strings.HasSuffix(base, ".json"):
			out = append(out, Line{Store: "package", Thing: Rows, Name: strings.TrimSuffix(base, ".json"), Category: f.Category, Count: f.Rows})
		}
	}
	return out
}

func indented(text json.RawMessage) []byte {
	var v any
	if json.Unmarshal(text, &v) != nil {
		return []byte("{}\n")
	}
	out, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return []byte("{}\n")
	}
	return append(out, '\n')
}

func (r *Rights) keepPackage(ctx context.Context, q *Request, p *packed) error {
	k, err := r.Keys.Org(ctx, int64(q.Org))
	if err != nil {
		return err
	}
	now := r.Now()
	_, err = r.DB.Exec(ctx, `INSERT INTO request_packages (org_id, request_id, file, key_sealed, bytes, sha256, made_ms, expires_ms, taken) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)`,
		q.Org, q.ID, p.file, k.Seal("request.package|"+q.ID, p.key), p.bytes, p.sha256, ms(now), ms(now.Add(keepPackage)))
	return err
}

// unpack removes the package of a request.
func (r *Rights) unpack(ctx context.Context, org account.OrgID, request string) error {
	file, ok, err := db.One(ctx, r.DB, scanText, `SELECT file FROM request_packages WHERE org_id = $1 AND request_id = $2`, org, request)
	if err != nil || !ok {
		return err
	}
	if _, err := r.DB.Exec(ctx, `DELETE FROM request_packages WHERE org_id = $1 AND request_id = $2`, org, request); err != nil { // the key first
		return err
	}
	return r.removeFile(file)
}

func (r *Rights) removeFile(file string) error {
	err := os.Remove(filepath.Join(r.Dir, filepath.Base(file)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Ready tells until when the package of a request can be fetched, and how large it is about; zero when there is none.
func (r *Rights) Ready(ctx context.Context, org account.OrgID, request string) (until time.Time, bytes int64, err error) {
	var ends int64
	_, ok, err := db.One(ctx, r.DB, func(row db.Scanner) (struct{}, error) { return struct{}{}, row.Scan(&ends, &bytes) },
		`SELECT expires_ms, bytes FROM request_packages WHERE org_id = $1 AND request_id = $2`, org, request)
	if err != nil || !ok || ends <= ms(r.Now()) {
		return time.Time{}, 0, err
	}
	return fromMs(ends), bytes, nil
}

// Fetch gives a package to the person: behind the secret link and a fresh code, so that neither a link that was passed on
// nor a mailbox that was left open is enough. The caller reads it to its end and closes it.
func (r *Rights) Fetch(ctx context.Context, org account.OrgID, secret, code string) (io.ReadCloser, *Request, error) {
	q, err := r.Follow(ctx, org, secret)
	if err != nil {
		return nil, nil, err
	}
	if until, _, err := r.Ready(ctx, org, q.ID); err != nil || until.IsZero() {
		return nil, nil, errors.Join(err, nothingToFetch())
	}
	if err := r.useCode(ctx, q, code); err != nil {
		return nil, nil, err
	}
	return r.fetch(ctx, q, person)
}

// FetchMine gives a member their own package.
func (r *Rights) FetchMine(ctx context.Context, by *account.Actor, id string) (io.ReadCloser, *Request, error) {
	q, err := r.get(ctx, r.DB, by.Org.ID, id)
	if err == nil && !mine(by, q) {
		err = notHere(id)
	}
	if err != nil {
		return nil, nil, err
	}
	return r.fetch(ctx, q, string(by.Member.ID))
}

// FetchFor gives a package to an officer, who hands it to the person.
func (r *Rights) FetchFor(ctx context.Context, by *account.Actor, id string) (io.ReadCloser, *Request, error) {
	q, err := r.One(ctx, by, id)
	if err != nil {
		return nil, nil, err
	}
	return r.fetch(ctx, q, name(by))
}

func nothingToFetch() error {
	return fault.New(fault.NotFound, "There is no package to fetch: none was made yet, or it was removed after 30 days.")
}

func (r *Rights) fetch(ctx context.Context, q *Request, actor string) (io.ReadCloser, *Request, error) {
	var file string
	var sealed []byte
	var ends int64
	_, ok, err := db.One(ctx, r.DB, func(row db.Scanner) (struct{}, error) { return struct{}{}, row.Scan(&file, &sealed, &ends) },
		`SELECT file, key_sealed, expires_ms FROM request_packages WHERE org_id = $1 AND request_id = $2`, q.Org, q.ID)
	if err == nil && (!ok || ends <= ms(r.Now())) {
		err = nothingToFetch()
	}
	if err != nil {
		return nil, nil, err
	}
	k, err := r.Keys.Org(ctx, int64(q.Org))
	if err != nil {
		return nil, nil, err
	}
	key, err := k.Open("request.package|"+q.ID, sealed)
	if err != nil {
		return nil, nil, err
	}
	f, err := os.Open(filepath.Join(r.Dir, filepath.Base(file)))
	if err != nil {
		return nil, nil, fault.Wrap(fault.Unavailable, err, "The package is not where it was put. Carry the request out again.")
	}
	from, err := seal.NewReader(f, key, associated(q))
	if err == nil {
		_, err = r.change(ctx, q.Org, q.ID, actor, Fetched, "", func(tx *db.Tx, _ *Request) error {
			_, err := tx.Exec(ctx, `UPDATE request_packages SET taken = taken + 1 WHERE org_id = $1 AND request_id = $2`, q.Org, q.ID)
			return err
		})
	}
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return &opened{from, f}, q, nil
}

// opened is a package on its way to somebody.
type opened struct {
	io.Reader
	io.Closer
}

// PackageName is the file name of a package.
func PackageName(request string) string { return "package-" + request + ".zip" }
