package api

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"parley/account"
)

func TestWhileAnOrganisationClosesProgramsLookAndAnswer(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		owner, err := h.Accounts.Owner(t.Context(), h.Org.ID)
		if err != nil {
			t.Fatal(err)
		}
		token := h.token(t, h.Org, owner.ID, account.Permissions()...)
		var out Closing
		h.do(t, token, http.MethodPost, root+"/organisation/close", ClosingOrder{Days: 7}).read(t, http.StatusOK, &out)
		if !out.Closing {
			t.Fatal("the organisation is not being closed")
		}
		var writes []string
		for _, r := range Routes() {
			p := account.Permission(r.Needs)
			if r.Needs == NeedsNothing || r.Needs == NeedsDevice {
				continue
			}
			may := slices.Contains(account.WhileClosing(), p)
			if r.Method != http.MethodGet && may {
				writes = append(writes, r.Method+" "+strings.TrimPrefix(r.Path, root))
				continue
			}
			if got := h.do(t, token, r.Method, concrete(r.Path), nil).StatusCode; (got == http.StatusForbidden) == may {
				t.Errorf("%s %s gave the owner of a closing organisation %d", r.Method, r.Path, got)
			}
		}
		slices.Sort(writes)
		golden(t, "testdata/closing.txt", strings.Join(writes, "\n")+"\n")
		h.do(t, token, http.MethodPost, root+"/organisation/reopen", nil).read(t, http.StatusOK, &out)
		if out.Closing {
			t.Error("the closing was not taken back")
		}
	})
}
