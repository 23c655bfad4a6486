package vcard_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"parley/crm/vcard"
	"parley/platform/sheet"
)

// read gives all cards of a file, and the sentences about those that were refused.
func read(t testing.TB, file []byte) (cards []*vcard.Card, refused []*sheet.RowError) {
	t.Helper()
	r := vcard.NewReader(bytes.NewReader(file))
	for {
		c, err := r.Next()
		bad, refuses := errors.AsType[*sheet.RowError](err)
		switch {
		case err == io.EOF:
			return cards, refused
		case refuses:
			refused = append(refused, bad)
		case err != nil:
			t.Fatal(err)
		default:
			cards = append(cards, c)
		}
	}
}

func file(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestCardsOfPhonesAreRead(t *testing.T) {
	for name, want := range map[string][]*vcard.Card{
		"ios.vcf": {{
			Formatted: "Dr. Meera K. Sharma", Last: "Sharma", First: "Meera", Middle: "K.", Prefix: "Dr.", Company: "Sharma Textiles", Units: []string{"Export"}, Title: "Owner",
			Phones:     []vcard.Typed{{"mobile", "+91 98123 00001"}, {"work", "+91 22 6620 0101"}, {"other", "0800 100 200"}},
			Emails:     []vcard.Typed{{"home", "meera@example.com"}, {"Site office", "shop@example.com"}},
			Addresses:  []vcard.Address{{Label: "work", Street: "12, MG Road", City: "Mumbai", State: "Maharashtra", Postcode: "400001", Country: "India"}},
			Notes:      []string{"Met at the fair.\nWants samples; call after Diwali."},
			Categories: []string{"Customers", "VIP, gold"}, Dropped: 1,
			Extra: []vcard.Property{{"X-ABADR", "in"}, {"X-SOCIALPROFILE", "https://twitter.example/meera"}},
		}},
		"android21.vcf": {{
			Formatted: "रवि शर्मा", Last: "शर्मा", First: "रवि", Title: "Dyrektor sprzedaży",
			Phones: []vcard.Typed{{"mobile", "+919812300002"}, {"fax", "02266200102"}}, Emails: []vcard.Typed{{"home", "ravi@example.com"}},
			Notes: []string{"first line\nsecond line, which is long enough to be folded softly"}, Dropped: 1,
		}},
		"four.vcf": {{
			Formatted: "محمد علي 🎉", Last: "علي", First: "محمد", Photo: "https://example.com/p.jpg", Language: "ur", Dropped: 1, Categories: []string{"Prospect"},
			Phones: []vcard.Typed{{"mobile", "+91-98123-00003"}, {"home", "+912266200103"}}, Emails: []vcard.Typed{{"work", "m.ali@example.com"}},
			Addresses: []vcard.Address{{Label: "home", Street: "12 Hill Road", City: "Pune", State: "MH", Postcode: "411001", Country: "IN"}},
			Extra:     []vcard.Property{{"X-PARLEY-BUDGET", "50000"}},
		}, {Formatted: "Acme", Company: "Acme"}},
	} {
		got, refused := read(t, file(t, name))
		if len(refused) > 0 || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", name, refused, got, want)
		}
	}
}

func TestEncodingsAndLineEnds(t *testing.T) {
	text := "BEGIN:VCARD\nVERSION:3.0\nFN:रवि\n  शर्मा\nTEL:+919812300004\nEND:VCARD\n"
	wide := []byte{0xff, 0xfe}
	for _, r := range text {
		wide = append(wide, byte(r), byte(r>>8))
	}
	for name, data := range map[string][]byte{
		"UTF-8 with a mark": append([]byte("\xef\xbb\xbf"), text...), "UTF-16": wide, "old Mac": []byte(strings.ReplaceAll(text, "\n", "\r")), "Windows": []byte(strings.ReplaceAll(text, "\n", "\r\n")),
		"lower case": []byte(strings.NewReplacer("BEGIN:VCARD", "begin:vcard", "END:VCARD", "end:vcard ", "TEL", "tel").Replace(text)),
	} {
		got, refused := read(t, data)
		if len(refused) > 0 || len(got) != 1 || got[0].Formatted != "रवि शर्मा" || len(got[0].Phones) != 1 {
			t.Errorf("%s: %+v %v", name, got, refused)
		}
	}
	if got, _ := read(t, []byte("BEGIN:VCARD\nFN:Andr\xe9\nEND:VCARD")); len(got) != 1 || got[0].Formatted != "André" {
		t.Errorf("Windows-1252: %+v", got)
	}
}

func TestOneBadCardDoesNotSpoilTheOthers(t *testing.T) {
	good := "BEGIN:VCARD\nFN:Good\nEND:VCARD\n"
	for name, bad := range map[string]string{
		"without an end": "BEGIN:VCARD\nFN:Cut\n", "a long note": "BEGIN:VCARD\nNOTE:" + strings.Repeat("x", 70<<10) + "\nEND:VCARD\n",
		"crowded": "BEGIN:VCARD\n" + strings.Repeat("TEL:1\n", 1002) + "END:VCARD\n",
	} {
		got, refused := read(t, []byte(good+bad+good))
		if len(got) != 2 || len(refused) != 1 || refused[0].Row != 2 || !strings.HasSuffix(refused[0].Sentence, ".") {
			t.Errorf("%s: %d cards, refused %v", name, len(got), refused)
		}
	}
	r := vcard.NewReader(strings.NewReader(good + "BEGIN:VCARD\nFN:Cut"))
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(); err != io.ErrUnexpectedEOF {
		t.Errorf("a file that breaks off: %v", err)
	}
}

func TestWrittenCardsAreFoldedAndReadAgain(t *testing.T) {
	c := &vcard.Card{
		Formatted: "Dr. मीरा शर्मा", First: "मीरा", Last: "शर्मा", Prefix: "Dr.", Company: "A; B, C \\ D", Units: []string{"Sales"}, Title: strings.Repeat("बहुत लंबा ", 20) + "x",
		Phones: []vcard.Typed{{"mobile", "+919812300001"}, {"Site office", "+912266200101"}, {"", "110"}}, Emails: []vcard.Typed{{"work", "m@example.com"}},
		Addresses: []vcard.Address{{Label: "home", Street: "1; a, b", City: "Pune", Country: "IN"}}, Notes: []string{"one\ntwo: three"}, Categories: []string{"a,b", "c"},
		Photo: "https://example.com/" + strings.Repeat("p", 100), Language: "hi", Extra: []vcard.Property{{"X-PARLEY-BUDGET", "5"}},
	}
	for _, v := range []vcard.Version{vcard.V3, vcard.V4} {
		var b bytes.Buffer
		w := vcard.NewWriter(&b, v)
		if err := errors.Join(w.Write(c), w.Write(&vcard.Card{Company: "Acme"}), w.Flush()); err != nil {
			t.Fatal(err)
		}
		for line := range strings.SplitSeq(strings.TrimSuffix(b.String(), "\r\n"), "\r\n") {
			if len(line) > 75 || !utf8.ValidString(line) {
				t.Errorf("%s: a line of %d bytes: %q", v, len(line), line)
			}
		}
		got, refused := read(t, b.Bytes())
		if len(refused) > 0 || len(got) != 2 || !reflect.DeepEqual(got[0], c) {
			t.Errorf("%s: %v\n got %+v\nwant %+v\n%s", v, refused, got, c, b.String())
		}
	}
}

// FuzzReader: whatever a stranger sends is read without harm, and what was read is the same after it is written.
func FuzzReader(f *testing.F) {
	for _, name := range []string{"ios.vcf", "android21.vcf", "four.vcf"} {
		f.Add(file(f, name))
	}
	f.Add([]byte("BEGIN:VCARD\r\nitem1.TEL;TYPE=\"cell,pref:1\r\nitem1.X-ABLabel:cell\r\nN:;\\;;a,b\r\nNOTE;QUOTED-PRINTABLE:a=\r\n=0D=\r\nEND:VCARD"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := vcard.NewReader(bytes.NewReader(data))
		for n := 0; ; n++ {
			c, err := r.Next()
			if _, bad := errors.AsType[*sheet.RowError](err); bad {
				continue
			}
			if err != nil {
				return
			}
			if n > len(data) {
				t.Fatal("more cards than bytes")
			}
			same(t, c)
		}
	})
}

// same fails when a card that was read is another one after it is written and read again.
func same(t *testing.T, c *vcard.Card) {
	t.Helper()
	c.Dropped, c.Formatted = 0, c.Name()
	for _, v := range []vcard.Version{vcard.V3, vcard.V4} {
		var b bytes.Buffer
		w := vcard.NewWriter(&b, v)
		if err := errors.Join(w.Write(c), w.Flush()); err != nil {
			t.Fatal(err)
		}
		got, refused := read(t, b.Bytes())
		if len(refused) == 1 && len(got) == 0 && b.Len() > 64<<10 {
			return // longer by its escapes than what is read
		}
		if len(refused) > 0 || len(got) != 1 || !reflect.DeepEqual(got[0], c) {
			t.Fatalf("%s: %v\n got %+v\nwant %+v\n%q", v, refused, got, c, b.String())
		}
	}
}

func TestManyCardsTakeLittleMemory(t *testing.T) {
	const cards = 20_000
	pr, pw := io.Pipe()
	go func() {
		photo := strings.Repeat("QUJD", 25<<10)
		for i := range cards {
			picture := ""
			if i%1000 == 0 {
				picture = "PHOTO;ENCODING=b:" + photo + "\r\n"
			}
			fmt.Fprintf(pw, "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Person %d\r\nTEL;TYPE=CELL:+9198%08d\r\n%sEND:VCARD\r\n", i, i, picture)
		}
		pw.Close()
	}()
	r := vcard.NewReader(pr)
	var peak, m runtime.MemStats
	n, dropped := 0, 0
	for {
		c, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if n++; n%5000 == 0 {
			runtime.GC()
			if runtime.ReadMemStats(&m); m.HeapAlloc > peak.HeapAlloc {
				peak = m
			}
		}
		dropped += c.Dropped
	}
	if n != cards || dropped != cards/1000 || peak.HeapAlloc > 16<<20 {
		t.Errorf("%d cards, %d pictures dropped, %d MB of memory", n, dropped, peak.HeapAlloc>>20)
	}
}
