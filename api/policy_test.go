package api

import (
	"net/http"
	"strings"
	"testing"

	"parley/account"
	"parley/trust/policy"
)

func TestThePolicyIsReadCheckedAndPublished(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var v PolicyVersion
		h.get(t, "/policy", &v)
		if v.Version != 0 || policy.Hash(v.Text) != v.Hash || !strings.Contains(v.Text, "call.meta:") {
			t.Errorf("shipped: version %d, hash %s", v.Version, v.Hash)
		}
		var c PolicyCheck
		h.send(t, http.MethodPost, "/policy/check", PolicyText{Text: v.Text}, http.StatusOK, &c)
		if len(c.Findings) == 0 || c.Version != 1 {
			t.Errorf("a policy without an address is right: %+v", c)
		}
		h.send(t, http.MethodPost, "/policy/versions", PolicyText{Text: v.Text}, http.StatusUnprocessableEntity, nil)
		text := policy.DefaultText(policy.Facts{Name: h.Org.Name, Country: "IN", Address: "12 Ring Road, Pune", Contact: "privacy@asha.example", Grievance: policy.Officer{Name: "Meera Joshi", Email: "privacy@asha.example"}})
		h.send(t, http.MethodPost, "/policy/check", PolicyText{Text: strings.Replace(text, "answer: 15d", "answer: 20d", 1), Language: "en"}, http.StatusOK, &c)
		if len(c.Findings) > 0 || !c.Material || c.Changes[0].Sentence != "Answer to a request: 20 days instead of 15 days." {
			t.Errorf("checked: %+v", c)
		}
		h.send(t, http.MethodPost, "/policy/versions", PolicyText{Text: text}, http.StatusCreated, &v)
		if v.Version != 1 || v.Text != text {
			t.Errorf("published: version %d", v.Version)
		}
		var all PolicyVersions
		h.get(t, "/policy/versions", &all)
		if len(all.Items) != 1 || all.Items[0].Hash != v.Hash || all.Items[0].Text != "" {
			t.Errorf("versions: %+v", all.Items)
		}
		h.get(t, "/policy/versions/1", &v)
		h.do(t, h.owner, http.MethodGet, root+"/policy/versions/2", nil).read(t, http.StatusNotFound, nil)
		for text, want := range map[string]string{"page": "# Privacy at", "register": "# Register of", "recipients": "# Recipients of", "annex?customer=Customer": "Customer"} {
			var p PolicyPage
			h.get(t, "/policy/texts/"+text, &p)
			if !strings.Contains(p.Text, want) {
				t.Errorf("%s does not say %q", text, want)
			}
		}
	})
}

// The purpose gate stands in front of the API, too.
func TestWhatThePolicyDoesNotAllowIsDenied(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.Accounts.SetGate(h.api.Policies.Gate)
		h.get(t, "/reports/summary?from=2026-03-02&to=2026-03-03", nil)
		text := policy.DefaultText(policy.Facts{Name: h.Org.Name, Country: "IN", Address: "12 Ring Road, Pune", Contact: "privacy@asha.example", Grievance: policy.Officer{Name: "Meera Joshi", Email: "privacy@asha.example"}})
		text = strings.Replace(text, "purposes: [call_ops, reports, security, rights, legal]", "purposes: [call_ops, security, rights, legal]", 1)
		h.send(t, http.MethodPost, "/policy/versions", PolicyText{Text: text}, http.StatusCreated, nil)
		got := h.do(t, h.owner, http.MethodGet, root+"/reports/summary?from=2026-03-02&to=2026-03-03", nil).read(t, http.StatusForbidden, nil)
		if !strings.Contains(got.text, "privacy policy does not allow") {
			t.Errorf("the refusal does not say why: %s", got.text)
		}
		h.get(t, "/members", nil)
		if _, ok := policy.UseOf(account.ReadReports); !ok {
			t.Error("reports declare no use")
		}
	})
}
