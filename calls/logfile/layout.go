package logfile

import (
	"strings"
	"time"

	"parley/platform/sheet"
)

// layout says in which column a telephone system writes what; -1 for what it does not write.
type layout struct {
	format                                        Format
	clid, src, dst, channel, dstchannel, app, did int
	start, answer, duration, billsec, disposition int
	unique, linked, other                         int  // ids that the rows of one call share
	causes                                        bool // disposition holds hangup causes: answered is what has an answer time
	names, least                                  int  // where the caller's bare name stands; the fewest columns of a row
}

// The layouts. Sources: cdr_csv and cdr_custom of Asterisk, cdr_csv.conf.xml of FreeSWITCH.
func asteriskLayout() layout {
	return layout{format: Asterisk, clid: 4, src: 1, dst: 2, channel: 5, dstchannel: 6, app: 7, did: -1, start: 9, answer: 10, duration: 12,
		billsec: 13, disposition: 14, unique: 16, linked: -1, other: -1, names: -1, least: 16}
}

func customLayout() layout {
	return layout{format: Asterisk, clid: 0, src: 1, dst: 2, channel: 4, dstchannel: 5, app: 6, did: -1, start: 8, answer: 9, duration: 11,
		billsec: 12, disposition: 13, unique: 16, linked: -1, other: -1, names: -1, least: 16}
}

func freeswitchLayout() layout {
	return layout{format: FreeSWITCH, clid: -1, src: 1, dst: 2, channel: -1, dstchannel: -1, app: -1, did: -1, start: 4, answer: 5, duration: 7,
		billsec: 8, disposition: 9, unique: 10, linked: -1, other: 11, causes: true, names: 0, least: 13}
}

func freeswitchAsAsterisk() layout {
	l := asteriskLayout()
	l.format, l.causes = FreeSWITCH, true
	return l
}

// layoutOf recognises a headerless row by its number of columns and by what stands in them.
func layoutOf(row []string) (layout, bool) {
	for _, l := range [...]layout{asteriskLayout(), customLayout(), freeswitchAsAsterisk(), freeswitchLayout()} {
		if l.fits(row) {
			return l, true
		}
	}
	return layout{}, false
}

// fits says that a row has times, seconds and a disposition (or a hangup cause) where the layout expects them.
func (l *layout) fits(row []string) bool {
	if len(row) < l.least || len(row) > 26 {
		return false
	}
	if _, ok := sheet.ISOTime(l.cell(row, l.start), time.UTC); !ok {
		return false
	}
	if answer := l.cell(row, l.answer); answer != "" {
		if _, ok := sheet.ISOTime(answer, time.UTC); !ok {
			return false
		}
	}
	if !seconded(l.cell(row, l.duration)) || !seconded(l.cell(row, l.billsec)) {
		return false
	}
	word := l.cell(row, l.disposition)
	return l.causes != asteriskWord(word) && isUpperWord(word)
}

func seconded(s string) bool {
	whole, fraction, _ := strings.Cut(s, ".")
	return sheet.Digits(whole) && (fraction == "" || sheet.Digits(fraction))
}

func asteriskWord(w string) bool {
	switch w {
	case "ANSWERED", "NO ANSWER", "BUSY", "FAILED", "CONGESTION", "UNKNOWN":
		return true
	}
	return false
}

func isUpperWord(w string) bool {
	return w != "" && strings.Trim(w, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_ 0123456789") == ""
}

// cell is a column's text, "" where the row or the layout has none.
func (l *layout) cell(row []string, column int) string {
	if column < 0 || column >= len(row) {
		return ""
	}
	return strings.TrimSpace(row[column])
}

// layoutOfHeader maps the header of a cdr table, whatever its order of columns.
func layoutOfHeader(header []string) (layout, bool) {
	at := map[string]int{}
	for i, h := range header {
		h = strings.ToLower(strings.TrimSpace(h))
		if _, twice := at[h]; !twice {
			at[h] = i
		}
	}
	column := func(names ...string) int {
		for _, n := range names {
			if i, ok := at[n]; ok {
				return i
			}
		}
		return -1
	}
	l := layout{format: FreePBX, clid: column("clid"), src: column("src"), dst: column("dst"), channel: column("channel"), dstchannel: column("dstchannel"),
		app: column("lastapp"), did: column("did"), start: column("calldate", "start"), answer: column("answer"), duration: column("duration"),
		billsec: column("billsec"), disposition: column("disposition"), unique: column("uniqueid"), linked: column("linkedid"), other: -1, names: column("cnam"), least: 1}
	if column("calldate") < 0 {
		l.format = Asterisk
	}
	return l, l.src >= 0 && l.dst >= 0 && l.start >= 0 && l.billsec >= 0 && l.disposition >= 0
}
