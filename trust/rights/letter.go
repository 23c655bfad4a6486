package rights

import (
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"time"
	"unicode/utf8"

	"parley/platform/fault"
)

// maxLetter bounds a mail that is read as a request.
const maxLetter = 4 << 20

// ReadLetter reads a mail (RFC 5322) as a request: the sender is the contact, the clock starts when our own mail server
// received it, and the kind is told by its words; it is "" when they do not tell.
func ReadLetter(from io.Reader) (Ask, error) {
	m, err := mail.ReadMessage(io.LimitReader(from, maxLetter))
	if err != nil {
		return Ask{}, fault.Wrap(fault.Invalid, err, "This is no mail: save the whole message, with its header, as a file that ends in .eml.")
	}
	sender, err := mail.ParseAddress(m.Header.Get("From"))
	if err != nil {
		return Ask{}, fault.Wrap(fault.Invalid, err, "The mail does not say who sent it: its From line cannot be read. Enter the request by hand.")
	}
	words := mime.WordDecoder{}
	subject, err := words.DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		subject = m.Header.Get("Subject")
	}
	text, err := plainText(m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), m.Body, 0)
	if err != nil {
		return Ask{}, fault.Wrap(fault.Invalid, err, "The text of the mail cannot be read: it was cut off or damaged. Enter the request by hand.")
	}
	a := Ask{Channel: Mail, Contact: sender.Address, Name: cut(sender.Name, maxName), Text: cut(strings.TrimSpace(subject+"\n\n"+text), maxText), Received: receivedAt(m.Header)}
	a.Kind = guessKind(subject + "\n" + text)
	return a, nil
}

// receivedAt is when our own mail server took the mail: the top Received line. The sender's Date comes second.
func receivedAt(h mail.Header) time.Time {
	if lines := h["Received"]; len(lines) > 0 {
		if i := strings.LastIndexByte(lines[0], ';'); i >= 0 {
			if t, err := mail.ParseDate(strings.TrimSpace(lines[0][i+1:])); err == nil {
				return t
			}
		}
	}
	t, err := h.Date()
	if err != nil {
		return time.Time{}
	}
	return t
}

// maxDepth bounds mails within mails.
const maxDepth = 5

// plainText finds the plain text of a mail, also in its parts.
func plainText(kind, encoding string, body io.Reader, depth int) (string, error) {
	media, params, err := mime.ParseMediaType(kind)
	if err != nil {
		media = "text/plain"
	}
	if strings.HasPrefix(media, "multipart/") && depth < maxDepth {
		return firstText(multipart.NewReader(body, params["boundary"]), depth)
	}
	if media != "text/plain" && media != "text/html" {
		return "", nil
	}
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return "", err
	}
	if media == "text/html" {
		return withoutTags(string(text)), nil
	}
	return tidyText(string(text)), nil
}

func firstText(parts *multipart.Reader, depth int) (string, error) {
	html := ""
	for {
		p, err := parts.NextRawPart()
		if err == io.EOF {
			return html, nil
		}
		if err != nil {
			return "", err
		}
		kind := p.Header.Get("Content-Type")
		text, err := plainText(kind, p.Header.Get("Content-Transfer-Encoding"), p, depth+1)
		if err != nil {
			return "", err
		}
		if text != "" && !strings.HasPrefix(kind, "text/html") {
			return text, nil
		}
		if html == "" {
			html = text
		}
	}
}

// withoutTags gives the words of a page, roughly: an officer reads them.
func withoutTags(s string) string {
	var b strings.Builder
	inside := false
	for _, c := range s {
		switch {
		case c == '<':
			inside = true
		case c == '>':
			inside = false
			b.WriteByte(' ')
		case !inside:
			b.WriteRune(c)
		}
	}
	return tidyText(b.String())
}

// tidyText keeps what can be shown.
func tidyText(s string) string {
	s = strings.ToValidUTF8(s, "�")
	return strings.TrimSpace(strings.Map(func(c rune) rune {
		if c < ' ' && c != '\n' && c != '\t' || c == 0x7f {
			return -1
		}
		return c
	}, s))
}

func cut(s string, most int) string {
	s = tidyText(s)
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most])
}

// guessKind tells by its words what a letter asks for. The order matters: "delete" outweighs "data".
func guessKind(text string) Kind {
	text = strings.ToLower(text)
	for _, g := range []struct {
		kind  Kind
		words []string
	}{
		{Withdrawal, []string{"withdraw my consent", "withdraw consent", "revoke my consent", "सहमति वापस"}},
		{Erasure, []string{"erase", "erasure", "delete", "deletion", "forget me", "right to be forgotten", "मिटा", "हटा"}},
		{Restriction, []string{"restrict", "सीमित"}},
		{Objection, []string{"object to", "objection", "stop calling", "unsubscribe", "आपत्ति"}},
		{Correction, []string{"correct my", "correction", "rectif", "wrong name", "सुधार"}},
		{Portability, []string{"portab", "machine-readable", "machine readable"}},
		{Access, []string{"copy of my", "access request", "access to my", "what data", "which data", "subject access", "प्रति", "कौन-सी जानकारी"}},
		{Complaint, []string{"complain", "grievance", "शिकायत"}},
	} {
		for _, w := range g.words {
			if strings.Contains(text, w) {
				return g.kind
			}
		}
	}
	return ""
}
