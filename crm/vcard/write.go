package vcard

import (
	"bufio"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Version is the version that cards are written in.
type Version string

// The versions.
const (
	V3 Version = "3.0"
	V4 Version = "4.0"
)

// foldAt is the longest line in bytes, without its end (RFC 6350, 3.2).
const foldAt = 75

// Writer writes cards one after the other.
type Writer struct {
	w       *bufio.Writer
	version Version
	groups  int // own labels of the card at hand
}

// NewWriter begins a file of cards.
func NewWriter(w io.Writer, v Version) *Writer { return &Writer{w: bufio.NewWriter(w), version: v} }

// Flush writes what is not written yet.
func (w *Writer) Flush() error { return w.w.Flush() }

// Write writes a card. What is empty is left out. An error of writing is told by Flush at the latest.
func (w *Writer) Write(c *Card) error {
	w.groups = 0
	w.line("BEGIN:VCARD")
	w.line("VERSION:" + string(w.version))
	w.line("FN:" + escape(c.Name()))
	if w.version == V3 || joined("", c.Last, c.First, c.Middle, c.Prefix, c.Suffix) != "" {
		w.line("N:" + structured(c.Last, c.First, c.Middle, c.Prefix, c.Suffix))
	}
	if c.Company != "" || len(c.Units) > 0 {
		w.line("ORG:" + structured(append([]string{c.Company}, c.Units...)...))
	}
	w.text("TITLE", c.Title)
	for i, t := range c.Phones {
		w.typed("TEL", t.Label, i == 0 && len(c.Phones) > 1, escape(t.Text), "home", "work", labelMobile, "fax", "pager")
	}
	for i, t := range c.Emails {
		w.typed("EMAIL", t.Label, i == 0 && len(c.Emails) > 1, escape(t.Text), "home", "work")
	}
	for i, a := range c.Addresses {
		w.typed("ADR", a.Label, i == 0 && len(c.Addresses) > 1, structured("", "", a.Street, a.City, a.State, a.Postcode, a.Country), "home", "work")
	}
	for _, n := range c.Notes {
		w.text("NOTE", n)
	}
	if len(c.Categories) > 0 {
		all := make([]string, len(c.Categories))
		for i, t := range c.Categories {
			all[i] = escape(t)
		}
		w.line("CATEGORIES:" + strings.Join(all, ","))
	}
	w.rest(c)
	return w.line("END:VCARD")
}

// rest writes what the versions write differently, and the properties of others.
func (w *Writer) rest(c *Card) {
	lang, photo := "LANG", "PHOTO:"
	if w.version == V3 {
		lang, photo = "X-LANG", "PHOTO;VALUE=uri:"
	}
	if c.Photo != "" {
		w.line(photo + c.Photo)
	}
	w.text(lang, c.Language)
	for _, p := range c.Extra {
		w.text(p.Name, p.Text)
	}
}

func (w *Writer) text(name, text string) {
	if text != "" {
		w.line(name + ":" + escape(text))
	}
}

// typed writes a property with what it is for: as a TYPE where the versions have the word, else as a label of the person's
// own, in the way that phones of Apple began and others read.
func (w *Writer) typed(name, label string, preferred bool, value string, known ...string) {
	own, params := label, ""
	for _, k := range known {
		if label != k {
			continue
		}
		own = ""
		if k == labelMobile {
			k = typeCell
		}
		params = ";TYPE=" + k
	}
	switch {
	case preferred && w.version == V4:
		params += ";PREF=1"
	case preferred && params != "":
		params += ",pref"
	case preferred:
		params = ";TYPE=pref"
	}
	if own == "" {
		w.line(name + params + ":" + value)
		return
	}
	w.groups++
	group := "item" + strconv.Itoa(w.groups) + "."
	w.line(group + name + params + ":" + value)
	w.line(group + "X-ABLabel:" + escape(own))
}

// line writes a line, folded where it is too long, never within a character.
func (w *Writer) line(text string) error {
	room := foldAt
	for len(text) > room {
		n := room
		for n > 0 && !utf8.RuneStart(text[n]) {
			n--
		}
		if n == 0 { // no character begins: bytes that are no text
			n = room
		}
		w.w.WriteString(text[:n])
		w.w.WriteString("\r\n ")
		text, room = text[n:], foldAt-1
	}
	w.w.WriteString(text)
	_, err := w.w.WriteString("\r\n")
	return err
}

func structured(parts ...string) string {
	all := make([]string, len(parts))
	for i, p := range parts {
		all[i] = escape(p)
	}
	return strings.Join(all, ";")
}

// escape writes a text as a value.
func escape(text string) string {
	return strings.NewReplacer(`\`, `\\`, ",", `\,`, ";", `\;`, "\r\n", `\n`, "\n", `\n`, "\r", "").Replace(text)
}
