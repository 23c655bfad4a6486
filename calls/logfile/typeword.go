package logfile

import (
	"strconv"
	"strings"

	"parley/calls/call"
	"parley/platform/sheet"
)

// typeWord is what a word about a call says: how it was logged, who placed it, whether it was answered.
type typeWord struct {
	kind       call.Type
	direction  call.Direction
	unanswered bool
	known      bool
}

// wordOf reads the words that tables write for type, direction and status, in English, German and Hindi, and Android's
// type codes. What it does not know stays unknown.
func wordOf(s string) typeWord {
	w := strings.ToLower(sheet.Tidy(s))
	if code, err := strconv.Atoi(w); err == nil {
		t := call.TypeOf(code)
		return typeWord{kind: t, direction: t.Direction(), known: t != call.TypeUnknown}
	}
	if w == "" {
		return typeWord{}
	}
	w = strings.NewReplacer("_", " ", "-", " ", "/", " ").Replace(w)
	d := directionOf(w)
	switch {
	case among(w, "voicemail", "voice mail", "mailbox", "anrufbeantworter", "वॉइसमेल", "वॉयसमेल"):
		return typeWord{kind: call.TypeVoicemail, direction: call.Incoming, unanswered: true, known: true}
	case among(w, "elsewhere", "externally", "another device"):
		return typeWord{kind: call.TypeAnsweredElsewhere, direction: call.Incoming, known: true}
	case among(w, "missed", "verpasst", "entgangen", "abandon", "छूटी", "छूटा", "मिस्ड"):
		return unansweredAs(call.TypeMissed, d)
	case among(w, "reject", "declin", "refused", "abgelehnt", "abgewiesen", "अस्वीकृ", "अस्वीकार"):
		return unansweredAs(call.TypeRejected, d)
	case among(w, "blocked", "blockiert", "gesperrt", "अवरोधित", "ब्लॉक"):
		return unansweredAs(call.TypeBlocked, d)
	case among(w, "unanswered", "not answered", "no answer", "noanswer", "not picked", "not connected", "nicht angenommen", "keine antwort",
		"unbeantwortet", "busy", "besetzt", "fail", "congestion", "cancel", "no user response", "unreachable", "nicht erreicht", "switched off",
		"not reachable", "व्यस्त", "उत्तर नहीं", "जवाब नहीं") || w == "chanunavail":
		return typeWord{direction: d, unanswered: true, known: true}
	case d != call.NoDirection:
		return typeWord{kind: typeOfDirection(d), direction: d, known: true}
	case among(w, "answered", "connected", "completed", "angenommen", "beantwortet", "success", "normal clearing", "उत्तर दिया"):
		return typeWord{known: true}
	}
	return typeWord{}
}

// unansweredAs is a call of a type that phones log for incoming calls only. The same word about an outgoing call means
// that nobody picked up.
func unansweredAs(t call.Type, d call.Direction) typeWord {
	if d == call.Outgoing {
		return typeWord{kind: call.TypeOutgoing, direction: d, unanswered: true, known: true}
	}
	return typeWord{kind: t, direction: call.Incoming, unanswered: true, known: true}
}

func typeOfDirection(d call.Direction) call.Type {
	switch d {
	case call.Incoming:
		return call.TypeIncoming
	case call.Outgoing:
		return call.TypeOutgoing
	default:
		return call.TypeUnknown
	}
}

func directionOf(w string) call.Direction {
	switch {
	case w == "out" || w == "o" || among(w, "outgoing", "outbound", "dialed", "dialled", "placed", "ausgehend", "abgehend", "gewählt", "आउटगोइंग", "जावक", "जाने वाली", "की गई"):
		return call.Outgoing
	case w == "in" || w == "i" || among(w, "incoming", "inbound", "received", "eingehend", "ankommend", "empfangen", "इनकमिंग", "आवक", "आने वाली", "प्राप्त"):
		return call.Incoming
	}
	return call.NoDirection
}

func among(w string, parts ...string) bool {
	for _, p := range parts {
		if strings.Contains(w, p) {
			return true
		}
	}
	return false
}

// settle joins what the cells of type, direction and status say of one call into the record. A call that nobody
// answered has no talk time, whatever the file counts: some count the ringing.
func settle(r *Record, kind, direction, status typeWord) {
	d := direction.direction
	for _, w := range [...]typeWord{kind, status} {
		if d == call.NoDirection {
			d = w.direction
		}
	}
	unanswered := kind.unanswered || status.unanswered || direction.unanswered
	r.Direction = d
	r.Type = kind.kind
	for _, w := range [...]typeWord{status, direction} {
		// "Incoming" beside "missed" or "rejected": the more telling one is the type.
		if r.Type <= call.TypeOutgoing && w.kind > call.TypeOutgoing || r.Type == call.TypeUnknown {
			r.Type = w.kind
		}
	}
	switch {
	case d == call.Outgoing:
		r.Type = call.TypeOutgoing
	case d == call.Incoming && r.Type <= call.TypeOutgoing && unanswered:
		r.Type = call.TypeMissed
	case d == call.Incoming && r.Type <= call.TypeOutgoing:
		r.Type = call.TypeIncoming
	}
	if unanswered && r.Type != call.TypeVoicemail {
		r.Seconds = 0
	}
	r.Unanswered = unanswered
}
