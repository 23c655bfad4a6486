package followup

import (
	"bytes"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"parley/account"
	"parley/crm/contact"
)

const (
	// lineOctets is how long a line of a calendar may be, without its end (RFC 5545, section 3.1).
	lineOctets = 75
	// entryLength is how much time a calendar gives to something that has no length.
	entryLength = "PT15M"
	icsTime     = "20060102T150405Z"
	icsDay      = "20060102"
)

// calendar writes follow-ups in the form of RFC 5545.
type calendar struct {
	b       bytes.Buffer
	org     *account.Org
	speech  Speech
	details bool // names, numbers and words, not initials alone
}

func (c *calendar) begin() {
	c.line("BEGIN", "VCALENDAR")
	c.line("VERSION", "2.0")
	c.line("PRODID", "-//Parley//Follow-ups//EN")
	c.line("CALSCALE", "GREGORIAN")
	c.line("METHOD", "PUBLISH")
	c.line("X-WR-CALNAME", icsText(c.speech.Name))
	c.line("X-WR-TIMEZONE", c.org.Zone)
	c.line("REFRESH-INTERVAL;VALUE=DURATION", "PT15M")
}

func (c *calendar) end() []byte {
	c.line("END", "VCALENDAR")
	return c.b.Bytes()
}

// entry writes one follow-up. who is nil when nobody may be named.
func (c *calendar) entry(f *FollowUp, who *contact.Contact) {
	c.line("BEGIN", "VEVENT")
	c.line("UID", string(f.ID)+"@parley")
	c.line("DTSTAMP", f.Changed.UTC().Format(icsTime))
	c.line("LAST-MODIFIED", f.Changed.UTC().Format(icsTime))
	c.line("CREATED", f.Made.UTC().Format(icsTime))
	c.line("SEQUENCE", strconv.FormatInt(f.Rev-1, 10))
	whole := f.AllDay && f.Snoozed.IsZero()
	if whole {
		y, m, d := f.Day.Date()
		day := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
		c.line("DTSTART;VALUE=DATE", day.Format(icsDay))
		c.line("DTEND;VALUE=DATE", day.AddDate(0, 0, 1).Format(icsDay))
		c.line("TRANSP", "TRANSPARENT")
	} else {
		c.line("DTSTART", f.At.UTC().Format(icsTime))
		c.line("DURATION", entryLength)
	}
	if f.State == Open {
		c.line("STATUS", "CONFIRMED")
	} else {
		c.line("STATUS", "CANCELLED")
	}
	summary := c.speech.Summary(f, c.named(who))
	c.line("SUMMARY", icsText(summary))
	if c.details && who != nil && c.speech.Words != nil {
		if text := c.speech.Words(f, numbersOf(who)); text != "" {
			c.line("DESCRIPTION", icsText(text))
		}
	}
	c.line("URL", c.speech.Base+Link(f.ID))
	c.line("CLASS", "PRIVATE")
	if f.State == Open {
		c.alarms(f, whole, summary)
	}
	c.line("END", "VEVENT")
}

// alarms are the reminders. Those of a whole day count from when working hours begin, so their instants are written out.
func (c *calendar) alarms(f *FollowUp, whole bool, summary string) {
	for _, m := range f.Reminders {
		c.line("BEGIN", "VALARM")
		c.line("ACTION", "DISPLAY")
		c.line("DESCRIPTION", icsText(summary))
		if whole {
			c.line("TRIGGER;VALUE=DATE-TIME", f.At.Add(-time.Duration(m)*time.Minute).UTC().Format(icsTime))
		} else {
			c.line("TRIGGER", "-PT"+strconv.Itoa(m)+"M")
		}
		c.line("END", "VALARM")
	}
}

// named is what a calendar says of a person.
func (c *calendar) named(who *contact.Contact) string {
	switch {
	case who == nil:
		return ""
	case c.details:
		return who.Name()
	default:
		p := &who.Person
		if name := strings.TrimSpace(p.First + " " + p.Last); name != "" {
			return initials(name)
		}
		return initials(p.Company)
	}
}

func numbersOf(who *contact.Contact) []string {
	out := make([]string, len(who.Person.Numbers))
	for i, n := range who.Person.Numbers {
		out[i] = n.Text
	}
	return out
}

// icsText escapes a text (RFC 5545, section 3.3.11). Other control characters than the end of a line have no place in one.
func icsText(s string) string {
	s = strings.NewReplacer("\\", "\\\\", ";", "\\;", ",", "\\,", "\r\n", "\\n", "\n", "\\n", "\r", "\\n").Replace(strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, s)
}

// line writes a line, folded where it is too long: never inside a character.
func (c *calendar) line(name, value string) {
	rest := name + ":" + value
	for room := lineOctets; len(rest) > room; room = lineOctets - 1 { // the blank that goes on counts, too
		cut := room
		for !utf8.RuneStart(rest[cut]) {
			cut--
		}
		c.b.WriteString(rest[:cut] + "\r\n ")
		rest = rest[cut:]
	}
	c.b.WriteString(rest + "\r\n")
}
