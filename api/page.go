package api

import (
	"strconv"

	"parley/platform/fault"
)

// Paging asks for a part of a list.
type Paging struct {
	Cursor string `query:"cursor" maxLength:"2000" doc:"The field next of the page before; leave it out for the first page"`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100" doc:"How many entries a page has at most"`
}

// Page is a part of a list.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty" doc:"Send it as cursor for the next page; absent on the last one"`
}

// before reads the cursor of a list that counts down; 0 is its beginning.
func (p Paging) before() (int64, error) {
	if p.Cursor == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(p.Cursor, 10, 64)
	if err != nil || n <= 0 {
		return 0, fault.Field("cursor", "This is not the cursor of a page of this list. Begin again without a cursor.")
	}
	return n, nil
}

// cursorBefore is the cursor of a page that begins before n; 0 is none.
func cursorBefore(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// body is an answer with a body.
type body[T any] struct{ Body T }

func answerOf[T any](v T) *body[T] { return &body[T]{Body: v} }

// pageOf cuts a page out of a whole list in a stable order; name gives what an entry is called in cursors.
func pageOf[T any](all []T, p Paging, name func(T) string) (*body[Page[T]], error) {
	from := 0
	if p.Cursor != "" {
		from = -1
		for i := range all {
			if name(all[i]) == p.Cursor {
				from = i + 1
				break
			}
		}
		if from < 0 {
			return nil, fault.Field("cursor", "The cursor does not belong to this list, or its entry is gone. Begin again without a cursor.")
		}
	}
	out := Page[T]{Items: all[from:]}
	if p.Limit > 0 && len(out.Items) > p.Limit {
		out.Items = out.Items[:p.Limit]
		out.Next = name(out.Items[p.Limit-1])
	}
	if out.Items == nil {
		out.Items = []T{}
	}
	return answerOf(out), nil
}
