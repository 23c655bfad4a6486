package sheet

import (
	"archive/zip"
	"io"
	"math"
	"strconv"
	"strings"
)

// Workbook writes an Office Open XML workbook (ECMA-376) part by part. Its first error ends all writing and is kept.
type Workbook struct {
	zip    *zip.Writer
	part   io.Writer
	sheets []string // names of the worksheets begun
	rows   int      // in the worksheet at hand
	cells  int      // in the row at hand
	line   strings.Builder
	err    error
}

// NewWorkbook begins a workbook.
func NewWorkbook(w io.Writer) *Workbook { return &Workbook{zip: zip.NewWriter(w)} }

// Style is how a cell looks and what it stays when somebody edits it.
type Style int

// The styles: positions in the workbook's list, see xlsxStyles.
const (
	StyleNone Style = iota
	StyleHead
	StyleText // a text stays one when somebody edits the cell
	StyleDate
	StyleMoment
	StyleClock
	StyleRatio
)

// MaxRows is how many rows a worksheet holds, the header among them; longer tables go on in a next one.
const MaxRows = 1_048_576

// Rows is how many rows the worksheet at hand has.
func (b *Workbook) Rows() int { return b.rows }

// Sheets is how many worksheets were begun.
func (b *Workbook) Sheets() int { return len(b.sheets) }

// Err is the first error of writing.
func (b *Workbook) Err() error { return b.err }

const xmlHead = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"

func (b *Workbook) create(name string) {
	if b.err == nil {
		b.part, b.err = b.zip.Create(name)
	}
}

func (b *Workbook) write(text string) {
	if b.err == nil {
		_, b.err = io.WriteString(b.part, text)
	}
}

// Begin starts a worksheet whose first row stays in sight.
func (b *Workbook) Begin(name string, widths []int) {
	b.sheets = append(b.sheets, name)
	b.rows = 0
	b.create("xl/worksheets/sheet" + strconv.Itoa(len(b.sheets)) + ".xml")
	b.line.WriteString(xmlHead + `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetViews><sheetView workbookViewId="0">` +
		`<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><cols>`)
	for i, width := range widths {
		n := strconv.Itoa(i + 1)
		b.line.WriteString(`<col min="` + n + `" max="` + n + `" width="` + strconv.Itoa(width) + `" customWidth="1"/>`)
	}
	b.line.WriteString(`</cols><sheetData>`)
}

// Row ends the row before and starts the next.
func (b *Workbook) Row() {
	b.flush()
	b.rows++
	b.cells = 0
	b.line.WriteString(`<row r="` + strconv.Itoa(b.rows) + `">`)
}

// cell begins the next cell. Excel does without addresses, simpler readers do not.
func (b *Workbook) cell(style Style) {
	b.line.WriteString(`<c r="` + columnName(b.cells) + strconv.Itoa(b.rows) + `" s="` + strconv.Itoa(int(style)) + `"`)
	b.cells++
}

// columnName is the letters of a column, from 0: A, B, … Z, AA.
func columnName(i int) string {
	if i < 26 {
		return string(rune('A' + i))
	}
	return columnName(i/26-1) + string(rune('A'+i%26))
}

func (b *Workbook) flush() {
	if b.rows > 0 {
		b.line.WriteString(`</row>`)
	}
	b.write(b.line.String())
	b.line.Reset()
}

// Text writes a cell that is text, whatever it looks like.
func (b *Workbook) Text(text string, style Style) {
	b.cell(style)
	b.line.WriteString(` t="inlineStr"><is><t xml:space="preserve">`)
	xmlText(&b.line, text)
	b.line.WriteString(`</t></is></c>`)
}

// Number writes a cell with a number.
func (b *Workbook) Number(x float64, style Style) {
	b.cell(style)
	b.line.WriteString(`><v>` + strconv.FormatFloat(x, 'g', 17, 64) + `</v></c>`)
}

// Skip leaves a cell empty.
func (b *Workbook) Skip() { b.cells++ }

// End ends the worksheet.
func (b *Workbook) End() {
	b.flush()
	b.write(`</sheetData></worksheet>`)
}

// xlsxStyles are the styles of cells in the order of the constants: number formats 49 (text), 166 (day), 167 (time),
// 168 (duration), 169 (share).
const xlsxStyles = xmlHead + `<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">` +
	`<numFmts count="4"><numFmt numFmtId="166" formatCode="yyyy\-mm\-dd"/><numFmt numFmtId="167" formatCode="yyyy\-mm\-dd\ hh:mm:ss"/>` +
	`<numFmt numFmtId="168" formatCode="[h]:mm:ss"/><numFmt numFmtId="169" formatCode="0.0%"/></numFmts>` +
	`<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts>` +
	`<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>` +
	`<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>` +
	`<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>` +
	`<cellXfs count="7"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>` +
	`<xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1" applyNumberFormat="1"/>` +
	`<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>` +
	`<xf numFmtId="166" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>` +
	`<xf numFmtId="167" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>` +
	`<xf numFmtId="168" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>` +
	`<xf numFmtId="169" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>` +
	`<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>`

const (
	officeRels  = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
	packageRels = `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">`
	sheetML     = "application/vnd.openxmlformats-officedocument.spreadsheetml."
)

// Close writes the parts that list the others, and ends the file.
func (b *Workbook) Close() error {
	var book, rels, types strings.Builder
	for i, name := range b.sheets {
		n := strconv.Itoa(i + 1)
		book.WriteString(`<sheet name="`)
		xmlText(&book, name)
		book.WriteString(`" sheetId="` + n + `" r:id="rId` + n + `"/>`)
		rels.WriteString(`<Relationship Id="rId` + n + `" Type="` + officeRels + `/worksheet" Target="worksheets/sheet` + n + `.xml"/>`)
		types.WriteString(`<Override PartName="/xl/worksheets/sheet` + n + `.xml" ContentType="` + sheetML + `worksheet+xml"/>`)
	}
	last := strconv.Itoa(len(b.sheets) + 1)
	b.create("xl/styles.xml")
	b.write(xlsxStyles)
	b.create("xl/workbook.xml")
	b.write(xmlHead + `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="` + officeRels + `"><sheets>` +
		book.String() + `</sheets></workbook>`)
	b.create("xl/_rels/workbook.xml.rels")
	b.write(xmlHead + packageRels + rels.String() + `<Relationship Id="rId` + last + `" Type="` + officeRels + `/styles" Target="styles.xml"/></Relationships>`)
	b.create("_rels/.rels")
	b.write(xmlHead + packageRels + `<Relationship Id="rId1" Type="` + officeRels + `/officeDocument" Target="xl/workbook.xml"/></Relationships>`)
	b.create("[Content_Types].xml")
	b.write(xmlHead + `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">` +
		`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>` +
		`<Override PartName="/xl/workbook.xml" ContentType="` + sheetML + `sheet.main+xml"/>` + types.String() +
		`<Override PartName="/xl/styles.xml" ContentType="` + sheetML + `styles+xml"/></Types>`)
	if b.err != nil {
		return b.err
	}
	return b.zip.Close()
}

// maxXLSXText is how many characters (UTF-16 units) a cell holds.
const maxXLSXText = 32_767

// xmlText writes text as the content of an element: what XML cannot hold is left out, what it reserves is escaped, and
// what the format reads as an escape (_x0041_) is kept from being one.
func xmlText(out *strings.Builder, text string) {
	units := 0
	for i, r := range text {
		if units++; r > math.MaxUint16 {
			units++
		}
		if units > maxXLSXText {
			return
		}
		switch {
		case r == '&':
			out.WriteString("&amp;")
		case r == '<':
			out.WriteString("&lt;")
		case r == '>':
			out.WriteString("&gt;")
		case r == '\r':
			out.WriteString("&#13;")
		case r == '_' && strings.HasPrefix(text[i:], "_x") && len(text) >= i+7 && text[i+6] == '_':
			out.WriteString("_x005F_")
		case r == '\t' || r == '\n' || r >= 0x20 && r <= 0xd7ff || r >= 0xe000 && r < 0xfffe || r >= 0x10000:
			out.WriteRune(r)
		}
	}
}
