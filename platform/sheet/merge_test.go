package sheet_test

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/xuri/excelize/v2"

	"parley/platform/sheet"
)

// open opens the first sheet of a workbook.
func open(t *testing.T, data []byte) (*sheet.Book, sheet.Rows) {
	t.Helper()
	a, err := sheet.OpenArchive(bytes.NewReader(data), int64(len(data)), "list.xlsx")
	if err != nil || !a.IsWorkbook() {
		t.Fatal(err)
	}
	b, err := sheet.OpenBook(a)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := b.Open(b.Sheets[0])
	if err != nil {
		t.Fatal(err)
	}
	return b, rows
}

func all(t *testing.T, rows sheet.Rows) (out []string) {
	t.Helper()
	for {
		cells, row, err := rows.Next()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprintf("%d %q", row, cells))
	}
}

func TestAMergedCellCountsInAllItsRows(t *testing.T) {
	x := excelize.NewFile()
	defer x.Close()
	for at, v := range map[string]string{"A1": "List of March", "A2": "Company", "B2": "Name", "A3": "Acme", "B3": "Asha", "B4": "Bina", "A6": "Beta", "B6": "Chand", "B8": "Dev"} {
		if err := x.SetCellValue("Sheet1", at, v); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range [][2]string{{"A1", "B1"}, {"A3", "A5"}, {"A6", "A7"}} {
		if err := x.MergeCell("Sheet1", m[0], m[1]); err != nil {
			t.Fatal(err)
		}
	}
	data, err := x.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	b, rows := open(t, data.Bytes())
	merged, err := b.Merged(b.Sheets[0])
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	for _, row := range all(t, sheet.Filled(rows, merged)) {
		if row[len(row)-2:] != "[]" {
			named = append(named, row)
		}
	}
	want := []string{`1 ["List of March"]`, `2 ["Company" "Name"]`, `3 ["Acme" "Asha"]`, `4 ["Acme" "Bina"]`, `6 ["Beta" "Chand"]`, `8 ["" "Dev"]`}
	if !slices.Equal(named, want) {
		t.Errorf("%s", named)
	}
}

func TestWhatIsMadeSafeIsReadAsItWas(t *testing.T) {
	for _, text := range []string{"=1+1", "+919812300001", "-x", "@a", "Asha", "'tis", "", "＝x", "tel:abc", "9812300001"} {
		for _, phone := range []bool{false, true} {
			if got := sheet.PlainText(sheet.SafeText(text, phone)); got != text {
				t.Errorf("%q came back as %q", text, got)
			}
		}
	}
}
