package rights

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/trust/subject"
)

func TestAPartHoldsItsScopeAndNoMore(t *testing.T) {
	march := time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)
	store := Store{Export: func(_ context.Context, _ account.OrgID, who subject.Ref, p *Package) error {
		if err := p.Table("call.meta", "calls", []string{"start", "number"}, func(add func(...any) error) error {
			for _, day := range []int{-1, 0, 30, 31} {
				if err := add(march.AddDate(0, 0, day).Format("2006-01-02T15:04:05.000Z07:00"), "canary of "+who.String()); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
		if err := p.Table("consent", "consents", []string{"at", "what"}, func(add func(...any) error) error { return add(march, "secret consent") }); err != nil {
			return err
		}
		if err := p.Table("contact", "names", []string{"name"}, func(add func(...any) error) error { return add("Ravi") }); err != nil {
			return err
		}
		return p.File("call.recording", "one.ogg", strings.NewReader("secret voice"))
	}}
	r := New(Deps{Now: func() time.Time { return march }})
	r.Stores = []Store{store}
	write := func(part Part, who ...subject.Ref) map[string]string {
		t.Helper()
		var b bytes.Buffer
		n, err := r.WritePart(t.Context(), 1, who, part, &b)
		if err != nil {
			t.Fatal(err)
		}
		z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
		if err != nil || len(z.File) != int(n) {
			t.Fatalf("%d files of %d (%v)", len(z.File), n, err)
		}
		out := map[string]string{}
		for _, f := range z.File {
			c, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(c)
			if err != nil {
				t.Fatal(err)
			}
			out[f.Name] = string(text)
		}
		return out
	}
	got := write(Part{Categories: []string{"call.meta", "contact", "call.recording"}, From: march, To: march.AddDate(0, 1, 0)}, subject.OfNumber(7), subject.OfMember("m"))
	var names []string
	for name, text := range got {
		names = append(names, name)
		if strings.Contains(text, "secret") {
			t.Errorf("%s holds what is not in the scope: %s", name, text)
		}
	}
	slices.Sort(names)
	want := []string{"person-1/data/call.meta/calls.csv", "person-1/data/call.meta/calls.json", "person-1/data/contact/names.csv", "person-1/data/contact/names.json",
		"person-2/data/call.meta/calls.csv", "person-2/data/call.meta/calls.json", "person-2/data/contact/names.csv", "person-2/data/contact/names.json"}
	if !slices.Equal(names, want) {
		t.Errorf("the files are %v", names)
	}
	if n := strings.Count(got["person-1/data/call.meta/calls.json"], "canary of number/7"); n != 2 {
		t.Errorf("%d calls of two in March", n)
	}
	if got := write(Part{Categories: []string{"call.recording"}}, subject.OfNumber(7)); len(got) != 1 || got["person-1/files/call.recording/one.ogg"] != "secret voice" {
		t.Errorf("without a time the recording is %v", got)
	}
	if got := write(Part{}, subject.OfNumber(7)); len(got) != 0 {
		t.Errorf("no category gave %v", got)
	}
}
