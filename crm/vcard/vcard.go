// Package vcard reads and writes electronic business cards: vCard 3.0 (RFC 2426) and 4.0 (RFC 6350). It reads 2.1 and what
// phones make of all three, too. It is about the format alone and knows nothing of contacts.
package vcard

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Card is one person as a card tells it. Texts are UTF-8 without control characters; only notes have several lines.
type Card struct {
	Formatted                           string // FN: the whole name
	Last, First, Middle, Prefix, Suffix string // N
	Company                             string // ORG, with Units below it
	Units                               []string
	Title                               string
	Phones, Emails                      []Typed // the preferred one first
	Addresses                           []Address
	Notes                               []string
	Categories                          []string
	Photo                               string // address on the web; pictures within the card are dropped
	Language                            string // LANG of 4.0, X-LANG of 3.0
	Extra                               []Property
	Dropped                             int // pictures, sounds and keys within the card that were left out
}

// Typed is a number or an address with what it is for: "mobile", "work", "home", "fax", "pager", or the person's own word.
type Typed struct {
	Label, Text string
}

// Address is a place.
type Address struct {
	Label                                  string
	Street, City, State, Postcode, Country string
}

// Property is one that this package gives no meaning to: its name begins with X-.
type Property struct {
	Name, Text string
}

// Name is what the person is called: the whole name, else its parts, else the company, the first number or address.
func (c *Card) Name() string {
	if c.Formatted != "" {
		return c.Formatted
	}
	if name := joined(" ", c.Prefix, c.First, c.Middle, c.Last, c.Suffix); name != "" {
		return name
	}
	switch {
	case c.Company != "":
		return c.Company
	case len(c.Phones) > 0:
		return c.Phones[0].Text
	case len(c.Emails) > 0:
		return c.Emails[0].Text
	default:
		return ""
	}
}

// joined puts texts that are not empty one after the other.
func joined(sep string, texts ...string) string {
	var kept []string
	for _, t := range texts {
		if t != "" {
			kept = append(kept, t)
		}
	}
	return strings.Join(kept, sep)
}

// Words of TYPE that say what a number or address is for, and the label that stands for each.
const (
	labelMobile = "mobile"
	typeCell    = "cell"
)

// typeLabel is the label of a word of TYPE; "" for a word that says something else, such as voice or internet.
func typeLabel(word string) string {
	switch w := strings.ToLower(oneLine(word)); w {
	case typeCell, "iphone", labelMobile:
		return labelMobile
	case "home", "work", "fax", "pager", "car", "main", "other":
		return w
	case "pref", "voice", "text", "msg", "internet", "x400", "video", "textphone", "intl", "dom", "postal", "parcel", "bbs", "modem", "isdn", "pcs", "":
		return ""
	default:
		return ownLabel(strings.TrimPrefix(w, "x-"))
	}
}

// labelOf picks the label of several words of TYPE: a fax at work is a fax, a mobile phone of the company is a mobile.
func labelOf(types []string) string {
	best := ""
	for _, t := range types {
		switch l := typeLabel(t); {
		case l == "fax", l == labelMobile && best != "fax":
			best = l
		case best == "":
			best = l
		}
	}
	return best
}

// ownLabel is a label that the person chose; phones of Apple write theirs as _$!<Mobile>!$_.
func ownLabel(text string) string {
	text = oneLine(text)
	for strings.HasPrefix(text, "_$!<") && strings.HasSuffix(text, ">!$_") && len(text) >= 8 {
		text = oneLine(strings.ToLower(text[4 : len(text)-4]))
	}
	if text == typeCell {
		return labelMobile
	}
	return text
}

// clean drops what no text of a card has: control characters but line breaks, and marks of the byte order.
func clean(text string) string {
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "")
	}
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	text = strings.Map(func(r rune) rune {
		if r == '\ufeff' || r != '\n' && unicode.IsControl(r) {
			if r == '\t' {
				return ' '
			}
			return -1
		}
		return r
	}, text)
	return strings.TrimSpace(text)
}

// oneLine is clean for texts of one line.
func oneLine(text string) string {
	text = clean(text)
	if strings.Contains(text, "\n") {
		text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' }), " ")
	}
	return strings.TrimSpace(text)
}
