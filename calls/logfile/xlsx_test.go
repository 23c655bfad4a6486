package logfile_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"parley/calls/logfile"
	"parley/platform/fault"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// workbook writes a real workbook with titles above the header, dates as Excel keeps them, and a second sheet.
func workbook(t testing.TB) []byte {
	t.Helper()
	x := excelize.NewFile()
	defer x.Close()
	must(t, x.SetSheetName("Sheet1", "Notes"))
	must(t, x.SetCellValue("Notes", "A1", "Nothing here"))
	_, err := x.NewSheet("Calls")
	must(t, err)
	rows := [][]any{
		{"Calls of March"},
		{},
		{"Phone", "Call type", "Date", "Time", "Talk time", "Remarks"},
		{919812300111.0, "Incoming", time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC), 0.4244444444, 125, "first"},
		{"+912266200101", "Outgoing", time.Date(2026, 4, 3, 0, 0, 0, 0, time.UTC), 0.5, 0, nil},
		{"", "Missed", time.Date(2026, 4, 4, 0, 0, 0, 0, time.UTC), 0.75, 0, "withheld", "beside the table"},
	}
	for i, row := range rows {
		must(t, x.SetSheetRow("Calls", fmt.Sprintf("A%d", i+1), &row))
	}
	day, err := x.NewStyle(&excelize.Style{NumFmt: 14})
	must(t, err)
	format := "h:mm:ss"
	hour, err := x.NewStyle(&excelize.Style{CustomNumFmt: &format})
	must(t, err)
	must(t, x.SetCellStyle("Calls", "C4", "C6", day))
	must(t, x.SetCellStyle("Calls", "D4", "D6", hour))
	b, err := x.WriteToBuffer()
	must(t, err)
	return b.Bytes()
}

func TestAWorkbookIsReadAsExcelShowsIt(t *testing.T) {
	data := workbook(t)
	g, err := logfile.Detect(bytes.NewReader(data), int64(len(data)), "calls.xlsx")
	must(t, err)
	if got, want := fmt.Sprintln(g.Sheets, g.Mapping.Sheet, g.Missing), "[Notes Calls] Calls []\n"; got != want {
		t.Errorf("guessed %s, want %s", got, want)
	}
	r, err := openBytes(t, "calls.xlsx", data, india(t))
	must(t, err)
	lines, err := readAll(t, r)
	must(t, err)
	want := []string{
		"4 2026-03-02T04:41:12.000Z 125s incoming incoming phone file=Calls number=919812300111 note=first",
		"5 2026-04-03T06:30:00.000Z 0s outgoing outgoing phone file=Calls number=+912266200101",
		"6 2026-04-04T12:30:00.000Z 0s missed incoming phone file=Calls shown=unknown note=withheld",
	}
	if got := strings.Join(lines, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("read\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

func TestASheetThatIsNotThereIsNamed(t *testing.T) {
	data, o := workbook(t), india(t)
	o.Mapping = &logfile.Mapping{Sheet: "Anrufe"}
	_, err := openBytes(t, "calls.xlsx", data, o)
	if fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Sentence(err), "Notes, Calls") {
		t.Errorf("got %v, want the sheets' names", err)
	}
}

// parts builds a zip from names and texts.
func parts(t testing.TB, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		w, err := z.Create(files[i])
		must(t, err)
		_, err = io.WriteString(w, files[i+1])
		must(t, err)
	}
	must(t, z.Close())
	return b.Bytes()
}

const (
	bookXML = `<workbook xmlns:r="r"><sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>`
	relsXML = `<Relationships><Relationship Id="rId1" Type="http://x/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`
)

func TestAWorkbookCutOffInTheMiddleSaysWhere(t *testing.T) {
	sheet := `<worksheet><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>Number</t></is></c><c r="B1" t="inlineStr"><is><t>Start time</t></is></c><c r="C1" t="inlineStr"><is><t>Type</t></is></c></row>` +
		`<row r="2"><c r="A2"><v>9.19812300001E11</v></c><c r="B2" t="inlineStr"><is><t>2026-03-02 10:11:12</t></is></c><c r="C2" t="inlineStr"><is><t>Incoming</t></is></c></row><row r="3"><c r="A3"><v>9198`
	data := parts(t, "xl/workbook.xml", bookXML, "xl/_rels/workbook.xml.rels", relsXML, "xl/worksheets/sheet1.xml", sheet)
	o := india(t)
	o.Mapping = &logfile.Mapping{Columns: map[logfile.Field]string{"number": "Number", "start": "Start time", "type": "Type"}}
	_, err := openBytes(t, "calls.xlsx", data, o)
	if got := fault.Sentence(err); !strings.Contains(got, "cut off") || !strings.Contains(got, "row 3") {
		t.Errorf("got %q, want a sentence about row 3", got)
	}
}
