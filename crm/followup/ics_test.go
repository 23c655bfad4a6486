package followup_test

import (
	"bytes"
	"context"
	"flag"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"parley/account"
	"parley/crm/contact"
	"parley/crm/crmtest"
	"parley/crm/followup"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
)

var update = flag.Bool("update", false, "write the golden files anew")

func speech(_ *account.Org, m *account.Member) followup.Speech {
	return followup.Speech{Name: "Follow-ups of " + m.Name, Base: "https://parley.example",
		Summary: func(f *followup.FollowUp, who string) string {
			verb := map[followup.Kind]string{followup.Call: "Call", followup.Promised: "Call back", followup.Task: "Do for"}[f.Kind]
			return strings.TrimSpace(verb + " " + who)
		},
		Words: func(f *followup.FollowUp, numbers []string) string {
			return f.Text + "\n" + strings.Join(numbers, ", ")
		}}
}

// property is one line of a calendar, put together and parted again.
type property struct{ name, params, value string }

// parse reads a calendar as RFC 5545 has it, and fails the test on what is none.
func parse(t *testing.T, ics []byte) (out []property) {
	t.Helper()
	if !bytes.HasSuffix(ics, []byte("\r\n")) || bytes.Contains(bytes.ReplaceAll(ics, []byte("\r\n"), nil), []byte("\n")) {
		t.Fatal("lines do not end with CR LF")
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(string(ics), "\r\n"), "\r\n") {
		if len(line) > 75 {
			t.Errorf("a line has %d octets: %q", len(line), line)
		}
		if !utf8.ValidString(line) {
			t.Errorf("a line is folded inside a character: %q", line)
		}
	}
	var open []string
	for line := range strings.SplitSeq(strings.TrimSuffix(strings.ReplaceAll(string(ics), "\r\n ", ""), "\r\n"), "\r\n") {
		head, value, ok := strings.Cut(line, ":")
		if !ok {
			t.Fatalf("%q is no property", line)
		}
		name, params, _ := strings.Cut(head, ";")
		switch name {
		case "BEGIN":
			open = append(open, value)
		case "END":
			if len(open) == 0 || open[len(open)-1] != value {
				t.Fatalf("%s ends inside %v", value, open)
			}
			open = open[:len(open)-1]
		}
		out = append(out, property{name, params, value})
	}
	if len(open) > 0 {
		t.Fatalf("%v have no end", open)
	}
	return out
}

// plain is the reverse of the escaping of texts.
func plain(s string) string {
	return strings.NewReplacer(`\\`, `\`, `\;`, `;`, `\,`, `,`, `\n`, "\n").Replace(s)
}

// events parts a calendar into its entries, each with the values of its properties; alarms are triggers.
func events(t *testing.T, ics []byte) (out []map[string]string) {
	t.Helper()
	inside := ""
	for _, p := range parse(t, ics) {
		switch {
		case p.name == "BEGIN":
			inside = p.value
			if p.value == "VEVENT" {
				out = append(out, map[string]string{})
			}
		case p.name == "END":
			inside = "VEVENT"
		case inside == "VALARM" && p.name == "TRIGGER":
			out[len(out)-1]["alarms"] += p.value + " "
		case inside == "VEVENT":
			out[len(out)-1][p.name] = p.value
		}
	}
	return out
}

// calendar is Asha's story for the golden files.
func (s *story) calendar(t *testing.T) (secret string) {
	t.Helper()
	// Names that only a careful program writes down unharmed.
	odd := s.Add(t, contact.New{Person: contact.Person{First: "मीनाक्षी सुन्दरेश्वरन्", Last: `de "Silva"; Ltd, \ Co`, Company: "Ganga Ice Cream Parlour and Sweets Emporium of Old Delhi",
		Numbers: []contact.Labelled{{Text: "+919812300107"}}}})
	s.add(t, followup.New{Kind: followup.Promised, Due: s.at(t, "2026-04-15 15:00"), Reminders: new([]int{60, 10}), Text: "About the wedding; bring samples,\nand a price list"})
	s.add(t, followup.New{Kind: followup.Task, Contact: odd.ID, Day: s.day(t, "2026-04-17"), Reminders: new([]int{0, 30}), Text: strings.Repeat("लंबी बात ", 20)})
	off := s.add(t, followup.New{Due: s.at(t, "2026-04-16 10:00"), Reminders: new([]int{})})
	s.snooze(t, off.ID, s.at(t, "2026-04-16 11:30"))
	done := s.add(t, followup.New{Due: s.at(t, "2026-04-15 16:00")})
	s.Clock.Set(s.at(t, "2026-04-15 16:20"))
	s.done(t, done.ID, followup.Finish{})
	s.add(t, followup.New{Due: s.at(t, "2026-04-16 10:00"), Owner: s.bina.ID}) // none of hers
	secret, err := s.all.NewFeed(t.Context(), s.as(t, s.asha))
	must(t, err)
	return secret
}

func (s *story) as(t *testing.T, m *account.Member) *account.Actor {
	t.Helper()
	a, err := s.Accounts.As(t.Context(), s.Org.ID, m.ID)
	must(t, err)
	return a
}

// golden compares a calendar with a file; ids differ from run to run.
func golden(t *testing.T, file string, ics []byte) {
	t.Helper()
	seen := map[string]string{}
	unfolded := strings.ReplaceAll(string(ics), "\r\n ", "")
	var out []string
	for line := range strings.SplitSeq(unfolded, "\r\n") {
		for _, lead := range []string{"UID:", "URL:https://parley.example/followups/"} {
			if rest, ok := strings.CutPrefix(line, lead); ok {
				id, _, _ := strings.Cut(rest, "@")
				if seen[id] == "" {
					seen[id] = "fol_" + string(rune('a'+len(seen)))
				}
				line = strings.Replace(line, id, seen[id], 1)
			}
		}
		out = append(out, line)
	}
	got := []byte(strings.Join(out, "\n"))
	if *update {
		must(t, os.WriteFile(file, got, 0o644))
	}
	want, err := os.ReadFile(file)
	must(t, err)
	if !bytes.Equal(got, want) {
		t.Errorf("the calendar is not that of %s any more:\n%s", file, got)
	}
}

func TestACalendarSaysNoMoreThanInitials(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		secret := s.calendar(t)
		ics, err := s.all.Calendar(t.Context(), secret, speech)
		must(t, err)
		for _, word := range []string{"Meera", "Joshi", "9812300", "wedding", "Silva", "Ganga", "बात"} {
			if bytes.Contains(bytes.ReplaceAll(ics, []byte("\r\n "), nil), []byte(word)) {
				t.Errorf("the calendar names %q", word)
			}
		}
		golden(t, "testdata/initials.ics", ics)
		all := events(t, ics)
		if len(all) != 4 {
			t.Fatalf("there are %d entries", len(all))
		}
		first := all[0]
		if first["SUMMARY"] != "Call back M.J." || first["DTSTART"] != "20260415T093000Z" || first["alarms"] != "-PT60M -PT10M " || first["STATUS"] != "CONFIRMED" || first["SEQUENCE"] != "0" {
			t.Errorf("the promised call is %v", first)
		}
		whole := all[2]
		if whole["DTSTART"] != "20260417" || whole["DTEND"] != "20260418" || whole["alarms"] != "20260417T030000Z 20260417T033000Z " {
			t.Errorf("the whole day is %v", whole) // 8:30 and 9:00 in India
		}
		if put := all[1]; put["DTSTART"] != "20260416T060000Z" || put["SEQUENCE"] != "1" {
			t.Errorf("what was put off is %v", put)
		}
		if done := all[3]; done["STATUS"] != "CANCELLED" || done["SEQUENCE"] != "1" || done["alarms"] != "" {
			t.Errorf("what was done is %v", done)
		}
	})
}

func TestACalendarWithDetailsReadsBackAsItWasWritten(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		secret := s.calendar(t)
		s.settings(t, followup.NewSettings{Details: new(true)})
		ics, err := s.all.Calendar(t.Context(), secret, speech)
		must(t, err)
		golden(t, "testdata/details.ics", ics)
		all := events(t, ics)
		if got, want := plain(all[2]["SUMMARY"]), `Do for मीनाक्षी सुन्दरेश्वरन् de "Silva"; Ltd, \ Co`; got != want {
			t.Errorf("the name came back as %q, want %q", got, want)
		}
		if got, want := plain(all[0]["DESCRIPTION"]), "About the wedding; bring samples,\nand a price list\n+919812300101"; got != want {
			t.Errorf("the words came back as %q, want %q", got, want)
		}
		// Of somebody who is restricted it names nothing, whatever the settings.
		s.Tx(t, func(tx *db.Tx) error {
			_, err := s.Book.Restrict(t.Context(), tx, s.Org.ID, s.meera.Nums[0], true, s.Now().UnixMilli())
			return err
		})
		ics, err = s.all.Calendar(t.Context(), secret, speech)
		must(t, err)
		if first := events(t, ics)[0]; first["SUMMARY"] != "Call back" || first["DESCRIPTION"] != "" {
			t.Errorf("of somebody restricted it says %v", first)
		}
	})
}

func TestTheLinkOfACalendar(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		ctx := t.Context()
		asha := s.as(t, s.asha)
		none := func(secret string) {
			t.Helper()
			_, err := s.all.Calendar(ctx, secret, speech)
			refused(t, err, fault.NotFound, "no calendar")
		}
		first, err := s.all.NewFeed(ctx, asha)
		must(t, err)
		var hash []byte
		must(t, s.DB.Row(ctx, `SELECT hash FROM calendar_feeds WHERE org_id = $1`, s.Org.ID).Scan(&hash))
		if bytes.Contains(hash, []byte(first)) {
			t.Error("the secret itself is kept")
		}
		_, err = s.all.Calendar(ctx, first, speech)
		must(t, err)
		if f, err := s.all.FeedOf(ctx, s.DB, s.Org.ID, s.asha.ID); err != nil || !f.Used.Equal(s.Now().Truncate(24*time.Hour)) {
			t.Errorf("the calendar was used %v (%v)", f, err)
		}
		second, err := s.all.NewFeed(ctx, asha)
		must(t, err)
		none(first)
		_, err = s.all.Calendar(ctx, second, speech)
		must(t, err)
		for _, bad := range []string{"", "plc_1", "plc_x_" + second, strings.Replace(second, "plc_1", "plc_2", 1), second + "x", "pls" + second[3:]} {
			none(bad)
		}
		must(t, s.all.DropFeed(ctx, asha))
		must(t, s.all.DropFeed(ctx, asha))
		none(second)
		third, err := s.all.NewFeed(ctx, asha)
		must(t, err)
		_, err = s.Accounts.Deactivate(ctx, s.boss, s.asha.ID)
		must(t, err)
		none(third)
		_, err = s.all.NewFeed(ctx, s.boss)
		refused(t, err, fault.Denied, "belongs to a member")
	})
}

func TestWhatEndedLeavesACalendarAfterAMonth(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		f := s.add(t, followup.New{Due: s.at(t, "2026-04-15 16:00")})
		must(t, s.try(t, func(ctx context.Context, tx *db.Tx) error {
			_, err := s.all.Cancel(ctx, tx, s.Org, s.asha.ID, f.ID, false)
			return err
		}))
		secret, err := s.all.NewFeed(t.Context(), s.as(t, s.asha))
		must(t, err)
		for days, want := range map[int]int{1: 1, 29: 1, 31: 0} {
			s.Clock.Set(s.at(t, "2026-04-15 12:00").AddDate(0, 0, days))
			ics, err := s.all.Calendar(t.Context(), secret, speech)
			must(t, err)
			if got := len(events(t, ics)); got != want {
				t.Errorf("after %d days there are %d entries, want %d", days, got, want)
			}
		}
	})
}

func TestLinesOfEveryLengthAreFolded(t *testing.T) {
	d := dbtest.SQLite(t, append(crmtest.Schemas(), dbtest.Schema{Series: "followup", Files: followup.Schema})...)
	s := newStory(t, d)
	secret, err := s.all.NewFeed(t.Context(), s.as(t, s.asha))
	must(t, err)
	for n := range 240 {
		name := strings.Repeat("x", n%7) + strings.Repeat("éअ😀", n/7) + "\xff;"
		ics, err := s.all.Calendar(t.Context(), secret, func(*account.Org, *account.Member) followup.Speech { return followup.Speech{Name: name} })
		must(t, err)
		for _, p := range parse(t, ics) {
			if p.name == "X-WR-CALNAME" && plain(p.value) != strings.ToValidUTF8(name, "\uFFFD") {
				t.Errorf("%q came back as %q", name, plain(p.value))
			}
		}
	}
}
