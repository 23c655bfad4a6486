// Package file keeps what staff file about a contact: offers, contracts, pictures. Contents are sealed under the contact's own
// key, piece by piece, in the database itself: they are backed up, restored and erased with everything else about the person.
package file

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"parley/account"
	"parley/calls/call"
	"parley/crm/contact"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/filetype"
	"parley/platform/id"
	"parley/platform/vault"
	"parley/trust/freetext"
	"parley/trust/hold"
)

// Schema holds the package's tables, series "file".
//
//go:embed schema/*.sql schema/data.tsv
var Schema embed.FS

// Category of the privacy policy that files are data of: they are what staff keep about a person in words of their own.
const Category = contact.CategoryNote

// Bounds of what is filed.
const (
	MaxSize  = 10 << 20 // bytes of one file
	MaxFiles = 200      // about one contact
	maxName  = 200      // characters
	pieceLen = 256 << 10
	textRead = 1 << 20 // bytes of a text in which numbers of cards are looked for
)

// ID is a file's public name, such as "fle_06c1…".
type ID string

// File is what is known of a file without its content.
type File struct {
	ID      ID
	Contact contact.ID // for whom it was filed; they may have been merged since
	Name    string
	Type    string // media type, found out from the content
	Size    int64  // bytes
	By      account.MemberID
	At      time.Time

	subject int64
	parts   int
}

// Link is the page that gives a file about a contact.
func Link(of contact.ID, x ID) string { return "/contacts/" + string(of) + "/files/" + string(x) }

// Deps are what Files is made from.
type Deps struct {
	DB       *db.DB
	Keys     *vault.Keys
	Contacts *contact.Contacts
	Gate     call.Gate // is asked before a file is deleted; nil = nothing is held
	Now      func() time.Time
}

// Files keeps the files of all organisations.
type Files struct{ d Deps }

// New gives the files kept in d.DB. They hear of contacts that are deleted.
func New(d Deps) *Files {
	s := &Files{d: d}
	d.Contacts.OnGone(s.contactsGone)
	return s
}

func errNone(x ID) error {
	return fault.New(fault.NotFound, "There is no file %q about this contact. It may have been deleted.", string(x))
}

// kinds are the media types that are taken. Sound and film are not: a recording is kept with its call, past the recording gate.
// Neither are programs, pages with scripts and archives, which hide what is in them.
func kinds() []string {
	return []string{
		"application/pdf", "image/jpeg", "image/png", "image/gif", "image/webp", "image/heic", "image/tiff",
		"text/plain", "text/csv", "text/tab-separated-values", "text/vcard", "text/calendar", "application/json", "text/rtf", "message/rfc822",
		"application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint",
		"application/vnd.openxmlformats-officedocument.wordprocessingml.document",
		"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
		"application/vnd.openxmlformats-officedocument.presentationml.presentation",
		"application/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.spreadsheet", "application/vnd.oasis.opendocument.presentation",
	}
}

// NewFile is a file to be kept.
type NewFile struct {
	Contact contact.ID
	Name    string
	Content io.ReaderAt
	Size    int64
}

// check cleans the name and finds out the kind of what is to be kept.
func (n *NewFile) check() (name, kind string, err error) {
	name = cleanName(n.Name)
	switch {
	case n.Size == 0:
		return "", "", fault.Field("file", "%q is empty. Choose another file.", name)
	case n.Size > MaxSize:
		return "", "", fault.New(fault.TooLarge, "%q has %d MB; at most %d fit. Make it smaller, or keep it elsewhere and write down where.", name, (n.Size+(1<<20)-1)>>20, MaxSize>>20)
	}
	if err := freetext.Check("file", name); err != nil {
		return "", "", err
	}
	kind, ending, err := filetype.Of(io.NewSectionReader(n.Content, 0, n.Size))
	if err != nil {
		return "", "", err
	}
	switch top, _, _ := strings.Cut(kind, "/"); {
	case top == "audio" || top == "video":
		return "", "", fault.Field("file", "%q is a recording of sound or film, which is not filed here: recordings belong to calls, where consent and retention see to them.", name)
	case !slices.Contains(kinds(), kind):
		return "", "", fault.Field("file", "%q is of a kind that is not filed here (%s). Take a PDF, a picture, a text or an office document.", name, kind)
	case kind == "text/plain" || kind == "text/csv" || kind == "text/tab-separated-values":
		text := make([]byte, min(n.Size, textRead))
		if _, err := n.Content.ReadAt(text, 0); err != nil && err != io.EOF {
			return "", "", err
		}
		if err := freetext.Check("file", string(text)); err != nil {
			return "", "", err
		}
	}
	if path.Ext(name) == "" {
		name += ending
	}
	return name, kind, nil
}

// cleanName takes folders, marks of direction and what systems forbid out of a name.
func cleanName(name string) string {
	name = strings.ToValidUTF8(name, "")
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	name = strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) || strings.ContainsRune(`<>:"|?*`, c) {
			return -1
		}
		return c
	}, name)
	name = strings.Trim(name, " .")
	if n := utf8.RuneCountInString(name); n > maxName {
		ending := path.Ext(name)
		if utf8.RuneCountInString(ending) > 10 {
			ending = ""
		}
		name = string([]rune(name)[:maxName-utf8.RuneCountInString(ending)]) + ending
	}
	if name == "" {
		name = "file"
	}
	return name
}

// about is what of a file is sealed beside its content.
type about struct {
	Name string `json:"n"`
	Type string `json:"t"`
}

// Add files something about a contact.
func (s *Files) Add(ctx context.Context, tx *db.Tx, org account.OrgID, by account.MemberID, n NewFile) (*File, error) {
	name, kind, err := n.check()
	if err != nil {
		return nil, err
	}
	found, err := s.d.Contacts.Load(ctx, tx, org, n.Contact)
	if err != nil {
		return nil, err
	}
	c := found[n.Contact]
	if c == nil {
		return nil, fault.New(fault.NotFound, "There is no contact %q here. They may have been erased.", string(n.Contact))
	}
	if err := s.d.Contacts.CheckUse(ctx, tx, org, c); err != nil {
		return nil, err
	}
	family, err := s.d.Contacts.Family(ctx, tx, org, c.ID)
	if err != nil {
		return nil, err
	}
	have, err := s.count(ctx, tx, org, family)
	if err != nil {
		return nil, err
	}
	if have >= MaxFiles {
		return nil, fault.New(fault.Conflict, "There are %d files about this contact, which is as many as are kept. Delete one that is not needed.", have)
	}
	f := &File{ID: ID(id.New("fle")), Contact: c.ID, Name: name, Type: kind, Size: n.Size, By: by, At: s.d.Now(), subject: c.Subject}
	if err := s.put(ctx, tx, org, f, io.NewSectionReader(n.Content, 0, n.Size)); err != nil {
		return nil, err
	}
	return f, s.d.Contacts.SetLast(ctx, tx, org, c.ID, f.At)
}

// put writes a file that is not there yet.
func (s *Files) put(ctx context.Context, tx *db.Tx, org account.OrgID, f *File, from io.Reader) error {
	f.parts = int((f.Size + pieceLen - 1) / pieceLen)
	k, err := s.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return err
	}
	plain, err := json.Marshal(about{f.Name, f.Type})
	if err != nil {
		return err
	}
	sealed, err := k.SealSubject(ctx, f.subject, "contact_files", plain)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO contact_files (org_id, file, contact, subject, sealed, size, parts, at_ms, by_member) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		org, f.ID, f.Contact, f.subject, sealed, f.Size, f.parts, f.At.UnixMilli(), f.By); err != nil {
		return err
	}
	buf := make([]byte, pieceLen)
	for part := range f.parts {
		n, err := io.ReadFull(from, buf[:min(pieceLen, f.Size-int64(part)*pieceLen)])
		if err != nil {
			return fault.Wrap(fault.Invalid, err, "The file broke off on its way. Send it again.")
		}
		sealed, err := k.SealSubject(ctx, f.subject, f.place(part), buf[:n])
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO contact_file_parts (org_id, file, part, contact, sealed) VALUES ($1, $2, $3, $4, $5)`, org, f.ID, part, f.Contact, sealed); err != nil {
			return err
		}
	}
	return nil
}

// place binds a piece to where it belongs: one of another file, or from elsewhere in this one, does not open.
func (f *File) place(part int) string {
	return fmt.Sprintf("contact_file_parts/%s/%d/%d", f.ID, part, f.parts)
}

const columns = `file, contact, subject, sealed, size, parts, at_ms, by_member`

// read gives the files that a condition says, with its arguments from $2 on.
func (s *Files) read(ctx context.Context, c db.Conn, org account.OrgID, where string, args ...any) ([]File, error) {
	k, err := s.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	return db.Select(ctx, c, func(r db.Scanner) (f File, err error) {
		var sealed []byte
		var made int64
		if err := r.Scan(&f.ID, &f.Contact, &f.subject, &sealed, &f.Size, &f.parts, &made, &f.By); err != nil {
			return f, err
		}
		f.At = time.UnixMilli(made).UTC()
		plain, err := k.OpenSubject(ctx, f.subject, "contact_files", sealed)
		if err != nil {
			return f, err
		}
		var a about
		err = json.Unmarshal(plain, &a)
		f.Name, f.Type = a.Name, a.Type
		return f, err
	}, `SELECT `+columns+` FROM contact_files WHERE org_id = $1 AND `+where, append([]any{org}, args...)...)
}

// ofContacts is the condition for the files of some contacts, whose ids are from $first on.
func ofContacts(first int, ids []contact.ID) (where string, args []any) {
	for _, x := range ids {
		args = append(args, x)
	}
	return `contact IN ` + db.In(first, len(ids)), args
}

// Of gives the files about a contact and everybody who was merged into them, the newest first.
func (s *Files) Of(ctx context.Context, c db.Conn, org account.OrgID, x contact.ID) ([]File, error) {
	family, err := s.d.Contacts.Family(ctx, c, org, x)
	if err != nil || len(family) == 0 {
		return nil, err
	}
	where, args := ofContacts(2, family)
	return s.read(ctx, c, org, where+` ORDER BY at_ms DESC, file DESC`, args...)
}

// Past gives the files of one contact alone from before a moment, or from its millisecond with an id below one, newest first.
func (s *Files) Past(ctx context.Context, c db.Conn, org account.OrgID, x contact.ID, before time.Time, below ID, limit int) ([]File, error) {
	return s.read(ctx, c, org, `contact = $2 AND (at_ms < $3 OR at_ms = $3 AND file < $4) ORDER BY at_ms DESC, file DESC LIMIT $5`, x, before.UnixMilli(), below, limit)
}

// Get gives one file about a contact.
func (s *Files) Get(ctx context.Context, c db.Conn, org account.OrgID, of contact.ID, x ID) (*File, error) {
	all, err := s.read(ctx, c, org, `file = $2`, x)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, errNone(x)
	}
	family, err := s.d.Contacts.Family(ctx, c, org, of)
	if err == nil && !slices.Contains(family, all[0].Contact) {
		err = errNone(x)
	}
	return &all[0], err
}

// Open gives the content of a file. Nothing of it is given unless all of it is whole.
func (s *Files) Open(ctx context.Context, c db.Conn, org account.OrgID, f *File) (*bytes.Reader, error) {
	k, err := s.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, f.Size)
	pieces, err := db.Select(ctx, c, func(r db.Scanner) (b []byte, err error) { return b, r.Scan(&b) },
		`SELECT sealed FROM contact_file_parts WHERE org_id = $1 AND file = $2 ORDER BY part`, org, f.ID)
	if err != nil {
		return nil, err
	}
	if len(pieces) == 0 { // deleted meanwhile
		return nil, errNone(f.ID)
	}
	for i, sealed := range pieces {
		plain, err := k.OpenSubject(ctx, f.subject, f.place(i), sealed)
		if err != nil {
			return nil, err
		}
		out = append(out, plain...)
	}
	if int64(len(out)) != f.Size {
		return nil, fault.New(fault.Internal, "A file that was kept has %d bytes of %d. Restore a backup from before it was damaged.", len(out), f.Size)
	}
	return bytes.NewReader(out), nil
}

// Drop deletes a file, unless a hold keeps it. Whoever filed it may; others when all is set.
func (s *Files) Drop(ctx context.Context, tx *db.Tx, org account.OrgID, by account.MemberID, all bool, of contact.ID, x ID) (*File, error) {
	f, err := s.Get(ctx, tx, org, of, x)
	if err != nil {
		return nil, err
	}
	if f.By != by && !all {
		return nil, fault.New(fault.Denied, "Somebody else filed %q. They can delete it, and whoever may delete leads.", f.Name)
	}
	kin, err := s.d.Contacts.Kin(ctx, tx, org, of)
	if err != nil {
		return nil, err
	}
	if s.d.Gate != nil {
		d := hold.Deletion{Category: Category, Path: hold.ContactDelete}
		for _, c := range kin {
			d.Who = append(d.Who, c.Refs()...)
		}
		if err := s.d.Gate(ctx, tx, org, d); err != nil {
			return nil, err
		}
	}
	return f, remove(ctx, tx, org, []ID{f.ID})
}

// remove deletes files. The holds were asked.
func remove(ctx context.Context, tx *db.Tx, org account.OrgID, ids []ID) error {
	for part := range slices.Chunk(ids, 500) {
		args := []any{org}
		for _, x := range part {
			args = append(args, x)
		}
		for _, q := range []string{`DELETE FROM contact_file_parts WHERE org_id = $1 AND file IN `, `DELETE FROM contact_files WHERE org_id = $1 AND file IN `} {
			if _, err := tx.Exec(ctx, q+db.In(2, len(part)), args...); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Files) count(ctx context.Context, c db.Conn, org account.OrgID, of []contact.ID) (n int64, err error) {
	where, args := ofContacts(2, of)
	return n, c.Row(ctx, `SELECT count(*) FROM contact_files WHERE org_id = $1 AND `+where, append([]any{org}, args...)...).Scan(&n)
}

// ids lists the files of contacts without opening anything: their keys may be gone.
func ids(ctx context.Context, c db.Conn, org account.OrgID, of []contact.ID) (out []ID, err error) {
	for part := range slices.Chunk(of, 500) {
		where, args := ofContacts(2, part)
		some, err := db.Select(ctx, c, func(r db.Scanner) (x ID, err error) { return x, r.Scan(&x) }, `SELECT file FROM contact_files WHERE org_id = $1 AND `+where, append([]any{org}, args...)...)
		if err != nil {
			return nil, err
		}
		out = append(out, some...)
	}
	return out, nil
}

// contactsGone removes the files of contacts that are deleted.
func (s *Files) contactsGone(ctx context.Context, tx *db.Tx, org account.OrgID, contacts []contact.ID) error {
	all, err := ids(ctx, tx, org, contacts)
	if err != nil {
		return err
	}
	return remove(ctx, tx, org, all)
}

// Delete removes the files of an organisation inside a running transaction.
func Delete(ctx context.Context, tx *db.Tx, org account.OrgID) error {
	for _, table := range []string{"contact_file_parts", "contact_files"} {
		if _, err := tx.Exec(ctx, `DELETE FROM `+table+` WHERE org_id = $1`, org); err != nil {
			return err
		}
	}
	return nil
}
