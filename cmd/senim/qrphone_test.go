package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"senim/internal/auth"
	"senim/internal/mgov"
	"senim/internal/pkitest"
	"senim/internal/qr"
	"senim/internal/store/storetest"
	"senim/internal/trust"
	"senim/internal/web"
	"senim/pki"
)

// codes is a portal that has things signed by QR.
type codes struct {
	t    *testing.T
	desk *qr.Desk
	now  time.Time
}

// unrevoked knows no revoked certificate.
type unrevoked struct{}

func (unrevoked) Status(context.Context, *pki.Certificate, *pki.Certificate, time.Time) trust.Status {
	return trust.Status{State: trust.StateGood, Source: "ocsp"}
}

const browserSession = "a session of a browser"

func newCodes(t *testing.T, a *pkitest.Authority) *codes {
	t.Helper()
	c := &codes{t: t, now: now}
	clock := func() time.Time { return c.now }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	judge, err := trust.New(trust.Config{Pool: a.Pool(), Revocation: unrevoked{}, Now: clock})
	must(err)
	server := httptest.NewUnstartedServer(nil)
	origin := "http://" + server.Listener.Addr().String()
	store := storetest.SQLite(t)
	c.desk, err = qr.New(qr.Config{Store: store.QR(), Judge: judge, Key: make([]byte, 32), Site: "portal", Origin: origin, Now: clock,
		Organisation: mgov.Organisation{RU: "Портал \x1b[31m", KK: "Портал (kk)", EN: "The portal", BIN: "123456789021"}})
	must(err)
	sessions, err := auth.New(auth.Config{Store: store.Auth(), Judge: judge, Site: "portal", Origin: origin, Now: clock})
	must(err)
	shell, err := web.New(web.Config{Site: web.Site{Name: "portal", Origin: origin, Brand: "portal.brand"}, Auth: sessions, Now: clock, Phone: c.desk})
	must(err)
	server.Config.Handler = shell.Handler(http.NewServeMux())
	server.Start()
	t.Cleanup(server.Close)
	return c
}

// code makes a request: "signin", "xml", or "mix" of every method, "person" for a person who is not here.
func (c *codes) code(kind string) (text, handle string, err error) {
	a := qr.Ask{Action: "/login", Field: "answer", Back: "/login", What: "Келісім"}
	item := func(m mgov.Method, content string) {
		a.Items = append(a.Items, qr.Item{Method: m, Mime: "@file/pdf", Content: []byte(content)})
	}
	switch kind {
	case "signin":
		a.Purpose = "sign-in"
		item(mgov.CMSSignOnly, "senim-challenge 1\n")
	case "mix":
		item(mgov.CMSWithData, "%PDF-1.4")
		item(mgov.CMSSignOnly, "%PDF-1.5")
		item(mgov.XML, "<a>ә</a>")
	case "data":
		item(mgov.CMSWithData, "%PDF-1.4")
	case "person":
		a.IIN = "000000000000"
		item(mgov.XML, "<a/>")
	default:
		item(mgov.XML, "<a/>")
	}
	handle, err = c.desk.Make(c.t.Context(), browserSession, a)
	if err != nil {
		return "", "", err
	}
	r, err := c.desk.Own(c.t.Context(), browserSession, handle)
	return mgov.Text(c.desk.Address(r)), handle, err
}

// The person decides; what was signed goes on as the agent's answers would.
func TestQRPhoneAsks(t *testing.T) {
	dir := t.TempDir()
	portal := newCodes(t, prepare(t, dir).a)
	for _, c := range []struct {
		typed string
		want  int
	}{{"y\n", statusGood}, {"Y", statusGood}, {"n\n", statusBad}, {"\n", statusBad}, {"", statusBad}, {"yes please\n", statusBad}} {
		text, handle, err := portal.code("mix")
		if err != nil {
			t.Fatal(err)
		}
		var out, errs bytes.Buffer
		p := &program{Args: []string{"qr-phone", "--key", filepath.Join(dir, "individual.p12"), "--password-file", filepath.Join(dir, "pw.txt"), text},
			Stdin: strings.NewReader(c.typed), Stdout: &out, Stderr: &errs, Now: func() time.Time { return now }}
		if got := p.Run(t.Context()); got != c.want {
			t.Errorf("%q: exits with %d, want %d\n%s%s", c.typed, got, c.want, out.String(), errs.String())
		}
		if !strings.Contains(errs.String(), "Sign? [y/N]") {
			t.Errorf("%q: nothing was asked", c.typed)
		}
		r, err := portal.desk.Own(t.Context(), browserSession, handle)
		if err != nil || (r.State == qr.Signed) != (c.want == statusGood) {
			t.Errorf("%q: the request is %s, %v", c.typed, r.State, err)
		}
		if c.want == statusGood && (len(r.Answer) != 3 || !strings.Contains(r.Answer[2], "<a>ә")) {
			t.Errorf("answers %d", len(r.Answer))
		}
	}
}
