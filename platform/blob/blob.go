// Package blob keeps large sealed things, such as backups, in a folder or in an S3 bucket. It knows nothing of what is in
// them: they are sealed before they come here.
package blob

import (
	"context"
	"io"
	"io/fs"
	"strings"
	"time"

	"parley/platform/fault"
)

// Store is where things are kept. Names are paths with slashes, of letters, digits, dots, hyphens and underscores.
type Store interface {
	// Put keeps what from gives, all or nothing, in the place of anything of that name, of which no copy or older version
	// is left.
	Put(ctx context.Context, name string, from io.Reader) error
	// Get reads from the beginning. A missing name is a NotFound fault.
	Get(ctx context.Context, name string) (io.ReadCloser, error)
	// List gives all names that begin with prefix, in order.
	List(ctx context.Context, prefix string) ([]Info, error)
	// Delete removes a name and every version of it. A missing name is none to complain about.
	Delete(ctx context.Context, name string) error
	// String says where the store is, without secrets.
	String() string
}

// Info is what is known of something without reading it.
type Info struct {
	Name     string
	Size     int64
	Modified time.Time
}

// checkName refuses names that could lead out of a folder, or mean different things in different stores.
func checkName(name string) error {
	if !fs.ValidPath(name) || name == "." || strings.ContainsFunc(name, func(c rune) bool {
		return c != '/' && c != '.' && c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z')
	}) {
		return fault.New(fault.Internal, "%q is no name for something that is kept.", name)
	}
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(part, ".") {
			return fault.New(fault.Internal, "%q is no name for something that is kept: a part of it begins with a dot.", name)
		}
	}
	return nil
}

func notThere(name, where string) error {
	return fault.New(fault.NotFound, "There is no %s in %s.", name, where)
}
