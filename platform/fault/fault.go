// Package fault gives an error a kind, a cause and a sentence for its reader. The edge (a web page, the API, the
// command line) turns the kind into a status once, and shows the sentence.
package fault

import (
	"errors"
	"fmt"
	"strings"
)

// Kind says what sort of trouble an error is.
type Kind int

// The kinds.
const (
	Internal Kind = iota
	Invalid
	NotFound
	Denied
	Unauthenticated
	Conflict
	Gone
	TooLarge
	TooMany
	Unavailable
	Unsupported
)

var statuses = [...]int{500, 422, 404, 403, 401, 409, 410, 413, 429, 503, 415}

// Status is the HTTP status of a kind.
func (k Kind) Status() int {
	if k < 0 || int(k) >= len(statuses) {
		return statuses[Internal]
	}
	return statuses[k]
}

// FieldError is a sentence about one field of a form or request.
type FieldError struct {
	Field    string
	Sentence string
}

type fault struct {
	kind     Kind
	sentence string
	cause    error
	fields   []FieldError
}

func (f *fault) Error() string {
	if f.cause != nil {
		return f.sentence + " (" + f.cause.Error() + ")"
	}
	return f.sentence
}

func (f *fault) Unwrap() error { return f.cause }

// New makes an error of kind k whose sentence tells its reader what is wrong, where, and what to do.
func New(k Kind, format string, a ...any) error {
	return &fault{kind: k, sentence: fmt.Sprintf(format, a...)}
}

// Wrap is New with the cause kept for logs. The cause is not shown to people.
func Wrap(k Kind, cause error, format string, a ...any) error {
	return &fault{kind: k, sentence: fmt.Sprintf(format, a...), cause: cause}
}

// Field makes an Invalid error about one field.
func Field(field, format string, a ...any) error {
	s := fmt.Sprintf(format, a...)
	return &fault{kind: Invalid, sentence: s, fields: []FieldError{{Field: field, Sentence: s}}}
}

// Join puts several errors into one. The result is nil when all are nil; it carries the fields of all of them and the
// kind of the first.
func Join(errs ...error) error {
	var out *fault
	var sentences []string
	for _, err := range errs {
		if err == nil {
			continue
		}
		if out == nil {
			out = &fault{kind: KindOf(err)}
		}
		out.fields = append(out.fields, Fields(err)...)
		sentences = append(sentences, Sentence(err))
	}
	if out == nil {
		return nil
	}
	out.sentence = strings.Join(sentences, " ")
	return out
}

// KindOf is the kind of the first fault in err's chain, and Internal for an error that is none.
func KindOf(err error) Kind {
	if f, ok := errors.AsType[*fault](err); ok {
		return f.kind
	}
	return Internal
}

// Sentence is what a person may read of err. An error that is no fault gets a general sentence, since its own text may
// hold internals.
func Sentence(err error) string {
	if err == nil {
		return ""
	}
	if f, ok := errors.AsType[*fault](err); ok {
		return f.sentence
	}
	return "Something went wrong on the server. Try again; if it happens again, tell whoever runs it: the log has the details."
}

// Fields lists the sentences about single fields that err carries.
func Fields(err error) []FieldError {
	if f, ok := errors.AsType[*fault](err); ok {
		return f.fields
	}
	return nil
}
