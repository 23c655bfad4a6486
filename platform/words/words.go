// Package words cuts what people write into words, and finds texts that lie sealed by the beginnings of their words, in a blind
// index: without the key of the index nobody can tell which words are there.
package words

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"parley/platform/db"
	"parley/platform/vault"
)

const (
	// IndexBytes is how long a word is in the index.
	IndexBytes = 10
	// MostQuery is how many words of a query count.
	MostQuery = 5

	partBytes     = 2
	mostOfText    = 2000 // words by which one text is found; a note of 10,000 characters has some 600 in English
	fewestLetters = 2    // of a word of a query
)

// beginnings are the lengths, in characters, of the beginnings by which words are found. A search for a length between looks at
// what the next shorter one finds.
func beginnings() [4]int { return [4]int{2, 3, 5, 8} }

// Fold makes texts alike that people take for the same: capitals, widths, accents of Latin, Greek and Cyrillic letters, and
// the points of Arabic, Hebrew and Indic scripts that many leave out. Vowel signs stay.
func Fold(text string) string {
	return strings.ToLower(norm.NFKC.String(strings.Map(func(r rune) rune {
		switch {
		case r >= 0x0300 && r <= 0x036f, // accents
			r >= 0x0591 && r <= 0x05c7 && unicode.Is(unicode.Mn, r), // Hebrew points
			r >= 0x064b && r <= 0x065f, r == 0x0670, r == 0x0640,    // Arabic vowels, and the stroke that stretches
			r == 0x093c, r == 0x09bc, r == 0x0a3c, r == 0x0abc, // dots below Indic letters
			unicode.Is(unicode.Cf, r), r == 0xfe0e, r == 0xfe0f: // joiners, directions, and how emoji look
			return -1
		default:
			return r
		}
	}, norm.NFKD.String(text))))
}

// Of cuts a text into folded words. Emoji are letters.
func Of(text string) []string {
	return strings.FieldsFunc(Fold(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r) && !unicode.Is(unicode.So, r)
	})
}

// OfNote are the words that a longer text is found by, sorted, each once.
func OfNote(text string) []string {
	all := Of(text)
	slices.Sort(all)
	all = slices.Compact(all)
	return all[:min(len(all), mostOfText)]
}

// OfQuery are the words by which somebody looks for longer texts. Single letters would find nearly all of them.
func OfQuery(text string) []string {
	all := slices.DeleteFunc(Of(text), func(w string) bool { return utf8.RuneCountInString(w) < fewestLetters })
	return all[:min(len(all), MostQuery)]
}

// HasAll tells whether every word of a query begins one of the words.
func HasAll(all, query []string) bool {
	for _, q := range query {
		if !slices.ContainsFunc(all, func(w string) bool { return strings.HasPrefix(w, q) }) {
			return false
		}
	}
	return true
}

// Index is a word in the index that a label names: one part for each of its beginnings and one for the whole, of 2 bytes each.
func Index(k *vault.OrgKeys, label, word string) []byte {
	out := make([]byte, 0, IndexBytes)
	runes := []rune(word)
	for _, n := range beginnings() {
		part := word + "|" // shorter than the beginning
		if n <= len(runes) {
			part = string(runes[:n])
		}
		out = append(out, k.Index(label, part)[:partBytes]...)
	}
	return append(out, k.Index(label, word+"|")[:partBytes]...)
}

// Beginning is the longest part of the index of a word of a query that words which begin like it share; the whole where it is too
// short for one.
func Beginning(k *vault.OrgKeys, label, word string) []byte {
	idx, runes := Index(k, label, word), utf8.RuneCountInString(word)
	n := 0
	for _, b := range beginnings() {
		if b <= runes {
			n += partBytes
		}
	}
	if n == 0 {
		return idx
	}
	return idx[:n]
}

// Around gives the lowest and the highest index that begin with a part.
func Around(part []byte) (first, last []byte) {
	fill := IndexBytes - len(part)
	return append(slices.Clone(part), make([]byte, fill)...), append(slices.Clone(part), bytes.Repeat([]byte{0xff}, fill)...)
}

// Count counts the rows that a query gives, as far as it matters: up to most.
func Count(ctx context.Context, c db.Conn, most int, query string, args ...any) (n int, err error) {
	return n, c.Row(ctx, fmt.Sprintf(`SELECT count(*) FROM (%s LIMIT %d) counted`, query, most), args...).Scan(&n)
}

// Rarest tells which word of a query the fewest rows of a table (org_id, idx, …) have or begin with, and how many, up to most;
// 0 where a word of the query has none.
func Rarest(ctx context.Context, c db.Conn, k *vault.OrgKeys, table, label string, org int64, query []string, most int) (at, rows int, err error) {
	rows = most + 1
	for i, w := range query {
		first, last := Around(Beginning(k, label, w))
		n, err := Count(ctx, c, most, `SELECT 1 FROM `+table+` WHERE org_id = $1 AND idx >= $2 AND idx <= $3`, org, first, last)
		if err != nil || n == 0 {
			return i, 0, err
		}
		if n < rows {
			at, rows = i, n
		}
	}
	return at, rows, nil
}
