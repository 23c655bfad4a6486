package logfile_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf16"

	"parley/calls/logfile"
	"parley/platform/fault"
)

const good = "+919812300111,Incoming,2026-03-02 10:11:12,80\n"
const head = "Number,Type,Start time,Duration\n"

// refused opens and reads a file and gives the sentence that ends it.
func refused(t *testing.T, name, data string, o logfile.Options) (lines []string, sentence string) {
	t.Helper()
	r, err := openBytes(t, name, []byte(data), o)
	if err == nil {
		lines, err = readAll(t, r)
	}
	if err == nil {
		return lines, ""
	}
	if fault.KindOf(err) == fault.Internal {
		t.Errorf("the refusal %v has no sentence of its own", err)
	}
	return lines, fault.Sentence(err)
}

func TestFilesThatAreRefusedWhole(t *testing.T) {
	deep := "<calls>" + strings.Repeat("<a>", 100)
	jsonDeep := `[{"number":"1","date":"1","type":` + strings.Repeat("[", 20_000)
	for _, c := range []struct{ name, data, want string }{
		{"empty", "", "is empty"},
		{"blanks", " \n \n", "blanks"},
		{"entity bomb", `<?xml version="1.0"?><!DOCTYPE calls [<!ENTITY a "aaaa">]><calls><call number="&a;" date="1" type="1"/></calls>`, "document type"},
		{"deep XML", deep, "deep"},
		{"deep JSON", jsonDeep, "damaged"},
		{"long JSON", `[{"number":"1","date":"1775015400000","type":"1"},{"number":"` + strings.Repeat("9", 2<<20) + `","date":"1","type":"1"}]`, "1 MB"},
		{"cut XML", `<calls><call number="1" date="1775015400000" type="1" duration="1"/><call numb`, "in the middle of call 2"},
		{"cut XML between", `<calls><call number="1" date="1775015400000" type="1"/>`, "cut off. Export the file again."},
		{"cut JSON", `[{"number":"1","date":"1775015400000","type":"1"},{"number`, "in the middle of call 2"},
		{"other XML", `<rss><item/></rss>`, "XML without calls"},
		{"unknown encoding", `<?xml version="1.0" encoding="windows-1251"?><calls><call/></calls>`, "UTF-8"},
		{"unopened", `<calls></calls></calls><call/>`, "never opened"},
		{"other JSON", `{"messages":[]}`, "no calls"},
		{"PDF", "%PDF-1.7 ...", "PDF"},
		{"old Excel", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ".xls"},
		{"noise", strings.Repeat("\x00\x01\x02\x03abc", 50), "not text"},
		{"two numbers", "Number,Type,Start time,Number\n" + good, "two columns \"Number\""},
		{"no number", "Colour,Start time,Type\nred,2026-03-02 10:11:12,Incoming\n", "phone number"},
		{"no direction", "Number,Start time\n+919812300111,2026-03-02 10:11:12\n", "came in or went out"},
		{"no time", "Number,Type\n+919812300111,Incoming\n", "time of the call"},
		{"either order", "Number,Type,Start time\n+919812300111,Incoming,03/04/2026 10:11\n", "day-first or month-first"},
		{"both orders", "Number,Type,Start time\n1234567,Incoming,13/04/2026 10:11\n1234567,Incoming,04/13/2026 10:11\n", "day-first or month-first"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, got := refused(t, "x", c.data, india(t)); !strings.Contains(got, c.want) {
				t.Errorf("got %q, want something about %q", got, c.want)
			}
		})
	}
}

func TestRowsAreRefusedOneByOne(t *testing.T) {
	long := strings.Repeat("x", 3<<20)
	for _, c := range []struct{ name, row, want string }{
		{"stray quote", `"+919812300111" x,Incoming,2026-03-02 10:11:12,80` + "\n", "quotation mark in the wrong place"},
		{"open quote", `"+919812300111,Incoming,2026-03-02 10:11:12,80` + "\n", "never closed"},
		{"long line", long + "\n", "256 KB"},
		{"long open quote", `"` + long + "\n", "256 KB"},
		{"too wide", "+919812300111,Incoming,2026-03-02 10:11:12,80,Mumbai\n", "5 cells"},
		{"NUL", "+9198123\x0000111,Incoming,2026-03-02 10:11:12,80\n", "NUL"},
		{"no date", "+919812300111,Incoming,soon,80\n", "no date and time"},
		{"31 February", "+919812300111,Incoming,2026-02-31 10:11:12,80\n", "no such date"},
		{"negative", "+919812300111,Incoming,2026-03-02 10:11:12,-80\n", "less than nothing"},
		{"hours", "+919812300111,Incoming,2026-03-02 10:11:12,500000\n", "more than a day"},
		{"rounded", "9.198E+11,Incoming,2026-03-02 10:11:12,80\n", "last digits are lost"},
		{"short", "+919812300111\n", "It is empty"},
	} {
		t.Run(c.name, func(t *testing.T) {
			lines, sentence := refused(t, "x.csv", head+good+c.row+good, india(t))
			if c.name == "open quote" || c.name == "long open quote" {
				// Nothing closes it to the end of the file; only that line is lost.
				if len(lines) != 3 {
					t.Fatalf("read %v, %s", lines, sentence)
				}
			}
			if sentence != "" || len(lines) != 3 || !strings.HasPrefix(lines[1], "3 refused") || !strings.Contains(lines[1], c.want) || !strings.HasPrefix(lines[2], "4 ") {
				t.Errorf("read %v, %s; want three lines, the second about %q", lines, sentence, c.want)
			}
		})
	}
}

func TestADamagedCallInXMLCostsOnlyItself(t *testing.T) {
	one := `<call number="+919812300111" duration="1" date="1775015400000" type="1" />`
	for _, bad := range []string{
		`<call number="+9198 duration="1 date="1775015400000 type="1 />`, `<call number="x" date="soon" type="1"/>`, `<call number="x" date="1" duration="-4" type="1"/>`,
		`<call number="` + strings.Repeat("9", 1<<20) + `" date="1" type="1"/>`, `<call/>`,
	} {
		lines, sentence := refused(t, "calls.xml", "<calls>\n"+one+bad+one+"</calls>", india(t))
		if sentence != "" || len(lines) != 3 || !strings.Contains(lines[1], "refused") {
			t.Errorf("%.60s: read %v, %s", bad, lines, sentence)
		}
	}
}

func TestLinesOfJSONThatAreNoCalls(t *testing.T) {
	one := `{"number":"+919812300111","date":"1775015400000","type":"1","duration":"3"}` + "\n"
	for _, bad := range []string{"{\n", "7\n", `{"number":{"a":1},"date":"1","type":"1"}` + "\n", "{}\n", "\x00\n", strings.Repeat("x", 1<<20) + "\n"} {
		lines, sentence := refused(t, "calls.ndjson", one+bad+one, india(t))
		if sentence != "" || len(lines) != 3 || !strings.Contains(lines[1], "2 refused") {
			t.Errorf("%.40q: read %v, %s", bad, lines, sentence)
		}
	}
	lines, sentence := refused(t, "calls.json", "["+one+`,{"number":["x"],"date":"1","type":"2"},5,`+one+"]", india(t))
	if sentence != "" || len(lines) != 4 {
		t.Errorf("a list with two bad entries gave %v, %s", lines, sentence)
	}
}

func TestEncodings(t *testing.T) {
	table := "Number;Type;Start time;Duration;Name\n+919812300111;Incoming;2026-03-02 10:11:12;80;Jürgen – Köln\n"
	wide := func(o binary.ByteOrder, mark bool) string {
		var b bytes.Buffer
		if mark {
			must(t, binary.Write(&b, o, uint16(0xfeff)))
		}
		must(t, binary.Write(&b, o, utf16.Encode([]rune(table))))
		return b.String()
	}
	latin := strings.NewReplacer("ü", "\xfc", "ö", "\xf6", "–", "\x96").Replace(table)
	for name, data := range map[string]string{
		"utf-8": table, "mark": "\ufeff" + table, "16le": wide(binary.LittleEndian, true), "16be": wide(binary.BigEndian, true),
		"16le bare": wide(binary.LittleEndian, false), "16be bare": wide(binary.BigEndian, false), "1252": latin, "old Mac": strings.ReplaceAll(table, "\n", "\r"),
		"sep": "sep=;\r\n" + table,
	} {
		lines, sentence := refused(t, "x.csv", data, india(t))
		if sentence != "" || len(lines) != 1 || !strings.Contains(lines[0], "Jürgen – Köln") {
			t.Errorf("%s: read %q, %s", name, lines, sentence)
		}
	}
	xml := `<?xml version="1.0" encoding="UTF-16"?><calls><call number="1234567" date="1775015400000" type="1" contact_name="Jürgen"/></calls>`
	var b bytes.Buffer
	must(t, binary.Write(&b, binary.LittleEndian, utf16.Encode([]rune("\ufeff"+xml))))
	if lines, sentence := refused(t, "x.xml", b.String(), india(t)); len(lines) != 1 || !strings.Contains(lines[0], "Jürgen") {
		t.Errorf("UTF-16 XML: %v, %s", lines, sentence)
	}
}

func TestZipsThatAttack(t *testing.T) {
	bomb := `<calls>` + strings.Repeat(" ", 64<<20) + `</calls>`
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"directory of many bytes", directory(10, 1<<31, 0), "more than 150000 files"},
		{"zip64", directory(0xffff, 0, 1<<40), "more than 150000 files"},
		{"bomb", parts(t, "calls.xml", bomb), "far more than such a file"},
		{"nested", parts(t, "calls.zip", "x"), "another zip"},
		{"nothing", parts(t, "photo.jpg", "x"), "no call log"},
		{"cut", parts(t, "calls.xml", "<calls></calls>")[:40], "cut off"},
		{"text sheet", parts(t, "xl/workbook.xml", "<workbook/>"), "missing"},
		{"book bomb", parts(t, "xl/workbook.xml", bookXML, "xl/_rels/workbook.xml.rels", relsXML, "xl/worksheets/sheet1.xml", bomb), "far more"},
	} {
		if _, got := refused(t, "x.zip", string(c.data), india(t)); !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want something about %q", c.name, got, c.want)
		}
	}
	if _, got := refused(t, "x.zip", string(encrypted(t)), india(t)); !strings.Contains(got, "encrypted") {
		t.Errorf("encrypted: got %q", got)
	}
}

// directory is the end of a zip that claims so many files and bytes of directory, and in its 64-bit record so many files.
func directory(files uint16, size uint32, files64 uint64) []byte {
	out := []byte("PK\x05\x06                    ")
	var big [76]byte
	copy(big[:], "PK\x06\x06")
	binary.LittleEndian.PutUint64(big[32:], files64)
	if files64 > 0 {
		copy(big[56:], "PK\x06\x07")
		binary.LittleEndian.PutUint64(big[64:], 4)
	}
	end := make([]byte, 22)
	copy(end, "PK\x05\x06")
	binary.LittleEndian.PutUint16(end[10:], files)
	binary.LittleEndian.PutUint32(end[12:], size)
	return append(append(out[:4], big[:]...), end...)
}

func encrypted(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.CreateRaw(&zip.FileHeader{Name: "calls.xml", Flags: 1, CompressedSize64: 3, UncompressedSize64: 3})
	must(t, err)
	_, err = io.WriteString(w, "abc")
	must(t, err)
	must(t, z.Close())
	return b.Bytes()
}

func TestTooManySharedTextsAreRefused(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 70 MB of texts")
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	write := func(name string, text ...string) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		must(t, err)
		for _, s := range text {
			_, err := io.WriteString(w, s)
			must(t, err)
		}
	}
	write("xl/workbook.xml", bookXML)
	write("xl/_rels/workbook.xml.rels", relsXML)
	write("xl/worksheets/sheet1.xml", `<worksheet><sheetData><row r="1"><c t="s"><v>2199</v></c></row></sheetData></worksheet>`)
	texts := make([]string, 2200)
	for i := range texts {
		texts[i] = fmt.Sprintf("<si><t>%032700d</t></si>", i)
	}
	write("xl/sharedStrings.xml", append([]string{"<sst>"}, append(texts, "</sst>")...)...)
	must(t, z.Close())
	if _, got := refused(t, "x.xlsx", b.String(), india(t)); !strings.Contains(got, "64 MB of different texts") {
		t.Errorf("got %q", got)
	}
}

func TestCharactersSplitBetweenReadsStayWhole(t *testing.T) {
	for shift := range 5 {
		name := strings.Repeat("x", shift) + strings.Repeat("मीरा😀", 3750)
		data := "Number,Type,Start time,Name\n+919812300111,Incoming,2026-03-02 10:11:12," + name + "\n"
		r, err := openBytes(t, "x.csv", []byte(data), india(t))
		must(t, err)
		rec, err := r.Next()
		must(t, err)
		if rec.Name != name {
			t.Errorf("shifted by %d the name came out as %d bytes of %d", shift, len(rec.Name), len(name))
		}
		must(t, r.Close())
	}
}
