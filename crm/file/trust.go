package file

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"path"
	"time"

	"parley/account"
	"parley/crm/contact"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/trust/policy"
	"parley/trust/retain"
	"parley/trust/rights"
	"parley/trust/subject"
)

// Store is what rights asks of files. It finds them by the contacts, whose store takes their keys away and is registered behind
// it.
func (s *Files) Store() rights.Store {
	return rights.Store{
		Name: "files", Tables: []string{"contact_files", "contact_file_parts"}, Once: true,
		Export: func(ctx context.Context, org account.OrgID, who subject.Ref, to *rights.Package) error {
			return s.export(ctx, org, who, to)
		},
		Plan: func(ctx context.Context, org account.OrgID, who subject.Ref) ([]rights.Line, error) {
			return s.tally(ctx, s.d.DB, org, who)
		},
		Erase: s.erase,
	}
}

// copies takes a person's copy, as rights.Package does.
type copies interface {
	Table(category, name string, columns []string, each func(add func(values ...any) error) error) error
	File(category, name string, from io.Reader) error
}

// export writes the files about a person, and a table of their names. Colleagues are not named: that is those people's data.
func (s *Files) export(ctx context.Context, org account.OrgID, who subject.Ref, to copies) error {
	of, err := s.d.Contacts.Of(ctx, s.d.DB, org, who)
	if err != nil || len(of) == 0 {
		return err
	}
	where, args := ofContacts(2, of)
	all, err := s.read(ctx, s.d.DB, org, where+` ORDER BY file`, args...)
	if err != nil || len(all) == 0 {
		return err
	}
	if err := to.Table(Category, "filed", []string{"file", "contact", "at", "name", "type", "bytes"}, func(add func(...any) error) error {
		for i := range all {
			f := &all[i]
			if err := add(f.packed(), string(f.Contact), f.At, f.Name, f.Type, f.Size); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	for i := range all {
		content, err := s.Open(ctx, s.d.DB, org, &all[i])
		if err != nil {
			return err
		}
		if err := to.File(Category, all[i].packed(), content); err != nil {
			return err
		}
	}
	return nil
}

// packed is a file's name in a package: two files may have one name, and not every name is one everywhere.
func (f *File) packed() string {
	ending := path.Ext(f.Name)
	for _, c := range ending {
		if c > 'z' {
			ending = ""
		}
	}
	return string(f.ID) + ending
}

// tally says how many files there are about a person. It opens none: their keys may be gone.
func (s *Files) tally(ctx context.Context, c db.Conn, org account.OrgID, who subject.Ref) ([]rights.Line, error) {
	of, err := s.d.Contacts.Of(ctx, c, org, who)
	if err != nil || len(of) == 0 {
		return nil, err
	}
	line := rights.Line{Thing: rights.Rows, Name: "files about contacts", Category: Category}
	where, args := ofContacts(2, of)
	var newest int64
	if err := c.Row(ctx, `SELECT count(*), coalesce(max(at_ms), 0) FROM contact_files WHERE org_id = $1 AND `+where, append([]any{org}, args...)...).Scan(&line.Count, &newest); err != nil {
		return nil, err
	}
	if line.Count > 0 {
		line.Newest = time.UnixMilli(newest).UTC()
	}
	return []rights.Line{line}, nil
}

// erase removes the files about a person, unless a law keeps what staff wrote about them.
func (s *Files) erase(ctx context.Context, org account.OrgID, who subject.Ref, d rights.Decision) (lines []rights.Line, err error) {
	if d.Keeps(Category) {
		return nil, nil
	}
	return lines, s.d.DB.Tx(ctx, func(tx *db.Tx) error {
		of, err := s.d.Contacts.Of(ctx, tx, org, who)
		if err != nil || len(of) == 0 {
			return err
		}
		if err := d.Gate(ctx, tx, Category); err != nil {
			return err
		}
		if lines, err = s.tally(ctx, tx, org, who); err != nil {
			return err
		}
		return s.contactsGone(ctx, tx, org, of)
	})
}

// Keepers are what retention asks of files: they stay for as long as something happens with the contact, and for the longest
// period from when each was filed.
func (s *Files) Keepers() []retain.Keeper {
	return []retain.Keeper{{
		Name: "files about contacts", Category: Category, Events: []policy.Event{policy.LastActivity, policy.Created},
		Count: func(ctx context.Context, org account.OrgID) (n int64, err error) {
			return n, s.d.DB.Row(ctx, `SELECT count(*) FROM contact_files WHERE org_id = $1`, org).Scan(&n)
		},
		Due: func(ctx context.Context, org account.OrgID, cut retain.Cut) ([]retain.Item, error) {
			return s.due(ctx, s.d.DB, org, cut)
		},
		Remove: func(ctx context.Context, org account.OrgID, o retain.Order) (int64, error) {
			return o.Rows(), s.d.DB.Tx(ctx, func(tx *db.Tx) error { return s.expire(ctx, tx, org, o) })
		},
		Bundle: s.bundle, Return: s.giveBack,
		Forget: func(context.Context, account.OrgID, []subject.Ref) error { return nil }, // the key is the contact's to destroy
	}}
}

// due lists the files that are due by a cut.
func (s *Files) due(ctx context.Context, c db.Conn, org account.OrgID, cut retain.Cut) ([]retain.Item, error) {
	all, err := s.read(ctx, c, org, `at_ms < $2 ORDER BY file`, cut.Before.UnixMilli())
	if err != nil || len(all) == 0 {
		return nil, err
	}
	last := map[contact.ID]time.Time{} // of idle contacts
	if cut.From != policy.Created {
		idle, err := s.d.Contacts.Idle(ctx, c, org, cut.Before)
		if err != nil {
			return nil, err
		}
		for _, x := range idle {
			for _, m := range x.Family {
				last[m] = x.Last
			}
		}
	}
	var out []retain.Item
	for i := range all {
		f := &all[i]
		item := retain.Item{Key: string(f.ID), Who: []subject.Ref{subject.OfContact(f.subject)}, At: f.At, Rows: 1}
		if cut.From != policy.Created {
			at, idle := last[f.Contact]
			if !idle {
				continue
			}
			if at.After(item.At) {
				item.At = at
			}
		}
		out = append(out, item)
	}
	return out, nil
}

// expire removes what an order lists, or refuses, as a Conflict, when something happened meanwhile.
func (s *Files) expire(ctx context.Context, tx *db.Tx, org account.OrgID, o retain.Order) error {
	if err := o.Gate(ctx, tx); err != nil {
		return err
	}
	now, err := s.due(ctx, tx, org, o.Cut)
	if err != nil {
		return err
	}
	at := make(map[string]time.Time, len(now))
	for _, i := range now {
		at[i.Key] = i.At
	}
	out := make([]ID, len(o.Items))
	for i, x := range o.Items {
		if have, ok := at[x.Key]; !ok || !have.Equal(x.At) {
			return fault.New(fault.Conflict, "Something happened with files about contacts meanwhile, so nothing was removed.")
		}
		out[i] = ID(x.Key)
	}
	return remove(ctx, tx, org, out)
}

// archived is a file in the archive.
type archived struct {
	Contact contact.ID       `json:"contact"`
	Name    string           `json:"name"`
	Type    string           `json:"type"`
	By      account.MemberID `json:"by"`
	At      time.Time        `json:"at"`
	Content []byte           `json:"content"`
}

func (s *Files) bundle(ctx context.Context, org account.OrgID, item retain.Item) ([]byte, error) {
	all, err := s.read(ctx, s.d.DB, org, `file = $2`, item.Key)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	f := &all[0]
	content, err := s.Open(ctx, s.d.DB, org, f)
	if err != nil {
		return nil, err
	}
	a := archived{Contact: f.Contact, Name: f.Name, Type: f.Type, By: f.By, At: f.At, Content: make([]byte, content.Len())}
	if _, err := io.ReadFull(content, a.Content); err != nil {
		return nil, err
	}
	return json.Marshal(a)
}

// giveBack brings a file back from the archive, unless its contact is not kept any more.
func (s *Files) giveBack(ctx context.Context, org account.OrgID, key string, bundle []byte) error {
	var a archived
	if err := json.Unmarshal(bundle, &a); err != nil {
		return err
	}
	return s.d.DB.Tx(ctx, func(tx *db.Tx) error {
		have, err := s.read(ctx, tx, org, `file = $2`, key)
		if err != nil || len(have) > 0 {
			return err
		}
		found, err := s.d.Contacts.Load(ctx, tx, org, a.Contact)
		if c := found[a.Contact]; err == nil && c != nil {
			f := &File{ID: ID(key), Contact: c.ID, Name: a.Name, Type: a.Type, Size: int64(len(a.Content)), By: a.By, At: a.At, subject: c.Subject}
			err = s.put(ctx, tx, org, f, bytes.NewReader(a.Content))
		}
		return err
	})
}
