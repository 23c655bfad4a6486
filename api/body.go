package api

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"parley/platform/fault"
)

// Bounds of a body in JSON.
const (
	maxBody     = 1 << 20
	maxDepth    = 32
	maxValues   = 50_000 // a full batch of 500 calls has some 6,000
	bodyTimeout = 30 * time.Second
)

// readBody reads a request's body within the operation's bounds, unpacked.
func readBody(o *operation, w http.ResponseWriter, r *http.Request) ([]byte, error) {
	limit := o.maxBody
	if limit == 0 {
		limit = maxBody
	}
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Now().Add(bodyTimeout)) // a recorder in tests has none
	defer func() { _ = rc.SetReadDeadline(time.Time{}) }()
	src := io.Reader(r.Body)
	switch e := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding"))); {
	case e == "" || e == "identity":
	case e == "gzip" && o.gzip:
		z, err := gzip.NewReader(io.LimitReader(src, limit))
		if err != nil {
			return nil, bodyError(err, "The body says that it is gzip-compressed, and is not. Compress it, or leave out the header Content-Encoding.")
		}
		src = z
	default:
		return nil, fault.New(fault.Unsupported, "The body's Content-Encoding %.20q is not understood here. Send it %s.", e, plainOr(o.gzip))
	}
	body, err := io.ReadAll(io.LimitReader(src, limit+1))
	if err != nil {
		return nil, bodyError(err, "The body broke off or is damaged. Send the request again.")
	}
	if int64(len(body)) > limit {
		return nil, fault.New(fault.TooLarge, "The body is larger than the %d KiB that this operation takes. Send it in parts.", limit>>10)
	}
	return body, nil
}

func plainOr(gzip bool) string {
	if gzip {
		return "plain, or compressed with gzip"
	}
	return "plain"
}

func bodyError(err error, sentence string) error {
	if n, ok := errors.AsType[net.Error](err); ok && n.Timeout() {
		return newProblem(http.StatusRequestTimeout, "The body did not arrive within 30 seconds. Send the request again, in smaller parts if the line is slow.")
	}
	return newProblem(http.StatusBadRequest, sentence)
}

// formats are those of bodies: JSON, and nothing else.
func formats() map[string]huma.Format {
	f := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: unmarshal}
	return map[string]huma.Format{"application/json": f, "json": f}
}

// unmarshal is json.Unmarshal within bounds, with errors in sentences that say where.
func unmarshal(data []byte, v any) error {
	if err := checkText(data); err != nil {
		return err
	}
	if err := checkShape(data); err != nil {
		return err
	}
	err := json.Unmarshal(data, v)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		line, column := position(data, syntax.Offset)
		return fault.New(fault.Invalid, "The body is not JSON: something is wrong at line %d, column %d (%s).", line, column, syntax.Error())
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fault.New(fault.Invalid, "The field %q cannot hold a JSON %s.", wrong.Field, wrong.Value)
	}
	return err
}

// checkText refuses what is not UTF-8: Go's reader of JSON would put question marks in its place.
func checkText(data []byte) error {
	switch {
	case bytes.HasPrefix(data, []byte{0xEF, 0xBB, 0xBF}):
		return fault.New(fault.Invalid, "The body begins with a byte order mark. Send it without one.")
	case bytes.HasPrefix(data, []byte{0xFF, 0xFE}), bytes.HasPrefix(data, []byte{0xFE, 0xFF}), bytes.IndexByte(data, 0) >= 0:
		return fault.New(fault.Invalid, "The body looks like UTF-16 or binary data. Send JSON in UTF-8.")
	}
	if utf8.Valid(data) {
		return nil
	}
	i := 0
	for i < len(data) {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		i += n
	}
	line, column := position(data, int64(i+1))
	return fault.New(fault.Invalid, "The body is not UTF-8 at line %d, column %d. If it was written as Latin-1, convert it.", line, column)
}

// checkShape bounds depth and number of values before anything is built from them.
func checkShape(data []byte) error {
	depth, values, text := 0, 0, false
	for i := 0; i < len(data); i++ {
		c := data[i]
		if text {
			switch c {
			case '\\':
				i++
			case '"':
				text = false
			}
			continue
		}
		switch c {
		case '"':
			text = true
		case '{', '[':
			depth++
			values++
		case '}', ']':
			depth--
		case ',':
			values++
		}
		if depth > maxDepth {
			return fault.New(fault.Invalid, "The body is nested more than %d levels deep, which no operation needs.", maxDepth)
		}
		if values > maxValues {
			return fault.New(fault.Invalid, "The body holds more than %d values. Send it in parts.", maxValues)
		}
	}
	return nil
}

// position gives line and column, from 1, of the byte before offset.
func position(data []byte, offset int64) (line, column int) {
	before := data[:max(min(int(offset)-1, len(data)), 0)]
	line = bytes.Count(before, []byte("\n")) + 1
	return line, utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1
}
