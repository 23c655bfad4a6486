package logfile

import (
	"slices"
	"strings"
	"unicode"

	"parley/platform/sheet"
)

// synonym is a field and the headers by which it is recognised, the best first, as plainHeader writes them.
type synonym struct {
	field Field
	words string
}

// synonyms are the headers of English, German and Hindi files, of Callyzer (emp_…, client_…) and MiniClick exports and of
// CDR-Stats and ivozprovider. Fields that come first take their column first.
func synonyms() []synonym {
	return []synonym{
		{FieldCaller, "caller,callernumber,callerid,callerno,calleridnumber,callingnumber,callingparty,callingno,callno,fromnumber,from,source,sourcenumber,src,aparty,anumber,ani,clinumber,originator,anrufer,quelle,von,rufnummera,कॉलर,कॉलकर्ता"},
		{FieldCallee, "callee,calleenumber,callednumber,calledparty,calledno,destination,destinationnumber,destnumber,dst,dialednumber,dialledno,dialednumbers,tonumber,to,receiver,receivernumber,recipient,recno,receiverno,bparty,bnumber,dnis,angerufener,ziel,zielrufnummer,nach,an,rufnummerb,प्राप्तकर्ता"},
		{FieldNumber, "phonenumber,clientnumber,customernumber,contactnumber,number,phone,phoneno,mobile,mobilenumber,mobileno,contactno,customerno,clientno,clientphone,customerphone,clientmobile,customermobile,telephone,telephonenumber,tel,msisdn,leadnumber,otherparty,remotenumber,externalnumber,partnumber,rufnummer,telefonnummer,telefon,nummer,handynummer,kundennummer,gegenstelle,फोन नंबर,फ़ोन नंबर,मोबाइल नंबर,नंबर,मोबाइल,फोन,फ़ोन,संपर्क नंबर"},
		{FieldCountryCode, "clientcountrycode,countrycode,countrydialcode,dialcode,ländervorwahl"},
		{FieldDirection, "direction,calldirection,inout,inoutbound,richtung,anrufrichtung,दिशा"},
		{FieldType, "calltype,type,callkind,kind,anruftyp,anrufart,typ,art,कॉल प्रकार,कॉल का प्रकार,प्रकार"},
		{FieldStatus, "disposition,callstatus,status,callresult,result,outcome,calloutcome,hangupcause,answered,state,ergebnis,anrufstatus,स्थिति,कॉल स्थिति"},
		{FieldDuration, "billsec,talktime,talkduration,conversationduration,conversationtime,billedseconds,durationseconds,durationsec,durationinseconds,callduration,calldurationsec,duration,dur,callseconds,seconds,length,calllength,gesprächsdauer,dauer,gesprächszeit,अवधि,कॉल अवधि,समयावधि"},
		{FieldStart, "starttime,startdatetime,calldatetime,datetime,datetimeofcall,startstamp,startingdate,calldate,start,startedat,calledat,timestamp,callstart,callstarttime,callstarted,calldateandtime,dateandtime,createdat,epoch,unixtime,beginn,anrufbeginn,startzeit,zeitpunkt,zeitstempel,datumuhrzeit,datumzeit,anrufzeit,दिनांक और समय,तारीख और समय,प्रारंभ समय,calltime"},
		{FieldDate, "date,calldate,startdate,day,dateofcall,datum,anrufdatum,दिनांक,तारीख,तिथि,कॉल दिनांक"},
		{FieldTime, "time,calltime,starttime,timeofcall,callhour,uhrzeit,zeit,समय,कॉल समय"},
		{FieldEnd, "endtime,enddatetime,end,callend,callendtime,endstamp,endedat,ende,anrufende,endzeit,समाप्ति समय"},
		{FieldName, "contactname,clientname,customername,leadname,calleridname,name,contact,customer,client,kontakt,kontaktname,kunde,kundenname,नाम,संपर्क नाम,ग्राहक का नाम"},
		{FieldAgent, "employeename,empname,agentname,agent,employee,username,user,staff,executive,telecaller,salesperson,salesexecutive,handledby,assignedto,owner,extensionname,mitarbeiter,mitarbeitername,benutzer,bearbeiter,agentemail,कर्मचारी,कर्मचारी का नाम,एजेंट"},
		{FieldLine, "devicephone,empnumber,employeenumber,employeephone,agentnumber,agentphone,extension,ext,line,linenumber,sim,simslot,simname,simid,subscriptionid,did,didnumber,virtualnumber,trackingnumber,ownnumber,mynumber,nebenstelle,leitung,eigenenummer,durchwahl,लाइन,सिम"},
		{FieldNote, "callnote,callnotes,note,notes,remark,remarks,comment,comments,description,notiz,notizen,bemerkung,kommentar,टिप्पणी,नोट"},
		{FieldTags, "labels,label,tags,tag,calltags,schlagworte,schlagwörter,etiketten,टैग,लेबल"},
		{FieldKey, "uniqueid,callid,id,uuid,calluuid,callsid,sid,recordid,uniquecallid,referenceid,guid,anrufid"},
	}
}

// plainHeader is a header without case, blanks, marks and what stands in brackets: "Dur. (s)" is "dur".
func plainHeader(h string) string {
	for _, pair := range [...]string{"()", "[]"} {
		if from := strings.IndexByte(h, pair[0]); from > 0 {
			if to := strings.IndexByte(h[from:], pair[1]); to > 0 {
				h = h[:from] + h[from+to+1:]
			}
		}
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, h)
}

// sample is the beginning of a table.
type sample struct {
	rows   [][]string // the first rows, header and titles included
	header int        // which of rows is the header; -1 for none
}

// data are the rows after the header.
func (s *sample) data() [][]string { return s.rows[s.header+1:] }

func (s *sample) headers() []string {
	if s.header >= 0 {
		return s.rows[s.header]
	}
	most := 0
	for _, r := range s.rows {
		most = max(most, len(r))
	}
	return sheet.Numbered(most)
}

// findHeader takes the row, among the first ten, with the most headers that are known: exports put titles above. Where
// no row has any and the first holds data, there is no header.
func (s *sample) findHeader() {
	known := map[string]bool{}
	for _, syn := range synonyms() {
		for w := range strings.SplitSeq(syn.words, ",") {
			known[plainHeader(w)] = true
		}
	}
	best, score := 0, 0
	for i, row := range s.rows[:min(len(s.rows), 10)] {
		n := 0
		for _, c := range row {
			if known[plainHeader(c)] {
				n++
			}
		}
		if n > score {
			best, score = i, n
		}
	}
	s.header = best
	if score == 0 && len(s.rows) > 0 && slices.ContainsFunc(s.rows[0], func(c string) bool { return likeNumber(c) || likeTime(c) }) {
		s.header = -1
	}
}

func likeNumber(s string) bool {
	n := 0
	for _, r := range strings.TrimSpace(s) {
		switch {
		case r >= '0' && r <= '9':
			n++
		case !strings.ContainsRune("+-() .", r):
			return false
		}
	}
	return n >= 7 && n <= 15
}

func likeTime(s string) bool {
	_, err := (&sheet.Clock{Order: FromData}).Read(sheet.Tidy(s))
	return (err == nil || err == sheet.ErrOrder) && strings.ContainsAny(s, ":/-.") && strings.ContainsAny(s, "0123456789") && !likeNumber(s)
}

// guessMapping maps columns by their headers and, where those say nothing, by what stands in them.
func (s *sample) guessMapping() Mapping {
	m := Mapping{Columns: map[Field]string{}, NoHeader: s.header < 0}
	headers := s.headers()
	taken := make([]bool, len(headers))
	take := func(f Field, i int) {
		m.Columns[f] = headers[i]
		// A second column of the same name is left for the refusal that names both.
		taken[i] = true
	}
	if s.header >= 0 {
		plain := make([]string, len(headers))
		for i, h := range headers {
			plain[i] = plainHeader(h)
		}
		for _, syn := range synonyms() {
			if i := s.match(syn, plain, taken); i >= 0 {
				take(syn.field, i)
			}
		}
	}
	s.sidesOrNumber(m.Columns)
	s.guessByContent(m.Columns, headers, taken, take)
	s.dateOrTime(m.Columns, headers)
	return m
}

// match is the first column with the best header of a field whose cells do not speak against it.
func (s *sample) match(syn synonym, plain []string, taken []bool) int {
	for w := range strings.SplitSeq(syn.words, ",") {
		w = plainHeader(w)
		for i, h := range plain {
			if h == w && !taken[i] && s.agrees(syn.field, i) {
				return i
			}
		}
	}
	return -1
}

// agrees checks a column's cells where a header is often used for something else.
func (s *sample) agrees(f Field, column int) bool {
	switch f {
	case FieldType, FieldDirection, FieldStatus:
		return s.share(column, func(c string) bool { return wordOf(c).known }) >= 0.3
	case FieldStart:
		return s.share(column, func(c string) bool { return !dateAlone(c) && !timeAlone(c) }) >= 0.5
	case FieldDate:
		return s.share(column, func(c string) bool { return !timeAlone(c) }) >= 0.5
	case FieldTime:
		return s.share(column, timeAlone) >= 0.5
	case FieldCaller, FieldCallee:
		// "From" and "To" may be days; "Source" may be "web".
		return s.share(column, func(c string) bool {
			_, hidden := withheld(c)
			return hidden || !likeTime(c) && strings.ContainsAny(c, "0123456789")
		}) >= 0.5
	}
	return true
}

// share is the part of a column's filled cells that pass; 1 where none is filled.
func (s *sample) share(column int, pass func(string) bool) float64 {
	filled, good := 0, 0
	for _, row := range s.data() {
		if column >= len(row) || strings.TrimSpace(row[column]) == "" {
			continue
		}
		filled++
		if pass(row[column]) {
			good++
		}
	}
	if filled == 0 {
		return 1
	}
	return float64(good) / float64(filled)
}

func dateAlone(c string) bool {
	m, err := (&sheet.Clock{Order: DayFirst}).Read(sheet.Tidy(c))
	return err == nil && m.Dated && !m.Timed
}

func timeAlone(c string) bool {
	if part, ok := sheet.Serial(strings.TrimSpace(c)); ok && part < 1 {
		return true
	}
	m, err := (&sheet.Clock{Order: DayFirst}).Read(sheet.Tidy(c))
	return err == nil && m.Timed && !m.Dated
}

// sidesOrNumber settles files that have both: with caller and callee and no direction the pair counts; with only one of
// the pair it is the number.
func (s *sample) sidesOrNumber(c map[Field]string) {
	caller, callee := c[FieldCaller], c[FieldCallee]
	switch {
	case caller != "" && callee != "":
		delete(c, FieldNumber)
		delete(c, FieldCountryCode)
	case c[FieldNumber] != "":
		delete(c, FieldCaller)
		delete(c, FieldCallee)
	case caller != "":
		c[FieldNumber] = caller
		delete(c, FieldCaller)
	case callee != "":
		c[FieldNumber] = callee
		delete(c, FieldCallee)
	}
}

// dateOrTime drops what the times do not need: a start makes date, time and end superfluous.
func (s *sample) dateOrTime(c map[Field]string, headers []string) {
	switch {
	case c[FieldStart] != "":
		delete(c, FieldDate)
		delete(c, FieldTime)
		delete(c, FieldEnd)
	case c[FieldDate] != "":
		delete(c, FieldEnd)
		// A column "Date" that holds the time as well is the start.
		i := slices.Index(headers, c[FieldDate])
		if c[FieldTime] == "" && i >= 0 && s.share(i, func(t string) bool { return !dateAlone(t) }) >= 0.5 {
			c[FieldStart] = c[FieldDate]
			delete(c, FieldDate)
		}
	case c[FieldTime] != "":
		delete(c, FieldTime)
	}
}

// guessByContent finds what headers did not tell, where exactly one column can be it.
func (s *sample) guessByContent(c map[Field]string, headers []string, taken []bool, take func(Field, int)) {
	only := func(pass func(string) bool) int {
		found := -1
		for i := range headers {
			if taken[i] || s.empty(i) || s.share(i, pass) < 0.8 {
				continue
			}
			if found >= 0 {
				return -1
			}
			found = i
		}
		return found
	}
	timed := func(t string) bool { return likeTime(t) && !dateAlone(t) && !timeAlone(t) }
	if c[FieldStart] == "" && c[FieldDate] == "" && c[FieldEnd] == "" {
		if i := only(timed); i >= 0 {
			take(FieldStart, i)
		}
	}
	if c[FieldNumber] == "" && c[FieldCaller] == "" {
		if i := only(likeNumber); i >= 0 {
			take(FieldNumber, i)
		}
	}
	if c[FieldType] == "" && c[FieldDirection] == "" && c[FieldCaller] == "" {
		if i := only(func(t string) bool { return !sheet.Digits(strings.TrimSpace(t)) && wordOf(t).known }); i >= 0 {
			take(FieldType, i)
		}
	}
	if c[FieldDuration] == "" {
		if i := only(func(t string) bool {
			n, err := parseDuration(t, seconds)
			return err == nil && n < 36_000 && !likeNumber(t)
		}); i >= 0 {
			take(FieldDuration, i)
		}
	}
}

func (s *sample) empty(column int) bool {
	for _, row := range s.data() {
		if column < len(row) && strings.TrimSpace(row[column]) != "" {
			return false
		}
	}
	return true
}
