package logfile

import (
	"slices"
	"strings"

	"parley/platform/fault"
	"parley/platform/sheet"
)

// Field is what a column of a table can mean.
type Field string

// The fields. A table needs a number (or caller and callee) and a start (or date and time, or end and duration).
const (
	FieldNumber      Field = "number" // the other party
	FieldCaller      Field = "caller"
	FieldCallee      Field = "callee"
	FieldStart       Field = "start" // date and time in one column
	FieldDate        Field = "date"
	FieldTime        Field = "time"
	FieldEnd         Field = "end" // date and time; the start is the duration earlier
	FieldDuration    Field = "duration"
	FieldType        Field = "type" // incoming, outgoing, missed, …, or Android's codes
	FieldDirection   Field = "direction"
	FieldStatus      Field = "status" // answered, no answer, busy, …
	FieldName        Field = "name"
	FieldNote        Field = "note"
	FieldTags        Field = "tags"
	FieldLine        Field = "line"
	FieldAgent       Field = "agent"
	FieldKey         Field = "key"
	FieldCountryCode Field = "country_code" // the number's, where it has a column of its own

	// FieldDateOrder is no column: it stands in Guess.Missing when the order of day and month must be asked for.
	FieldDateOrder Field = "date_order"
)

// Fields lists the fields that a column can be mapped to.
func Fields() []Field {
	return []Field{FieldNumber, FieldCaller, FieldCallee, FieldStart, FieldDate, FieldTime, FieldEnd, FieldDuration, FieldType,
		FieldDirection, FieldStatus, FieldName, FieldNote, FieldTags, FieldLine, FieldAgent, FieldKey, FieldCountryCode}
}

// DateOrder says how the dates of a table are written.
type DateOrder = sheet.DateOrder

// The orders, see sheet.DateOrder.
const (
	FromData     = sheet.FromData
	DayFirst     = sheet.DayFirst
	MonthFirst   = sheet.MonthFirst
	YearFirst    = sheet.YearFirst
	EpochSeconds = sheet.EpochSeconds
	EpochMillis  = sheet.EpochMillis
)

// ParseDateOrder reads a date order's name; "" means that the file's dates decide.
func ParseDateOrder(word string) (DateOrder, error) {
	o := DateOrder(strings.ToLower(strings.TrimSpace(word)))
	switch o {
	case FromData, DayFirst, MonthFirst, YearFirst, EpochSeconds, EpochMillis:
		return o, nil
	}
	return "", fault.Field("date_order", "%q is no order of dates. Use dmy (31/12/2026), mdy (12/31/2026), ymd (2026-12-31), epoch (seconds since 1970) or epoch_ms (milliseconds since 1970).", sheet.Cut(word))
}

// Mapping says what the columns of a table mean.
type Mapping struct {
	Columns   map[Field]string // header as written, or the column's position ("1" is the first) with NoHeader
	DateOrder DateOrder
	NoHeader  bool
	Delimiter rune   // of a text file; 0 = as found
	Sheet     string // of a workbook; "" = the first with calls
}

// ParseMapping reads a mapping as the command line takes it: "caller=Call No,callee=Rec No,start=Start,duration=Dur (s)".
// A header may hold commas, since only a field's name with = after a comma begins the next pair.
func ParseMapping(flag string) (map[Field]string, error) {
	out := map[Field]string{}
	var last Field
	for part := range strings.SplitSeq(flag, ",") {
		word, header, found := strings.Cut(part, "=")
		field := Field(strings.ToLower(strings.TrimSpace(word)))
		switch {
		case found && slices.Contains(Fields(), field):
			if _, twice := out[field]; twice {
				return nil, fault.Field("map", "The field %s is mapped twice. Name one column for it.", field)
			}
			out[field], last = strings.TrimSpace(header), field
		case last != "":
			out[last] += "," + part
		case found:
			return nil, fault.Field("map", "%q is no field of a call. The fields are %s.", sheet.Cut(word), fieldNames(Fields()))
		default:
			return nil, fault.Field("map", `The mapping %q names no field. Write field=column pairs, for example "number=Phone,start=Date,duration=Seconds".`, sheet.Cut(flag))
		}
	}
	for field, header := range out {
		header = strings.TrimSpace(header)
		if header == "" {
			return nil, fault.Field("map", "The field %s has no column. Write the column's header after the equals sign.", field)
		}
		out[field] = unquoted(header)
	}
	return out, nil
}

func unquoted(s string) string {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return s[1 : len(s)-1]
	}
	return s
}

func fieldNames(fields []Field) string {
	words := make([]string, len(fields))
	for i, f := range fields {
		words[i] = string(f)
	}
	return strings.Join(words, ", ")
}
