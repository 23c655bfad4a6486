package contact_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"parley/account"
	"parley/calls/number"
	"parley/crm/contact"
	"parley/platform/db"
	"parley/platform/fault"
)

func full() contact.Person {
	return contact.Person{First: "Meera", Last: "Nair", Company: "Lotus Textiles", Title: "Buyer",
		Numbers: []contact.Labelled{{Label: "work", Text: "98123 45678"}, {Label: "home", Text: "+91 98123 99999"}, {Text: "9812345678"}},
		Emails:  []contact.Labelled{{Label: "work", Text: "meera@lotus.example"}, {Text: "MEERA@lotus.example"}}, Photo: "https://lotus.example/meera.jpg",
		Address: contact.Address{Street: "4 MG Road", City: "Kochi", State: "Kerala", Postcode: "682011", Country: "in"}, Language: "ml-IN"}
}

func TestAContactIsKeptInCanonicalForm(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		made := w.Add(t, contact.New{Person: full(), Tags: []string{"VIP, export", "vip"}, Owner: w.ravi.ID, Origin: "manual"})
		c := w.load(t, made.ID)
		if got := texts(c.Person.Numbers); !slices.Equal(got, []string{"+919812345678", "+919812399999"}) {
			t.Errorf("numbers %q", got)
		}
		if got := texts(c.Person.Emails); !slices.Equal(got, []string{"meera@lotus.example"}) {
			t.Errorf("e-mails %q", got)
		}
		if c.Name() != "Meera Nair" || c.Person.Address.Country != "IN" || c.Person.Language != "ml-IN" || !slices.Equal(c.Tags, []string{"export", "VIP"}) || c.Owner != w.ravi.ID || c.Rev != 1 || len(c.Nums) != 2 {
			t.Errorf("%+v", c)
		}
		with, err := w.Contacts.ByNumber(t.Context(), w.DB, w.Org.ID, c.Nums...)
		must(t, err)
		if len(with) != 2 || !slices.Equal(with[c.Nums[0]], []contact.ID{c.ID}) {
			t.Errorf("by number: %v", with)
		}
		by, err := w.Contacts.ByEmail(t.Context(), w.DB, w.Org.ID, " Meera@Lotus.example")
		must(t, err)
		if !slices.Equal(by, []contact.ID{c.ID}) {
			t.Errorf("by e-mail: %v", by)
		}
	})
}

func TestWhatCannotBeKeptIsRefusedWithItsField(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for name, bad := range map[string]func(n *contact.New){
			"nobody":   func(n *contact.New) { n.Person = contact.Person{Title: "Buyer"} },
			"photo":    func(n *contact.New) { n.Person.Photo = "http://lotus.example/x.jpg" },
			"script":   func(n *contact.New) { n.Person.Photo = "javascript:alert(1)" },
			"email":    func(n *contact.New) { n.Person.Emails = []contact.Labelled{{Text: "meera at lotus"}} },
			"number":   func(n *contact.New) { n.Person.Numbers = []contact.Labelled{{Text: "call me"}} },
			"country":  func(n *contact.New) { n.Person.Address.Country = "India" },
			"long":     func(n *contact.New) { n.Person.First = strings.Repeat("x", 121) },
			"card":     func(n *contact.New) { n.Person.Company = "4111 1111 1111 1111" },
			"tag card": func(n *contact.New) { n.Tags = []string{"4111111111111111"} },
			"owner":    func(n *contact.New) { n.Owner = "mem_nobody" },
			"own":      func(n *contact.New) { n.Person.Custom = map[string]string{"budget": "1"} },
		} {
			n := contact.New{Person: full()}
			bad(&n)
			err := w.DB.Tx(t.Context(), func(tx *db.Tx) error {
				_, _, err := w.Contacts.Add(t.Context(), tx, w.Org, "", n)
				return err
			})
			if fault.KindOf(err) != fault.Invalid || len(fault.Sentence(err)) < 20 {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestNamesInAnyScriptAndEmojiComeBackAndAreFound(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, name := range []struct{ first, last, query, stored string }{
			{"José", "Ñúñez", "jose nun", "José Ñúñez"},
			{"محمد", "العَرَبي", "محمد العربي", "محمد العَرَبي"},
			{"\u202eנועם", "לוי", "נועם", "נועם לוי"},
			{"क़मर", "हसन", "कमर", "क़मर हसन"},
			{"李", "小龙", "小龙", "李 小龙"},
			{"क्\u200dषमा", "राव", "क्षमा राव", "क्\u200dषमा राव"},
			{"🦊 Fox", "👩‍👩‍👧", "🦊", "🦊 Fox 👩‍👩‍👧"},
			{"สมชาย", "ใจดี", "สมช", "สมชาย ใจดี"},
			{"Straße", "İnönü", "inönü", "Straße İnönü"},
		} {
			c := w.Contact(t, name.first, name.last)
			if got := w.load(t, c.ID).Name(); got != name.stored {
				t.Errorf("%q came back as %q", name.stored, got)
			}
			if found := w.find(t, name.query); !slices.Equal(found, []contact.ID{c.ID}) {
				t.Errorf("%q is not found by %q: %v", name.stored, name.query, found)
			}
		}
	})
}

func TestTwoEditorsLoseNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.Add(t, contact.New{Person: full(), Owner: w.ravi.ID})
		seen := w.load(t, c.ID)
		w.Clock.Advance(time.Minute)
		_, err := w.changeFrom(t, w.ravi, seen, seen.Rev, func(p *contact.Person) { p.Title = "Head of buying" })
		must(t, err)
		w.Clock.Advance(time.Minute)
		got, err := w.changeFrom(t, w.meera, seen, seen.Rev, func(p *contact.Person) { p.First = "Mira"; p.Address.City = "Thrissur" })
		must(t, err)
		if got.Person.Title != "Head of buying" || got.Person.First != "Mira" || got.Person.Address.City != "Thrissur" || got.Rev != 3 {
			t.Errorf("different fields did not merge: %+v", got)
		}
		_, err = w.changeFrom(t, w.meera, seen, seen.Rev, func(p *contact.Person) { p.Title = "Seller"; p.Company = "Lily" })
		want(t, err, fault.Conflict)
		for _, word := range []string{"Ravi", "title", "2026-04-15 12:01"} {
			if !strings.Contains(fault.Sentence(err), word) {
				t.Errorf("the conflict does not say %q: %s", word, fault.Sentence(err))
			}
		}
		if now := w.load(t, c.ID); now.Person.Company != "Lotus Textiles" || now.Rev != 3 {
			t.Errorf("a refused change changed something: %+v", now)
		}
		_, err = w.changeFrom(t, w.meera, seen, seen.Rev, func(p *contact.Person) { p.Title = "Head of buying" })
		must(t, err) // both wrote the same
		history, err := w.Contacts.History(t.Context(), w.DB, w.Org.ID, c.ID, 0, 10)
		must(t, err)
		if len(history) != 3 || history[2].Field != "title" || history[2].From != "Buyer" || history[2].To != "Head of buying" || history[2].By != w.ravi.ID {
			t.Errorf("the history is %+v", history)
		}
	})
}

func TestAChangeIsFoundAtOnceAndTheOldNoMore(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.Add(t, contact.New{Person: full()})
		_, err := w.change(t, w.ravi, c.ID, 0, func(p *contact.Person) {
			p.Last, p.Numbers, p.Emails = "Pillai", []contact.Labelled{{Text: "+919800000001"}}, nil
		})
		must(t, err)
		if got := w.find(t, "meera nair"); len(got) != 0 {
			t.Errorf("the old name finds %v", got)
		}
		for _, q := range []string{"pill", "pillai meera", "pi", "lotus", "0001", "98000 00001", "+919800000001"} {
			if got := w.find(t, q); !slices.Equal(got, []contact.ID{c.ID}) {
				t.Errorf("%q finds %v", q, got)
			}
		}
		for _, q := range []string{"meera@lotus.example", "5678", "p", "pilla meera x", ""} {
			if got := w.find(t, q); len(got) != 0 {
				t.Errorf("%q finds %v", q, got)
			}
		}
		with, err := w.Contacts.ByNumber(t.Context(), w.DB, w.Org.ID, c.Nums...)
		must(t, err)
		if len(with) != 0 {
			t.Errorf("the old numbers still lead to %v", with)
		}
	})
}

func TestNotesOfTenThousandCharacters(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.Contact(t, "Meera", "Nair")
		add := func(text string) (n *contact.Note, err error) {
			err = w.DB.Tx(t.Context(), func(tx *db.Tx) (err error) {
				n, err = w.Contacts.AddNote(t.Context(), tx, w.Org.ID, w.ravi.ID, c.ID, text)
				return err
			})
			return n, err
		}
		long := strings.Repeat("कल 🌸 आना\n", 1000)
		long += strings.Repeat("क", 10_000-utf8.RuneCountInString(long))
		n, err := add(long)
		must(t, err)
		_, err = add(strings.Repeat("x", 10_001))
		want(t, err, fault.Invalid)
		_, err = add("paid with 4111 1111 1111 1111")
		want(t, err, fault.Invalid)
		notes, err := w.Contacts.Notes(t.Context(), w.DB, w.Org.ID, c.ID, time.Time{}, 10)
		must(t, err)
		if len(notes) != 1 || notes[0].Text != long || notes[0].By != w.ravi.ID {
			t.Fatalf("%d notes came back", len(notes))
		}
		change := func(by account.MemberID) error {
			return w.DB.Tx(t.Context(), func(tx *db.Tx) error {
				return w.Contacts.ChangeNote(t.Context(), tx, w.Org.ID, by, c.ID, n.ID, "shorter")
			})
		}
		want(t, change(w.meera.ID), fault.NotFound) // notes are their writer's
		must(t, change(w.ravi.ID))
		must(t, w.DB.Tx(t.Context(), func(tx *db.Tx) error {
			return w.Contacts.DropNote(t.Context(), tx, w.Org.ID, w.ravi.ID, c.ID, n.ID)
		}))
		if notes, err = w.Contacts.Notes(t.Context(), w.DB, w.Org.ID, c.ID, time.Time{}, 10); err != nil || len(notes) != 0 {
			t.Errorf("%v %v", notes, err)
		}
	})
}

func TestAnotherOrganisationSeesNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.Add(t, contact.New{Person: full()})
		other := w.NewOrg(t, "Other Traders")
		all := contact.Sight{All: true}
		_, err := w.Contacts.Get(t.Context(), w.DB, other.ID, all, c.ID)
		want(t, err, fault.NotFound)
		for _, q := range []string{"meera", "lotus", "meera@lotus.example", "5678", "+919812345678"} {
			if ids, err := w.Contacts.Search(t.Context(), w.DB, other.ID, q, 9); err != nil || len(ids) != 0 {
				t.Errorf("%q finds %v %v", q, ids, err)
			}
		}
		for name, do := range map[string]func(tx *db.Tx) error{
			"change": func(tx *db.Tx) error {
				_, _, err := w.Contacts.Change(t.Context(), tx, other, "", c.ID, 0, c.Person, nil)
				return err
			},
			"note": func(tx *db.Tx) error {
				_, err := w.Contacts.AddNote(t.Context(), tx, other.ID, "", c.ID, "hello")
				return err
			},
			"delete": func(tx *db.Tx) error { _, err := w.Contacts.Delete(t.Context(), tx, other.ID, c.ID); return err },
			"merge": func(tx *db.Tx) error {
				_, _, err := w.Contacts.Merge(t.Context(), tx, other, "", c.ID, c.ID)
				return err
			},
			"split": func(tx *db.Tx) error { _, _, err := w.Contacts.Split(t.Context(), tx, other, "", c.ID); return err },
		} {
			if err := w.DB.Tx(t.Context(), do); fault.KindOf(err) != fault.NotFound {
				t.Errorf("%s: %v", name, err)
			}
		}
		if notes, err := w.Contacts.Notes(t.Context(), w.DB, other.ID, c.ID, time.Time{}, 9); err != nil || len(notes) != 0 {
			t.Errorf("%v %v", notes, err)
		}
	})
}

func TestWhoSeesWhom(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		mine := w.Add(t, contact.New{Person: contact.Person{First: "Mine", Last: "Nair"}, Owner: w.ravi.ID})
		hers := w.Add(t, contact.New{Person: contact.Person{First: "Hers", Last: "Nair"}, Owner: w.meera.ID})
		free := w.Add(t, contact.New{Person: contact.Person{First: "Free", Last: "Nair"}})
		for _, x := range []struct {
			sight contact.Sight
			want  []contact.ID
		}{
			{contact.Sight{All: true}, []contact.ID{free.ID, hers.ID, mine.ID}},
			{contact.Sight{Members: []account.MemberID{w.ravi.ID}}, []contact.ID{mine.ID}},
			{contact.Sight{Members: []account.MemberID{w.ravi.ID}, Unowned: true}, []contact.ID{free.ID, mine.ID}},
			{contact.Sight{}, nil},
		} {
			found, err := w.Contacts.Find(t.Context(), w.DB, w.Org.ID, x.sight, "nair", 10)
			must(t, err)
			page, err := w.Contacts.List(t.Context(), w.DB, w.Org.ID, x.sight, contact.Ask{Count: true})
			must(t, err)
			listed := idsOf(page.Contacts)
			for _, all := range [][]contact.ID{listed, found, x.want} {
				slices.Sort(all)
			}
			if !slices.Equal(found, x.want) || !slices.Equal(listed, x.want) || page.Count != int64(len(x.want)) {
				t.Errorf("%+v finds %v, lists %v of %d; want %v", x.sight, found, listed, page.Count, x.want)
			}
		}
		_, err := w.Contacts.Get(t.Context(), w.DB, w.Org.ID, contact.Sight{Members: []account.MemberID{w.ravi.ID}}, hers.ID)
		want(t, err, fault.NotFound)
	})
}

func idsOf(all []*contact.Contact) []contact.ID {
	var out []contact.ID
	for _, c := range all {
		out = append(out, c.ID)
	}
	return out
}

func TestTheListGoesPageByPage(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var made []contact.ID
		for i := range 7 {
			w.Clock.Advance(time.Minute)
			made = append(made, w.Add(t, contact.New{Person: contact.Person{First: fmt.Sprint("Nr ", i)}, Tags: []string{[]string{"even", "odd"}[i%2]}}).ID)
		}
		slices.Reverse(made)
		var got []contact.ID
		for cursor := ""; ; {
			page, err := w.Contacts.List(t.Context(), w.DB, w.Org.ID, contact.Sight{All: true}, contact.Ask{Limit: 3, Cursor: cursor})
			must(t, err)
			got = append(got, idsOf(page.Contacts)...)
			if cursor = page.Cursor; cursor == "" {
				break
			}
		}
		if !slices.Equal(got, made) {
			t.Errorf("got %v, want %v", got, made)
		}
		page, err := w.Contacts.List(t.Context(), w.DB, w.Org.ID, contact.Sight{All: true}, contact.Ask{Tag: "ODD"})
		must(t, err)
		if len(page.Contacts) != 3 {
			t.Errorf("%d odd ones", len(page.Contacts))
		}
		tags, err := w.Contacts.Tags(t.Context(), w.DB, w.Org.ID)
		must(t, err)
		if len(tags) != 2 || tags[0] != (contact.TagCount{Tag: "even", Contacts: 4}) {
			t.Errorf("tags %v", tags)
		}
		_, err = w.Contacts.List(t.Context(), w.DB, w.Org.ID, contact.Sight{All: true}, contact.Ask{Cursor: "nonsense"})
		want(t, err, fault.Invalid)
	})
}

func TestOwnersAreSetWithALineInTheHistory(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a, b := w.Contact(t, "A", "A"), w.Contact(t, "B", "B")
		w.Tx(t, func(tx *db.Tx) error {
			return w.Contacts.SetOwners(t.Context(), tx, w.Org, w.ravi.ID, map[contact.ID]account.MemberID{a.ID: w.meera.ID, b.ID: w.meera.ID})
		})
		w.Tx(t, func(tx *db.Tx) error { return w.Contacts.SetOwner(t.Context(), tx, w.Org, w.ravi.ID, a.ID, w.ravi.ID) })
		history, err := w.Contacts.History(t.Context(), w.DB, w.Org.ID, a.ID, 0, 10)
		must(t, err)
		if got := w.load(t, a.ID); got.Owner != w.ravi.ID || got.Rev != 3 || len(history) != 2 || history[0].From != string(w.meera.ID) || history[1].From != "" {
			t.Errorf("%+v %+v", got, history)
		}
		err = w.DB.Tx(t.Context(), func(tx *db.Tx) error { return w.Contacts.SetOwner(t.Context(), tx, w.Org, "", a.ID, "mem_x") })
		want(t, err, fault.Invalid)
	})
}

func TestARestrictedPersonIsNotShown(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.Add(t, contact.New{Person: full()})
		all := contact.Sight{All: true}
		restrict := func(on bool) {
			must(t, w.Writer.Restrict(t.Context(), w.Org, number.ID(c.Nums[0]), on))
		}
		restrict(true)
		_, err := w.Contacts.Get(t.Context(), w.DB, w.Org.ID, all, c.ID)
		want(t, err, fault.Denied)
		page, err := w.Contacts.List(t.Context(), w.DB, w.Org.ID, all, contact.Ask{})
		must(t, err)
		if len(page.Contacts) != 0 || len(w.find(t, "meera")) != 0 || len(w.find(t, "meera@lotus.example")) != 0 || len(w.find(t, "9999")) != 0 || len(w.find(t, "+919812345678")) != 0 {
			t.Error("a restricted person is shown")
		}
		_, err = w.change(t, w.ravi, c.ID, 0, func(p *contact.Person) { p.First = "X" })
		want(t, err, fault.Denied)
		restrict(false)
		if _, err := w.Contacts.Get(t.Context(), w.DB, w.Org.ID, all, c.ID); err != nil || len(w.find(t, "meera")) != 1 {
			t.Errorf("not shown again: %v", err)
		}
	})
}

func TestNothingOfAContactCanBeReadInTheTables(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.Add(t, contact.New{Person: full(), Tags: []string{"marriage"}})
		w.Tx(t, func(tx *db.Tx) error {
			_, err := w.Contacts.AddNote(t.Context(), tx, w.Org.ID, "", c.ID, "sings in the choir")
			return err
		})
		_, err := w.change(t, w.ravi, c.ID, 0, func(p *contact.Person) { p.Title = "Choirmaster" })
		must(t, err)
		for _, q := range []string{`SELECT sealed FROM contacts`, `SELECT idx FROM contact_index`, `SELECT sealed FROM contact_events`, `SELECT sealed FROM contact_notes`, `SELECT sealed FROM contact_tags`} {
			rows, err := db.Select(t.Context(), w.DB, func(r db.Scanner) (b []byte, err error) { return b, r.Scan(&b) }, q)
			must(t, err)
			if len(rows) == 0 {
				t.Errorf("%s is empty", q)
			}
			for _, b := range rows {
				for _, word := range []string{"Meera", "meera", "Lotus", "98123", "Buyer", "Choir", "choir", "marriage"} {
					if bytes.Contains(b, []byte(word)) {
						t.Errorf("%s shows %q", q, word)
					}
				}
			}
		}
	})
}
