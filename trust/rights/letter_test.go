package rights_test

import (
	"strings"
	"testing"
	"time"

	"parley/platform/fault"
	"parley/trust/rights"
)

const received = "Received: from mx.example.net by calls.example.com; Mon, 2 Mar 2026 08:15:00 +0530\r\nReceived: from phone by mx.example.net; Sun, 1 Mar 2026 23:00:00 +0000\r\n"

func TestAMailBecomesARequest(t *testing.T) {
	at := time.Date(2026, 3, 2, 2, 45, 0, 0, time.UTC)
	for _, c := range []struct {
		name, mail string
		kind       rights.Kind
		text       string
	}{
		{"plain", received + "From: Meera Shah <meera@example.com>\r\nDate: Sat, 28 Feb 2026 10:00:00 +0530\r\nSubject: Please delete my data\r\n\r\nAll of it.\r\n", rights.Erasure, "Please delete my data\n\nAll of it."},
		{"quoted", received + "From: meera@example.com\r\nSubject: =?utf-8?q?=E0=A4=AE=E0=A5=87=E0=A4=B0=E0=A5=80?=\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=E0=A4=B6=E0=A4=BF=E0=A4=95=E0=A4=BE=E0=A4=AF=E0=A4=A4\r\n", rights.Complaint, "मेरी\n\nशिकायत"},
		{"parts", received + "From: meera@example.com\r\nSubject: Hello\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>Which <b>data</b></p>\r\n--b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\nV2hhdCBkYXRhIGRvIHlvdSBoYXZlPw==\r\n--b--\r\n", rights.Access, "Hello\n\nWhat data do you have?"},
		{"page", received + "From: meera@example.com\r\nSubject: Hello\r\nContent-Type: text/html\r\n\r\n<p>I withdraw my consent</p>", rights.Withdrawal, "Hello\n\nI withdraw my consent"},
		{"unclear", received + "From: meera@example.com\r\nSubject: Hello\r\n\r\nHi.\r\n", "", "Hello\n\nHi."},
	} {
		a, err := rights.ReadLetter(strings.NewReader(c.mail))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if a.Kind != c.kind || a.Text != c.text || a.Contact != "meera@example.com" || !a.Received.Equal(at) || a.Channel != rights.Mail {
			t.Errorf("%s: %+v", c.name, a)
		}
	}
	a, err := rights.ReadLetter(strings.NewReader("From: meera@example.com\r\nDate: Sat, 28 Feb 2026 10:00:00 +0530\r\n\r\nErase me."))
	if err != nil || !a.Received.Equal(time.Date(2026, 2, 28, 4, 30, 0, 0, time.UTC)) {
		t.Errorf("without a Received line: %+v, %v", a, err)
	}
	_, err = rights.ReadLetter(strings.NewReader("hello\n"))
	refused(t, err, fault.Invalid, "no mail")
	_, err = rights.ReadLetter(strings.NewReader("From: nobody\r\n\r\nhi"))
	refused(t, err, fault.Invalid, "who sent it")
}

func TestALetterOpensARequestWithItsDay(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a, err := rights.ReadLetter(strings.NewReader("Received: by us; Sat, 28 Feb 2026 10:00:00 +0000\r\nFrom: meera@example.com\r\nSubject: Delete me\r\n\r\n"))
		must(t, err)
		q, err := w.Take(t.Context(), w.owner, a)
		must(t, err)
		if q.Kind != rights.Erasure || q.State != rights.Received || !q.Due.Equal(time.Date(2026, 3, 15, 10, 0, 0, 0, time.UTC)) {
			t.Errorf("the request is %+v", q)
		}
		// Receipt is confirmed, and the link in the letter leads to the page where the person proves who they are.
		letter := w.letters[0]
		if letter.Kind != rights.LetterReceived || letter.Secret == "" || w.looked != 0 {
			t.Errorf("the letter is %+v", letter)
		}
		_, err = w.SendCode(t.Context(), w.org.ID, letter.Secret)
		must(t, err)
		q, err = w.Confirm(t.Context(), w.org.ID, letter.Secret, w.code(t))
		must(t, err)
		if q.Proof != rights.Code || q.State != rights.Planned {
			t.Errorf("the request is %+v", q)
		}
	})
}

func FuzzReadLetter(f *testing.F) {
	f.Add(received + "From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--")
	f.Add("From: a@b.example\r\nContent-Transfer-Encoding: base64\r\n\r\n////")
	f.Fuzz(func(t *testing.T, text string) {
		a, err := rights.ReadLetter(strings.NewReader(text))
		if err == nil && (a.Contact == "" || len([]rune(a.Text)) > 5000) {
			t.Errorf("%q gives %+v", text, a)
		}
	})
}
