// Package filetype tells what kind of file something is by what is in it: what its name says, and what whoever sends it says, is
// not believed.
package filetype

import (
	"io"
	"strings"

	"github.com/gabriel-vasile/mimetype"
)

// Of gives the media type of a file, such as "application/pdf", without parameters, and the ending that such files have, with its
// dot ("" where none is usual). It reads a few kilobytes from the beginning. Text of no known form is "text/plain", anything else
// that is unknown "application/octet-stream".
func Of(r io.Reader) (kind, ending string, err error) {
	m, err := mimetype.DetectReader(r)
	if err != nil {
		return "", "", err
	}
	kind, _, _ = strings.Cut(m.String(), ";")
	return kind, m.Extension(), nil
}
