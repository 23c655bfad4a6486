// Package call holds one call, whatever its source, and the table of calls: its rows, notes and tags, and the
// paged history over them.
package call

import "strings"

// Direction says who placed a call, seen from the organisation.
type Direction int8

// The directions. A call whose source names none (an unknown type code) has NoDirection.
const (
	NoDirection Direction = 0
	Incoming    Direction = 1
	Outgoing    Direction = 2
)

// String is the direction's word in the API.
func (d Direction) String() string {
	switch d {
	case Incoming:
		return "incoming"
	case Outgoing:
		return "outgoing"
	default:
		return "unknown"
	}
}

// Type is what the source logged a call as. The codes 1 to 7 are those of Android's CallLog.Calls.TYPE; any code we
// do not know stays TypeUnknown.
type Type int8

// The types.
const (
	TypeUnknown           Type = 0
	TypeIncoming          Type = 1
	TypeOutgoing          Type = 2
	TypeMissed            Type = 3
	TypeVoicemail         Type = 4
	TypeRejected          Type = 5
	TypeBlocked           Type = 6
	TypeAnsweredElsewhere Type = 7
)

var typeWords = [...]string{"unknown", "incoming", "outgoing", "missed", "voicemail", "rejected", "blocked", "answered_elsewhere"}

// TypeOf turns an Android type code into a Type; codes outside the published list are TypeUnknown.
func TypeOf(code int) Type {
	if code < 0 || code >= len(typeWords) {
		return TypeUnknown
	}
	return Type(code)
}

// ParseType reads a type's word, in any case.
func ParseType(word string) (Type, bool) {
	for i, w := range typeWords {
		if strings.EqualFold(w, strings.TrimSpace(word)) {
			return Type(i), true
		}
	}
	return TypeUnknown, false
}

// String is the type's word in the API.
func (t Type) String() string { return typeWords[TypeOf(int(t))] }

// Direction is the direction a type implies.
func (t Type) Direction() Direction {
	switch t {
	case TypeUnknown:
		return NoDirection
	case TypeOutgoing:
		return Outgoing
	default:
		return Incoming
	}
}

// Source is where a call took place.
type Source int8

// The sources.
const (
	SourcePhone     Source = 0
	SourceBrowser   Source = 1
	SourceAssistant Source = 2
	SourcePBX       Source = 3
	SourceMessenger Source = 4
)

var sourceWords = [...]string{"phone", "browser", "assistant", "pbx", "messenger"}

// ParseSource reads a source's word, in any case.
func ParseSource(word string) (Source, bool) {
	for i, w := range sourceWords {
		if strings.EqualFold(w, strings.TrimSpace(word)) {
			return Source(i), true
		}
	}
	return SourcePhone, false
}

// String is the source's word in the API.
func (s Source) String() string {
	if s < 0 || int(s) >= len(sourceWords) {
		return sourceWords[0]
	}
	return sourceWords[s]
}

// Presentation says whether the network showed the other party's number; the codes are those of Android's
// CallLog.Calls.NUMBER_PRESENTATION.
type Presentation int8

// The presentations. The zero value means the source did not say, which counts as allowed.
const (
	PresentationUnsaid      Presentation = 0
	PresentationAllowed     Presentation = 1
	PresentationRestricted  Presentation = 2
	PresentationUnknown     Presentation = 3
	PresentationPayphone    Presentation = 4
	PresentationUnavailable Presentation = 5
	// PresentationErased is that of a call whose person's data was erased. No source can say it.
	PresentationErased Presentation = 6
)

var presentationWords = [...]string{"allowed", "allowed", "restricted", "unknown", "payphone", "unavailable", "erased"}

// PresentationOf turns an Android presentation code into a Presentation; codes outside the list are PresentationUnsaid.
func PresentationOf(code int) Presentation {
	if code < 0 || code > int(PresentationUnavailable) {
		return PresentationUnsaid
	}
	return Presentation(code)
}

// String is the presentation's word in the API.
func (p Presentation) String() string {
	if p < 0 || int(p) >= len(presentationWords) {
		return presentationWords[PresentationUnsaid]
	}
	return presentationWords[p]
}

// Outcome is how a call ended.
type Outcome int8

// The outcomes.
const (
	OutcomeUnknown     Outcome = 0
	OutcomeConnected   Outcome = 1
	OutcomeMissed      Outcome = 2
	OutcomeRejected    Outcome = 3
	OutcomeBlocked     Outcome = 4
	OutcomeNotPickedUp Outcome = 5
	OutcomeVoicemail   Outcome = 6
	OutcomeShort       Outcome = 7 // came in and was answered, for less than the organisation's threshold
)

var outcomeWords = [...]string{"unknown", "connected", "missed", "rejected", "blocked", "not_picked_up", "voicemail", "short"}

// Unattended are the outcomes of a call that came in and that nobody attended.
func Unattended() []Outcome {
	return []Outcome{OutcomeMissed, OutcomeShort, OutcomeRejected, OutcomeVoicemail}
}

// ParseOutcome reads an outcome's word, in any case.
func ParseOutcome(word string) (Outcome, bool) {
	for i, w := range outcomeWords {
		if strings.EqualFold(w, strings.TrimSpace(word)) {
			return Outcome(i), true
		}
	}
	return OutcomeUnknown, false
}

// String is the outcome's word in the API.
func (o Outcome) String() string {
	if o < 0 || int(o) >= len(outcomeWords) {
		return outcomeWords[0]
	}
	return outcomeWords[o]
}

// OutcomeOf applies the metric contract: a call is connected when it was logged as incoming or outgoing and its talk
// time reaches the organisation's threshold (connectedFrom, in seconds, at least 1). An incoming call of 0 s was missed;
// one that talked for less than the threshold is short, which is unattended and not missed.
func OutcomeOf(t Type, seconds, connectedFrom int) Outcome {
	switch t {
	case TypeIncoming:
		if seconds >= max(connectedFrom, 1) {
			return OutcomeConnected
		}
		if seconds > 0 {
			return OutcomeShort
		}
		return OutcomeMissed
	case TypeOutgoing:
		if seconds >= max(connectedFrom, 1) {
			return OutcomeConnected
		}
		return OutcomeNotPickedUp
	case TypeMissed:
		return OutcomeMissed
	case TypeVoicemail:
		return OutcomeVoicemail
	case TypeRejected:
		return OutcomeRejected
	case TypeBlocked:
		return OutcomeBlocked
	default:
		return OutcomeUnknown
	}
}
