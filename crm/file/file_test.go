package file_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/crm/contact"
	"parley/crm/crmtest"
	"parley/crm/file"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
	"parley/trust/hold"
	"parley/trust/policy"
	"parley/trust/retain"
	"parley/trust/rights"
	"parley/trust/subject"
)

// story is an organisation with two agents, and somebody about whom they file things.
type story struct {
	*crmtest.World
	files      *file.Files
	asha, bina *account.Member
	meera      *contact.Contact
}

func each(t *testing.T, tell func(t *testing.T, s *story)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := &story{World: crmtest.New(t, d)}
		s.files = file.New(file.Deps{DB: d, Keys: s.Keys, Contacts: s.Contacts, Gate: s.Holds.Check, Now: s.Now})
		s.asha, s.bina = s.Agent(t, "Asha"), s.Agent(t, "Bina")
		s.meera = s.Contact(t, "Meera", "Joshi", "+919812300101")
		tell(t, s)
	}, append(crmtest.Schemas(), dbtest.Schema{Series: "retain", Files: retain.Schema}, dbtest.Schema{Series: "file", Files: file.Schema})...)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func refused(t testing.TB, err error, kind fault.Kind, words string) {
	t.Helper()
	if fault.KindOf(err) != kind || !strings.Contains(fault.Sentence(err), words) {
		t.Errorf("got %v, want kind %d with %q", err, kind, words)
	}
}

// try files something about a contact.
func (s *story) try(t testing.TB, of contact.ID, name string, content []byte) (f *file.File, err error) {
	t.Helper()
	err = s.DB.Tx(t.Context(), func(tx *db.Tx) (err error) {
		f, err = s.files.Add(t.Context(), tx, s.Org.ID, s.asha.ID, file.NewFile{Contact: of, Name: name, Content: bytes.NewReader(content), Size: int64(len(content))})
		return err
	})
	return f, err
}

func (s *story) add(t testing.TB, name string, content []byte) *file.File {
	t.Helper()
	f, err := s.try(t, s.meera.ID, name, content)
	must(t, err)
	return f
}

func (s *story) list(t testing.TB, of contact.ID) []file.File {
	t.Helper()
	all, err := s.files.Of(t.Context(), s.DB, s.Org.ID, of)
	must(t, err)
	return all
}

func (s *story) content(t testing.TB, f *file.File) []byte {
	t.Helper()
	r, err := s.files.Open(t.Context(), s.DB, s.Org.ID, f)
	must(t, err)
	b, err := io.ReadAll(r)
	must(t, err)
	return b
}

// left counts what the tables hold.
func (s *story) left(t testing.TB) string {
	t.Helper()
	var files, parts int
	must(t, s.DB.Row(t.Context(), `SELECT count(*) FROM contact_files WHERE org_id = $1`, s.Org.ID).Scan(&files))
	must(t, s.DB.Row(t.Context(), `SELECT count(*) FROM contact_file_parts WHERE org_id = $1`, s.Org.ID).Scan(&parts))
	return fmt.Sprint(files, parts)
}

// pdf is a document of some length.
func pdf(length int) []byte {
	b := []byte("%PDF-1.7\n")
	for len(b) < length {
		b = append(b, byte(len(b)*7), byte(len(b)>>8))
	}
	return b[:length]
}

func TestAFileIsKeptAsItIs(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		for _, length := range []int{9, 256 << 10, 256<<10 + 1, file.MaxSize} {
			f := s.add(t, "offer.pdf", pdf(length))
			if got := s.content(t, f); !bytes.Equal(got, pdf(length)) || f.Size != int64(length) || f.Type != "application/pdf" || f.By != s.asha.ID {
				t.Errorf("%d bytes became %d, %+v", length, len(got), f)
			}
		}
		for given, want := range map[string]string{
			`C:\Users\me\Angebot.pdf`: "Angebot.pdf", "../../etc/passwd": "passwd.pdf", "प्रस्ताव 🍋": "प्रस्ताव 🍋.pdf", "a\u202efdp.exe": "afdp.exe", "": "file.pdf", "..": "file.pdf",
			strings.Repeat("न", 300) + ".pdf": strings.Repeat("न", 196) + ".pdf", "a<b>:c?.pdf": "abc.pdf",
		} {
			if f := s.add(t, given, pdf(20)); f.Name != want {
				t.Errorf("%q is kept as %q, want %q", given, f.Name, want)
			}
		}
		found, err := s.Contacts.Load(t.Context(), s.DB, s.Org.ID, s.meera.ID)
		must(t, err)
		if !found[s.meera.ID].Last.Equal(s.Now().Truncate(time.Millisecond)) {
			t.Errorf("the last activity is %v", found[s.meera.ID].Last)
		}
	})
}

func TestWhatIsNotFiledHere(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		var archive bytes.Buffer
		z := zip.NewWriter(&archive)
		w, err := z.Create("anything.exe")
		must(t, err)
		_, err = w.Write([]byte("MZ"))
		must(t, err)
		must(t, z.Close())
		for what, c := range map[string]struct {
			name    string
			content []byte
			kind    fault.Kind
			words   string
		}{
			"nothing":             {"a.pdf", nil, fault.Invalid, "is empty"},
			"too much":            {"a.pdf", pdf(file.MaxSize + 1), fault.TooLarge, "has 11 MB; at most 10 fit"},
			"a program":           {"offer.pdf", append([]byte("\x7fELF\x02\x01\x01"), make([]byte, 60)...), fault.Invalid, "is of a kind that is not filed here"},
			"a page":              {"offer.pdf", []byte("<!DOCTYPE html><script>alert(1)</script>"), fault.Invalid, "text/html"},
			"a picture of script": {"a.png", []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>`), fault.Invalid, "image/svg+xml"},
			"an archive":          {"a.zip", archive.Bytes(), fault.Invalid, "application/zip"},
			"a recording":         {"call.pdf", append([]byte("#!AMR\n"), make([]byte, 60)...), fault.Invalid, "recordings belong to calls"},
			"a card in a text":    {"a.txt", []byte("pay with 4111 1111 1111 1111"), fault.Invalid, "payment card"},
			"a card in a name":    {"4111 1111 1111 1111.pdf", pdf(20), fault.Invalid, "payment card"},
		} {
			if _, err := s.try(t, s.meera.ID, c.name, c.content); fault.KindOf(err) != c.kind || !strings.Contains(fault.Sentence(err), c.words) {
				t.Errorf("%s: got %v, want %q", what, err, c.words)
			}
		}
		_, err = s.try(t, "con_none", "a.pdf", pdf(20))
		refused(t, err, fault.NotFound, "There is no contact")
		if got := s.left(t); got != "0 0" {
			t.Errorf("%s rows are left", got)
		}
		for name, content := range map[string][]byte{"a.txt": []byte("plain"), "a.csv": []byte("a,b\n1,2\n3,4\n"), "a.png": []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"), "a.jpg": []byte("\xff\xd8\xff\xe0\x00\x10JFIF")} {
			s.add(t, name, content)
		}
	})
}

func TestFilesFollowTheirContact(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		ctx := t.Context()
		f := s.add(t, "offer.pdf", pdf(300<<10))
		other := s.Contact(t, "Meera", "J", "+919812300102")
		if len(s.list(t, other.ID)) != 0 {
			t.Error("another contact has the file")
		}
		_, err := s.files.Get(ctx, s.DB, s.Org.ID, other.ID, f.ID)
		refused(t, err, fault.NotFound, "There is no file")
		_, err = s.files.Get(ctx, s.DB, s.Org.ID+1, s.meera.ID, f.ID)
		refused(t, err, fault.NotFound, "There is no file")
		s.Tx(t, func(tx *db.Tx) error {
			_, done, err := s.Contacts.Merge(ctx, tx, s.Org, s.asha.ID, other.ID, s.meera.ID)
			if err == nil {
				done()
			}
			return err
		})
		if got := s.list(t, other.ID); len(got) != 1 || !bytes.Equal(s.content(t, &got[0]), pdf(300<<10)) {
			t.Errorf("after the merge there are %+v", got)
		}
		drop := func(by account.MemberID, all bool) error {
			return s.DB.Tx(ctx, func(tx *db.Tx) error {
				_, err := s.files.Drop(ctx, tx, s.Org.ID, by, all, other.ID, f.ID)
				return err
			})
		}
		refused(t, drop(s.bina.ID, false), fault.Denied, "Somebody else filed")
		boss := s.Accounts.Operator(s.Org)
		h, err := s.Holds.Add(ctx, boss, hold.Hold{Scope: hold.Person, Persons: []subject.Ref{subject.OfContact(s.meera.Subject)}, Reason: "A suit", Owner: s.asha.ID, Ends: s.Now().AddDate(0, 1, 0)})
		must(t, err)
		refused(t, drop(s.asha.ID, false), fault.Conflict, "hold")
		_, err = s.Holds.Release(ctx, boss, h.ID, "Over.")
		must(t, err)
		must(t, drop(s.bina.ID, true))
		if got := s.left(t); got != "0 0" {
			t.Errorf("%s rows are left", got)
		}
		s.add(t, "offer.pdf", pdf(300<<10))
		var destroy func() error
		s.Tx(t, func(tx *db.Tx) error {
			d, err := s.Contacts.Delete(ctx, tx, s.Org.ID, other.ID)
			destroy = func() error { return d(ctx) }
			return err
		})
		must(t, destroy())
		if got := s.left(t); got != "0 0" {
			t.Errorf("%s rows are left of a deleted contact", got)
		}
	})
}

func TestAPieceBelongsToItsPlace(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		f := s.add(t, "offer.pdf", pdf(600<<10))
		spoil := func(query string) {
			s.Tx(t, func(tx *db.Tx) error { _, err := tx.Exec(t.Context(), query, s.Org.ID); return err })
			if _, err := s.files.Open(t.Context(), s.DB, s.Org.ID, f); err == nil {
				t.Errorf("a spoilt file opens after %s", query)
			}
		}
		spoil(`UPDATE contact_file_parts SET part = part + 10 WHERE org_id = $1 AND part = 0`) // another order
		spoil(`DELETE FROM contact_file_parts WHERE org_id = $1 AND part = 10`)
	})
}

// written is a person's copy as text.
type written struct {
	strings.Builder
	files map[string][]byte
}

func (w *written) Table(category, name string, _ []string, each func(add func(values ...any) error) error) error {
	return each(func(values ...any) error {
		_, err := fmt.Fprintln(w, category, name, fmt.Sprint(values...))
		return err
	})
}

func (w *written) File(category, name string, from io.Reader) (err error) {
	w.files[category+"/"+name], err = io.ReadAll(from)
	return err
}

func TestAPersonsFilesAreCopiedAndErased(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		ctx := t.Context()
		f := s.add(t, "offer.pdf", pdf(300<<10))
		ravi := s.Contact(t, "Ravi", "", "+919812300102")
		_, err := s.try(t, ravi.ID, "his.pdf", pdf(20))
		must(t, err)
		for _, who := range []subject.Ref{subject.OfContact(s.meera.Subject), subject.OfNumber(int64(s.meera.Nums[0]))} {
			got := written{files: map[string][]byte{}}
			must(t, file.Export(s.files, ctx, s.Org.ID, who, &got))
			if !strings.Contains(got.String(), "offer.pdf") || strings.Contains(got.String(), "his.pdf") || strings.Contains(got.String(), string(s.asha.ID)) || len(got.files) != 1 || !bytes.Equal(got.files["lead.note/"+string(f.ID)+".pdf"], pdf(300<<10)) {
				t.Errorf("the copy is %s, %d files", got.String(), len(got.files))
			}
		}
		who, store := subject.OfContact(s.meera.Subject), s.files.Store()
		plan, err := store.Plan(ctx, s.Org.ID, who)
		must(t, err)
		lines, err := store.Erase(ctx, s.Org.ID, who, rights.Decision{Keep: []rights.Lock{{Category: file.Category}}})
		if must(t, err); len(lines) != 0 || s.left(t) != "2 3" {
			t.Errorf("what a law keeps went: %+v", lines)
		}
		lines, err = store.Erase(ctx, s.Org.ID, who, rights.Decision{})
		if must(t, err); len(plan) != 1 || plan[0].Count != 1 || len(lines) != 1 || lines[0] != plan[0] || s.left(t) != "1 1" {
			t.Errorf("planned %+v, erased %+v, left %s", plan, lines, s.left(t))
		}
	})
}

func TestFilesEndWithTheirPeriodAndComeBack(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		ctx := t.Context()
		f := s.add(t, "offer.pdf", pdf(300<<10))
		k := s.files.Keepers()[0]
		due := func(from policy.Event) (retain.Cut, []retain.Item) {
			cut := retain.Cut{From: from, Before: s.Now().AddDate(-1, 0, 0)}
			all, err := k.Due(ctx, s.Org.ID, cut)
			must(t, err)
			return cut, all
		}
		s.Clock.Advance(400 * 24 * time.Hour)
		s.Tx(t, func(tx *db.Tx) error { return s.Contacts.SetLast(ctx, tx, s.Org.ID, s.meera.ID, s.Now()) })
		if _, all := due(policy.LastActivity); len(all) != 0 {
			t.Errorf("due although something happened: %+v", all)
		}
		if _, all := due(policy.Created); len(all) != 1 || all[0].Key != string(f.ID) {
			t.Errorf("by age there are due %+v", all)
		}
		s.Clock.Advance(400 * 24 * time.Hour)
		cut, all := due(policy.LastActivity)
		if len(all) != 1 {
			t.Fatalf("due: %+v", all)
		}
		bundle, err := k.Bundle(ctx, s.Org.ID, all[0])
		must(t, err)
		if !json.Valid(bundle) {
			t.Error("the bundle is no JSON")
		}
		stale := retain.Order{Cut: cut, Items: []retain.Item{{Key: all[0].Key, At: all[0].At.Add(time.Second), Rows: 1}}}
		_, err = k.Remove(ctx, s.Org.ID, stale)
		refused(t, err, fault.Conflict, "meanwhile")
		n, err := k.Remove(ctx, s.Org.ID, retain.Order{Cut: cut, Items: all})
		if must(t, err); n != 1 || s.left(t) != "0 0" {
			t.Errorf("%d removed, %s left", n, s.left(t))
		}
		for range 2 { // broken off and done again
			must(t, k.Return(ctx, s.Org.ID, string(f.ID), bundle))
		}
		if got := s.list(t, s.meera.ID); len(got) != 1 || got[0].Name != "offer.pdf" || !got[0].At.Equal(f.At.Truncate(time.Millisecond)) || !bytes.Equal(s.content(t, &got[0]), pdf(300<<10)) {
			t.Errorf("came back as %+v", got)
		}
	})
}
