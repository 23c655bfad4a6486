package logfile

import (
	"bufio"
	"io"
	"path"
	"strings"
	"time"

	"golang.org/x/net/html"

	"parley/calls/call"
	"parley/platform/fault"
	"parley/platform/sheet"
)

// maxPage is the most of a page that is read. Pages of calls have two kilobytes.
const maxPage = 1 << 20

// takeoutLog reads the pages of a Takeout of Google Voice, one call each. Rows are counted in pages.
type takeoutLog struct {
	pages []member
	row   int
	name  string
	own   string // the Voice number, from Phones.vcf
	zone  *time.Location
}

// voicePage says that a path of a zip is a page of Voice, by its folder or by the kind in its name.
func voicePage(name string) bool {
	if !strings.HasSuffix(strings.ToLower(name), ".html") && !strings.HasSuffix(strings.ToLower(name), ".htm") {
		return false
	}
	if strings.Contains(name, "Voice/Calls/") || strings.Contains(name, "Voice/Spam/") {
		return true
	}
	return pageKind(path.Base(name)) != ""
}

// pageKind is the kind in "<contact> - Placed - 2024-05-23T04_48_32Z.html", or "".
func pageKind(base string) string {
	for _, kind := range [...]string{"Placed", "Received", "Missed", "Voicemail", "Recorded", "Text"} {
		if strings.Contains(base, " - "+kind+" - ") || strings.HasPrefix(base, "- "+kind+" - ") {
			return kind
		}
	}
	if strings.HasPrefix(base, "Group Conversation - ") {
		return "Text"
	}
	return ""
}

func openTakeout(u *upload, o Options) (Reader, error) {
	t := &takeoutLog{pages: u.files, name: u.name, zone: o.zone()}
	if u.zip == nil {
		return t, nil
	}
	for _, f := range u.zip.Files {
		if strings.HasSuffix(f.Name, "Voice/Phones.vcf") {
			card, err := u.zip.Unpack(f)
			if err != nil {
				return nil, err
			}
			t.own = voiceNumber(card)
			return t, card.Close()
		}
	}
	return t, nil
}

// voiceNumber finds the Voice number in Phones.vcf: item1.TEL:+1… with item1.X-ABLabel:Google Voice.
func voiceNumber(card io.Reader) string {
	numbers := map[string]string{}
	s := bufio.NewScanner(io.LimitReader(card, 1<<16))
	for s.Scan() {
		key, value, _ := strings.Cut(s.Text(), ":")
		item, property, grouped := strings.Cut(key, ".")
		switch {
		case grouped && property == "TEL":
			numbers[item] = strings.TrimSpace(value)
		case grouped && property == "X-ABLabel" && strings.TrimSpace(value) == "Google Voice" && numbers[item] != "":
			return numbers[item]
		}
	}
	return ""
}

func (t *takeoutLog) Close() error { return nil }

func (t *takeoutLog) Next() (*Record, error) {
	for len(t.pages) > 0 {
		m := t.pages[0]
		t.pages = t.pages[1:]
		t.row++
		if pageKind(path.Base(m.name)) == "Text" {
			continue
		}
		p, err := readPage(m)
		if err != nil {
			return nil, sheet.Stop(err, shown(m, t.name), "page", t.row)
		}
		if p.texts || p.kind == "" && p.published == "" {
			continue
		}
		r, bad := t.record(p, m.name)
		if bad != nil {
			return nil, bad.At(m.name, t.row)
		}
		r.Row, r.File = t.row, m.name
		return r, nil
	}
	return nil, io.EOF
}

func readPage(m member) (*page, error) {
	f, err := m.open()
	if err != nil {
		return nil, err
	}
	p, err := parsePage(io.LimitReader(f, maxPage))
	if closing := f.Close(); err == nil {
		err = closing
	}
	return p, err
}

// page is what a page of Voice says.
type page struct {
	title, kind, tel, name, published, duration string
	texts                                       bool // a page of messages
}

// parsePage picks the microformat classes out of a page: haudio with tel, fn, published, duration and tags.
func parsePage(r io.Reader) (*page, error) {
	z := html.NewTokenizer(sheet.NewText(r))
	z.SetMaxBuf(sheet.MaxLine)
	p := &page{}
	within := "" // the element whose text is wanted
	for {
		switch z.Next() {
		case html.ErrorToken:
			if err := z.Err(); err != io.EOF {
				if err == html.ErrBufferExceeded {
					return p, nil
				}
				return nil, err
			}
			return p, nil
		case html.StartTagToken, html.SelfClosingTagToken:
			within = p.tag(z.Token(), within)
		case html.EndTagToken:
			if name, _ := z.TagName(); string(name) == "a" || string(name) == "title" {
				within = ""
			}
		case html.TextToken:
			text := strings.Join(strings.Fields(string(z.Text())), " ")
			switch {
			case within == "title":
				p.title += text
			case within == "name" && p.name == "":
				p.name = html.UnescapeString(text)
			}
		}
	}
}

// tag takes what a start tag says and returns whose text is wanted next.
func (p *page) tag(t html.Token, within string) string {
	attr := map[string]string{}
	for _, a := range t.Attr {
		attr[a.Key] = a.Val
	}
	class := " " + attr["class"] + " "
	has := func(c string) bool { return strings.Contains(class, " "+c+" ") }
	switch {
	case t.Data == "title":
		return "title"
	case has("hChatLog"):
		p.texts = true
	case t.Data == "a" && has("tel") && p.tel == "":
		p.tel = strings.TrimPrefix(attr["href"], "tel:")
		return "tel"
	case has("fn") && within == "tel":
		return "name"
	case has("published") && p.published == "":
		p.published = attr["title"]
	case has("duration") && p.duration == "":
		p.duration = attr["title"]
	case t.Data == "a" && attr["rel"] == "tag":
		p.label(attr["href"])
	}
	return within
}

// label takes the kind from a page's labels; inbox, unread and the like say nothing.
func (p *page) label(href string) {
	_, word, _ := strings.Cut(href, "#")
	switch word {
	case "placed", "received", "missed", "voicemail":
		p.kind = word
	case "recorded":
		if p.kind == "" {
			p.kind = "received"
		}
	}
}

// kindOf falls back on the title ("Missed call from …") and on the file's name.
func (p *page) kindOf(file string) string {
	if p.kind != "" {
		return p.kind
	}
	first, _, _ := strings.Cut(strings.ToLower(p.title), " ")
	switch first {
	case "placed", "received", "missed", "voicemail":
		return first
	}
	return strings.ToLower(pageKind(path.Base(file)))
}

func (t *takeoutLog) record(p *page, file string) (*Record, *RowError) {
	r := &Record{Source: call.SourceMessenger, Line: t.own, Name: personName(p.name)}
	switch p.kindOf(file) {
	case "placed":
		r.Type = call.TypeOutgoing
	case "received", "recorded":
		r.Type = call.TypeIncoming
	case "missed":
		r.Type = call.TypeMissed
	case "voicemail":
		r.Type = call.TypeVoicemail
	}
	r.Direction = r.Type.Direction()
	number, hidden, bad := numberText(p.tel)
	if bad != nil {
		bad.Column = "tel"
		return nil, bad
	}
	r.Number, r.Presentation = number, hidden
	if r.Name == number || strings.HasPrefix(r.Name, "+") {
		r.Name = ""
	}
	start, bad := t.start(p.published, file)
	if bad != nil {
		return nil, bad
	}
	r.Start = start
	talk, err := parseDuration(p.duration, seconds)
	if err != nil {
		return nil, sheet.Refuse("duration", p.duration, "%s", err)
	}
	if r.Seconds = talk; r.Type == call.TypeVoicemail {
		r.Seconds = 0 // the length of the message is no talk
	}
	return r, nil
}

// start is the page's time, which carries its zone, or the UTC time in the file's name.
func (t *takeoutLog) start(published, file string) (time.Time, *RowError) {
	c := sheet.Clock{Zone: t.zone}
	if at, _, err := c.Parse(published); err == nil {
		return at, nil
	}
	base := path.Base(file)
	if i := strings.LastIndex(base, " - "); i >= 0 {
		stamp, _, _ := strings.Cut(base[i+3:], "Z")
		if at, err := time.Parse("2006-01-02T15_04_05", stamp); err == nil {
			return at, nil
		}
	}
	return time.Time{}, sheet.Refuse("published", published, "The page tells no time of the call. Download the Takeout again.")
}

// notXML refuses a file without elements.
func notXML(name string) error {
	return fault.New(fault.Invalid, "%s holds no XML. Choose the calls-….xml file that SMS Backup & Restore wrote.", sheet.FileNamed(name))
}
