package sheet

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Clock reads the times of one file.
type Clock struct {
	Order   DateOrder
	Zone    *time.Location // of times that carry none themselves
	Country string         // ISO 3166 alpha-2; settles abbreviations such as IST
}

// Moment is a time's parts as written.
type Moment struct {
	year, month, day     int
	hour, min, sec, nano int
	Dated, Timed         bool
	pm, am               bool
	zone                 *time.Location // nil where none is written
	zoneName             string
}

// ErrOrder is the error of a date whose order of day and month is open.
const ErrOrder ErrText = `It could be day-first or month-first, and the file does not say which. State the order of the dates (date order dmy or mdy).`

const (
	errNoStart    ErrText = `It is empty, so nobody knows when it was. Write the date and time, like 2026-07-28 17:11:02.`
	errNoTime     ErrText = `It is no date and time. Write it like 2026-07-28 17:11:02, or map another column.`
	errNoClock    ErrText = `It has a date and no time of day. Map the column with the time as "time", or write both in one.`
	errNoDate     ErrText = `It has a time of day and no date. Map the column with the date as "date", or write both in one.`
	errImpossible ErrText = `There is no such date or time. Check the order of the dates (day-first or month-first) and correct the row.`
	errZone       ErrText = `Its time zone is not known. Write the zone as an offset such as +05:30, or leave it out and state it for the file.`
)

// Parse reads a date with a time of day. zoned says that the text itself settles the moment.
func (c *Clock) Parse(text string) (t time.Time, zoned bool, err error) {
	if t, ok := ISOTime(text, c.Zone); ok {
		return t, false, nil
	}
	text = Tidy(text)
	if text == "" {
		return t, false, errNoStart
	}
	if t, zoned, ok := c.number(text); ok {
		return t, zoned, nil
	}
	m, err := c.Read(text)
	switch {
	case err != nil:
		return t, false, err
	case !m.Dated:
		return t, false, errNoDate
	case !m.Timed:
		return t, false, errNoClock
	}
	return c.place(m)
}

// Join reads a date and a time of day from two cells.
func (c *Clock) Join(date, clockTime string) (t time.Time, zoned bool, err error) {
	if days, ok := Serial(date); ok {
		date = excelTime(days, false, c.Zone).Format(time.DateOnly)
	}
	if part, ok := Serial(clockTime); ok && part < 1 {
		clockTime = excelTime(part, false, c.Zone).Format(time.TimeOnly)
	}
	d, err := c.Read(Tidy(date))
	if err != nil {
		return t, false, err
	}
	if !d.Dated {
		return t, false, errNoDate
	}
	h, err := c.Read(Tidy(clockTime))
	if err != nil {
		return t, false, err
	}
	if !h.Timed {
		return t, false, errNoClock
	}
	h.year, h.month, h.day, h.Dated = d.year, d.month, d.day, true
	if h.zone == nil && h.zoneName == "" {
		h.zone, h.zoneName = d.zone, d.zoneName
	}
	return c.place(h)
}

// ISOTime is the quick way for "2026-07-28 10:44:41", which most files write.
func ISOTime(s string, zone *time.Location) (time.Time, bool) {
	if len(s) != 19 || s[4] != '-' || s[7] != '-' || s[10] != ' ' && s[10] != 'T' || s[13] != ':' || s[16] != ':' {
		return time.Time{}, false
	}
	year := two(s, 0)*100 + two(s, 2)
	month, day, hour, minute, second := two(s, 5), two(s, 8), two(s, 11), two(s, 14), two(s, 17)
	if year < 0 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59 {
		return time.Time{}, false
	}
	return time.Date(year, time.Month(month), day, hour, minute, second, 0, zone), true
}

// two reads two digits, or gives a number that is out of every range.
func two(s string, at int) int {
	a, b := s[at]-'0', s[at+1]-'0'
	if a > 9 || b > 9 {
		return -10_000
	}
	return int(a)*10 + int(b)
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	default:
		return 31
	}
}

// number reads times written as one number: epoch seconds and milliseconds, Excel's days, 20260728104441.
func (c *Clock) number(text string) (t time.Time, zoned, ok bool) {
	whole, fraction, _ := strings.Cut(text, ".")
	if whole == "" || !Digits(strings.TrimPrefix(whole, "-")) || fraction != "" && !Digits(fraction) {
		return t, false, false
	}
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return t, false, false
	}
	switch {
	case c.Order == EpochMillis:
		return time.UnixMilli(n), true, true
	case c.Order == EpochSeconds, len(whole) == 9 || len(whole) == 10:
		f, _ := strconv.ParseFloat("0."+fraction+"0", 64)
		return time.Unix(n, int64(f*1e3)*1e6), true, true
	case len(whole) == 13:
		return time.UnixMilli(n), true, true
	case len(whole) == 16:
		return time.UnixMicro(n), true, true
	case len(whole) == 14 || len(whole) == 12:
		t, ok := compact(whole, c.Zone)
		return t, false, ok
	case len(whole) == 5 && fraction != "":
		f, err := strconv.ParseFloat(text, 64)
		return excelTime(f, false, c.Zone), false, err == nil
	}
	return t, false, false
}

// Serial reads a spreadsheet's number of a day (about 45000) or of a time of day (a part of 1).
func Serial(s string) (float64, bool) {
	whole, _, point := strings.Cut(s, ".")
	if !Digits(whole) || len(whole) != 5 && (whole != "0" || !point) {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

// compact reads 20260728104441 and 202607281044.
func compact(s string, zone *time.Location) (time.Time, bool) {
	if len(s) == 12 {
		s += "00"
	}
	return ISOTime(s[:4]+"-"+s[4:6]+"-"+s[6:8]+" "+s[8:10]+":"+s[10:12]+":"+s[12:14], zone)
}

// excelTime turns a spreadsheet's day number into a wall clock time of the zone. Excel counts from 1899-12-30, old Macs'
// from 1904-01-01.
func excelTime(days float64, since1904 bool, zone *time.Location) time.Time {
	base := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	if since1904 {
		base = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	// The number holds about 0.1 ms; rounding to whole seconds undoes 10:44:40.99999.
	t := base.Add(time.Duration(days*86_400+0.5) * time.Second)
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, zone)
}

// Tidy makes blanks plain and digits Western, and drops what stands in brackets at the end: "(India Standard Time)".
func Tidy(s string) string {
	s = strings.TrimSpace(s)
	if i := strings.LastIndexByte(s, '('); i > 0 && strings.HasSuffix(s, ")") {
		s = strings.TrimSpace(s[:i])
	}
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return strings.TrimSpace(strings.Map(plainRune, s))
		}
	}
	return s
}

func plainRune(r rune) rune {
	switch {
	case r >= 0x0966 && r <= 0x096f:
		return '0' + r - 0x0966
	case r >= 0xff10 && r <= 0xff19:
		return '0' + r - 0xff10
	case r == 0x200e || r == 0x200f || r == 0xfeff:
		return -1
	case unicode.IsSpace(r):
		return ' '
	default:
		return r
	}
}

// scan walks over a time's text.
type scan struct {
	s string
	i int
}

func (x *scan) more() bool { return x.i < len(x.s) }
func (x *scan) peek() byte {
	if x.more() {
		return x.s[x.i]
	}
	return 0
}

func (x *scan) digits() string {
	from := x.i
	for x.more() && x.s[x.i] >= '0' && x.s[x.i] <= '9' {
		x.i++
	}
	return x.s[from:x.i]
}

// word takes letters, and dots and marks within them: "p.m.", "Std.".
func (x *scan) word() string {
	from := x.i
	for x.more() {
		r, n := utf8.DecodeRuneInString(x.s[x.i:])
		if !unicode.IsLetter(r) && !unicode.IsMark(r) && r != '.' {
			break
		}
		x.i += n
	}
	return x.s[from:x.i]
}

// Read takes a text of dates, times, month names, am and pm and zones apart.
func (c *Clock) Read(text string) (Moment, error) {
	m := Moment{month: -1, day: -1, year: -1}
	var parts []string // of the date, as written
	seps := byte(0)
	x := scan{s: text}
	for x.more() {
		b := x.peek()
		switch {
		case b >= '0' && b <= '9':
			d := x.digits()
			if x.peek() == ':' && !m.Timed {
				if !x.clockTime(&m, d) {
					return m, errNoTime
				}
				continue
			}
			if len(d) == 8 && len(parts) == 0 {
				parts = append(parts, d[:4], d[4:6], d[6:])
				continue
			}
			parts = append(parts, d)
			if s := x.peek(); s == '/' || s == '-' || s == '.' {
				seps = s
			}
		case (b == '+' || b == '-') && m.Timed && (len(parts) == 0 || len(parts) > 2 || m.month > 0 && len(parts) > 1):
			if !x.offset(&m) {
				return m, errZone
			}
		case strings.IndexByte(" /-.,T'", b) >= 0 && !(b == 'T' && nextIsLetter(x)):
			x.i++
		default:
			w := x.word()
			if w == "" {
				return m, errNoTime
			}
			if err := m.name(w); err != nil {
				return m, err
			}
		}
	}
	return m, c.date(&m, parts, seps)
}

func nextIsLetter(x scan) bool {
	if x.i+1 >= len(x.s) {
		return false
	}
	r, _ := utf8.DecodeRuneInString(x.s[x.i+1:])
	return unicode.IsLetter(r)
}

// clockTime reads what follows the hour: :mm, :ss, a fraction.
func (x *scan) clockTime(m *Moment, hour string) bool {
	m.Timed = true
	m.hour = Small(hour)
	x.i++
	minute := x.digits()
	m.min = Small(minute)
	if len(minute) != 2 {
		return false
	}
	if x.peek() != ':' {
		return true
	}
	x.i++
	second := x.digits()
	m.sec = Small(second)
	if len(second) != 2 {
		return false
	}
	if b := x.peek(); b == '.' || b == ',' {
		x.i++
		if f := x.digits(); f != "" {
			m.nano = Small((f + "000")[:3]) * 1e6
		}
	}
	return true
}

// Small reads a short number; long ones are out of every range.
func Small(s string) int {
	if len(s) > 6 {
		return 1 << 30
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return 1 << 30
	}
	return n
}

// offset reads +05:30, +0530 and +5.
func (x *scan) offset(m *Moment) bool {
	sign := 1
	if x.s[x.i] == '-' {
		sign = -1
	}
	x.i++
	h, mm := x.digits(), ""
	if x.peek() == ':' {
		x.i++
		mm = x.digits()
	} else if len(h) == 4 {
		h, mm = h[:2], h[2:]
	}
	hours, minutes := Small(h), 0
	if mm != "" {
		minutes = Small(mm)
	}
	if h == "" || hours > 14 || minutes > 59 {
		return false
	}
	m.zone = time.FixedZone("", sign*(hours*3600+minutes*60))
	return true
}

// name places a word: a month, a weekday, am or pm, or a zone.
func (m *Moment) name(w string) error {
	lower := strings.ToLower(strings.Trim(strings.ReplaceAll(w, ".", ""), " "))
	switch lower {
	case "":
		return nil
	case "am", "पूर्वाह्न", "vorm":
		m.am = true
		return nil
	case "pm", "अपराह्न", "nachm":
		m.pm = true
		return nil
	case "at", "um", "uhr", "th", "st", "nd", "rd", "को", "बजे", "t":
		return nil
	}
	if n := monthOf(lower); n > 0 {
		if m.month > 0 {
			return errNoTime
		}
		m.month = n
		return nil
	}
	if weekday(lower) {
		return nil
	}
	if m.Timed && m.zoneName == "" && len(w) <= 5 {
		m.zoneName = strings.ToUpper(lower)
		return nil
	}
	return errNoTime
}

// date settles which number of a date is which.
func (c *Clock) date(m *Moment, parts []string, sep byte) error {
	if len(parts) == 0 && m.month < 0 {
		return nil
	}
	m.Dated = true
	if m.month > 0 {
		if len(parts) != 2 {
			return errNoTime
		}
		if len(parts[0]) == 4 {
			parts[0], parts[1] = parts[1], parts[0]
		}
		m.day, m.year = Small(parts[0]), yearOf(parts[1])
		return nil
	}
	if len(parts) != 3 {
		return errNoTime
	}
	a, b, third := Small(parts[0]), Small(parts[1]), parts[2]
	switch {
	case len(parts[0]) == 4 || c.Order == YearFirst:
		m.year, m.month, m.day = yearOf(parts[0]), b, Small(third)
	case c.Order == DayFirst, c.Order == FromData && a > 12 && b <= 12:
		m.day, m.month, m.year = a, b, yearOf(third)
	case c.Order == MonthFirst, c.Order == FromData && b > 12 && a <= 12:
		m.month, m.day, m.year = a, b, yearOf(third)
	case sep == '.':
		// Dots stand between the numbers of a date only where the day comes first (German and its neighbours).
		m.day, m.month, m.year = a, b, yearOf(third)
	default:
		return ErrOrder
	}
	return nil
}

// yearOf reads a year; two digits mean 1970 to 2069.
func yearOf(s string) int {
	n := Small(s)
	switch {
	case len(s) == 4:
		return n
	case len(s) != 2:
		return 1 << 30
	case n >= 70:
		return 1900 + n
	default:
		return 2000 + n
	}
}

// place turns the parts into a moment.
func (c *Clock) place(m Moment) (time.Time, bool, error) {
	if m.am || m.pm {
		// 17:11 PM is written by programs that print both; the 24-hour reading wins.
		if m.hour < 1 && m.pm || m.hour > 12 && m.am {
			return time.Time{}, false, errImpossible
		}
		if m.hour == 12 && m.am {
			m.hour = 0
		} else if m.hour < 12 && m.pm {
			m.hour += 12
		}
	}
	if m.year < 1 || m.year > 9999 || m.month < 1 || m.month > 12 || m.day < 1 || m.day > daysIn(m.year, m.month) ||
		m.hour > 23 || m.min > 59 || m.sec > 59 {
		return time.Time{}, false, errImpossible
	}
	zone, zoned := c.Zone, m.zone != nil || m.zoneName != ""
	at := func(z *time.Location) time.Time {
		return time.Date(m.year, time.Month(m.month), m.day, m.hour, m.min, m.sec, m.nano, z)
	}
	switch {
	case m.zone != nil:
		zone = m.zone
	case m.zoneName != "":
		// The file's own zone may use the abbreviation: IST is Mumbai's, Dublin's or Jerusalem's.
		if name, _ := at(c.Zone).Zone(); name != m.zoneName {
			offset, ok := abbreviation(m.zoneName, c.Country)
			if !ok {
				return time.Time{}, false, errZone
			}
			zone = time.FixedZone(m.zoneName, offset)
		}
	}
	return at(zone), zoned, nil
}
