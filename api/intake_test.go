package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"parley/trust/policy"
)

// schema is the part of a JSON schema that the stories below walk.
type schema struct {
	Ref        string `json:"$ref"`
	Properties map[string]*schema
	Items      *schema
	Additional any `json:"additionalProperties"`
}

// described is the description of the API, as programs get it.
type described struct {
	Paths map[string]map[string]struct {
		RequestBody struct {
			Content map[string]struct{ Schema *schema }
		}
	}
	Components struct{ Schemas map[string]*schema }
}

func (h *house) described(t *testing.T) *described {
	t.Helper()
	var d described
	h.do(t, "", http.MethodGet, "/api/openapi.json", nil).read(t, http.StatusOK, &d)
	return &d
}

// resolve follows a reference.
func (d *described) resolve(s *schema) *schema {
	if s.Ref == "" {
		return s
	}
	return d.Components.Schemas[strings.TrimPrefix(s.Ref, "#/components/schemas/")]
}

// objects gives every object within a schema, by its path.
func (d *described) objects(s *schema, path string, found func(path string, o *schema)) {
	if s = d.resolve(s); s == nil {
		return
	}
	if s.Properties != nil || s.Additional != nil {
		found(path, s)
	}
	for name, p := range s.Properties {
		d.objects(p, path+"."+name, found)
	}
	if s.Items != nil {
		d.objects(s.Items, path+"[]", found)
	}
}

// TestNoOperationTakesWhatItDoesNotName looks at every object that may be sent to the API, and sends each operation a field
// that it does not know.
func TestNoOperationTakesWhatItDoesNotName(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		dev, d, objects := h.pairedPhone(t, h.Agent(t, "Ravi")), h.described(t), 0
		for path, methods := range d.Paths {
			for method, o := range methods {
				body, ok := o.RequestBody.Content["application/json"]
				if !ok {
					continue
				}
				d.objects(body.Schema, method+" "+path, func(at string, o *schema) {
					if objects++; o.Additional != false {
						t.Errorf("%s takes fields that it does not name", at)
					}
				})
				token := h.owner
				if strings.HasPrefix(path, root+"/device/") {
					token = dev
				}
				address := regexp.MustCompile(`\{[a-z]+\}`).ReplaceAllString(path, "x_00000000000000000000000000")
				p := h.do(t, token, strings.ToUpper(method), address, `{"birthday":"1990-01-01"}`).problem(t, http.StatusUnprocessableEntity)
				if !strings.Contains(p.Detail, "birthday") {
					t.Errorf("%s %s: %q does not name the field", method, path, p.Detail)
				}
			}
		}
		if objects < 30 {
			t.Errorf("only %d objects were found", objects)
		}
	})
}

// TestPhonesCannotSendMore puts fields that nobody asked for into what a phone sends, at every depth: each is refused and
// nothing of it is kept.
func TestPhonesCannotSendMore(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		dev := h.pairedPhone(t, h.Agent(t, "Ravi"))
		chance := rand.New(rand.NewPCG(1, 2))
		for path, body := range map[string]string{
			"/device/calls":       `{"calls":[{"client_key":"a","number":"+919812345678","type":1,"start":"2026-04-15T10:00:00+05:30","seconds":65,"name":"Meera"}],"waiting":0}`,
			"/device/corrections": `{"corrections":[{"client_key":"a","start":"2026-04-15T10:00:00+05:30","call":{"client_key":"a","number":"+919812345678","type":2,"start":"2026-04-15T10:00:00+05:30"}}]}`,
			"/device/deletions":   `{"calls":[{"client_key":"a","start":"2026-04-15T10:00:00+05:30"}]}`,
			"/device/digests":     `{"digests":[{"line":"l","day":"2026-04-15","count":1,"hash":"00"}]}`,
			"/device/heartbeat":   `{"app_version":"1.2","waiting":1,"sims":[{"slot":1,"subscription_id":"7"}]}`,
			"/device/pair":        `{"code":"AAAA-AAAA","install_id":"i","sims":[{"slot":1}]}`,
		} {
			for range 12 {
				name := []string{"birthday", "imei", "latitude", "address_book", "contact_photo", "number2", "seconds_", "calls ", "__proto__", "ünïcode"}[chance.IntN(10)] + strings.Repeat("x", chance.IntN(3))
				more, at := withMore(t, chance, body, name)
				p := h.do(t, dev, http.MethodPost, root+path, more).problem(t, http.StatusUnprocessableEntity)
				if !strings.Contains(p.Detail, name) {
					t.Errorf("%s with %q at %s: %q", path, name, at, p.Detail)
				}
			}
		}
		if rows := h.Rows(t); len(rows) != 0 {
			t.Errorf("%d calls were kept of what was refused", len(rows))
		}
		var list Page[Device]
		h.get(t, "/devices", &list)
		if v := list.Items[0].AppVersion; v != "" {
			t.Errorf("the version %q was kept of a heartbeat that was refused", v)
		}
	})
}

// withMore puts a field into one of the objects of a body, chosen by chance.
func withMore(t *testing.T, chance *rand.Rand, body, name string) (text, at string) {
	t.Helper()
	var tree any
	if err := json.Unmarshal([]byte(body), &tree); err != nil {
		t.Fatal(err)
	}
	var all []map[string]any
	var paths []string
	var walk func(v any, path string)
	walk = func(v any, path string) {
		switch v := v.(type) {
		case map[string]any:
			all, paths = append(all, v), append(paths, path)
			for k, one := range v {
				walk(one, path+"."+k)
			}
		case []any:
			for i, one := range v {
				walk(one, fmt.Sprint(path, "[", i, "]"))
			}
		}
	}
	walk(tree, "")
	i := chance.IntN(len(all))
	all[i][name] = []any{"x", 1.5, true, nil, map[string]any{"a": 1}, []any{1}}[chance.IntN(6)]
	out, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	return string(out), paths[i]
}

// TestWhatPhonesSendIsInThePolicy holds every field that a phone may send to the fields of the shipped policy, so that
// nothing can come in that people are not told of.
func TestWhatPhonesSendIsInThePolicy(t *testing.T) {
	const nothing = "" // tells nothing about anybody: it only joins this message to another
	of := map[string]map[string]string{
		"Batch": {"calls": nothing, "waiting": "device/seen"},
		"SyncCall": {"client_key": nothing, "direction": "call.meta/direction", "type": "call.meta/direction", "presentation": "call.meta/number", "line": "call.meta/line", "sim": "call.meta/line",
			"name": "contact/name", "note": "call.note/note", "number": "call.meta/number", "seconds": "call.meta/duration", "start": "call.meta/start"},
		"Corrections":     {"corrections": nothing},
		"Correction":      {"call": nothing, "client_key": nothing, "id": nothing, "line": "call.meta/line", "sim": "call.meta/line", "start": "call.meta/start"},
		"Deletions":       {"calls": nothing},
		"CallRef":         {"client_key": nothing, "id": nothing, "line": "call.meta/line", "sim": "call.meta/line", "start": "call.meta/start"},
		"ForgottenOrders": {"done": nothing},
		"Digests":         {"digests": nothing},
		"Digest":          {"count": "device/seen", "day": "device/seen", "hash": nothing, "line": "call.meta/line"},
		"Heartbeat": {"app_version": "device/app_version", "battery": "device.battery/battery", "device_time": nothing, "last_call_at": "device/seen", "missing_permissions": "device/permissions",
			"model": "device/model", "os": "device/os", "sims": nothing, "waiting": "device/seen"},
		"SIM":           {"label": "device/line", "number": "device/line", "slot": "device/line", "subscription_id": "device/line"},
		"PhoneContacts": {"contacts": nothing, "group": nothing},
		"PhoneContact":  {"company": "contact/company", "emails": "contact/email", "first_name": "contact/name", "last_name": "contact/name", "numbers": "contact/number", "title": "contact/company"},
		"Labelled":      {"label": nothing, "text": "contact/number"},
		"Pairing": {"app_version": "device/app_version", "code": nothing, "install_id": "device/install_id", "model": "device/model", "name": "device/name", "os": "device/os",
			"sims": nothing},
	}
	shipped, err := policy.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	each(t, func(t *testing.T, h *house) {
		d := h.described(t)
		for path, methods := range d.Paths {
			body := methods["post"].RequestBody.Content["application/json"].Schema
			if !strings.HasPrefix(path, root+"/device/") || body == nil {
				continue
			}
			d.objects(body, path, func(at string, o *schema) {
				fields := slices.Sorted(maps.Keys(o.Properties))
				known := false
				for _, means := range of {
					known = known || slices.Equal(fields, slices.Sorted(maps.Keys(means)))
				}
				if !known {
					t.Errorf("%s has the fields %v: say in this test what each is in the policy", at, fields)
				}
			})
		}
	})
	for form, means := range of {
		for field, in := range means {
			category, name, _ := strings.Cut(in, "/")
			if c := shipped.Category(category); in != nothing && (c == nil || c.Fields[name] == nil) {
				t.Errorf("%s.%s is %s, which the policy does not have", form, field, in)
			}
		}
	}
}
