package agent

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"senim/internal/ask"
	"senim/internal/pkitest"
	"senim/internal/revocation"
	"senim/internal/trust"
	"senim/pki"
)

// TestListAfterSilentResponder: a responder that says nothing leaves the list its time: a key that is revoked by a list
// which takes longer than the responder was waited for cannot be chosen.
func TestListAfterSilentResponder(t *testing.T) {
	responder, _ := silentService(t)
	var list atomic.Value
	lists := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(2 * time.Second) //nolint:forbidigo // it is slow itself
		_, _ = w.Write(list.Load().([]byte))
	}))
	t.Cleanup(lists.Close)
	source := revocation.New(revocation.Config{Inside: ask.Client()})
	b := bring(t, func(c *Config) { c.Revocation = source })
	list.Store([]byte{})
	leaf := b.authority.Issue(pkitest.Spec{Holder: company("ТОО «Алма»", "123456789021"), Change: func(t *pki.Template) {
		t.OCSP, t.CRL, t.DeltaCRL = []string{responder}, []string{lists.URL}, nil
	}})
	list.Store(b.authority.List(b.authority.Revoked(leaf.Certificate, pki.KeyCompromise)))
	b.key("GOST512_a.p12", leaf)
	s := b.dial(page)
	s.send(commonCall("signXml", `"PKCS12","SIGNATURE","<a/>","",""`))
	h := b.window()
	id := h.unlock("")
	if row := h.row(""); row.Fits || len(row.Reasons) != 1 || row.Reasons[0].Code != "revoked" {
		t.Errorf("a revoked key: %+v", row)
	}
	if p := h.problem("/decide", Decision{Key: id}); p.Code != "does_not_fit" {
		t.Errorf("%+v", p)
	}
	h.cancel()
}

// patient notes how long it was let look.
type patient struct {
	state trust.State
	times []time.Duration
}

func (p *patient) Status(ctx context.Context, _, _ *pki.Certificate, _ time.Time) trust.Status {
	end, _ := ctx.Deadline()
	p.times = append(p.times, time.Until(end))
	return trust.Status{State: p.state}
}

// TestSilentServicesAreNotWaitedForAgain: keys are opened by the dozen; where an issuer's services were silent a moment ago,
// the next key of it waits less, and as long as ever once they answer.
func TestSilentServicesAreNotWaitedForAgain(t *testing.T) {
	source := &patient{state: trust.StateUnknown}
	b := bring(t, func(c *Config) { c.Revocation = source })
	leaf := b.authority.Individual()
	ask := func() { b.agent.ask(t.Context(), leaf.Certificate) }
	ask()
	ask()
	source.state = trust.StateGood
	ask()
	ask()
	for i, want := range []time.Duration{statusTime, statusSilent, statusSilent, statusTime} {
		if got := source.times[i]; got > want || got < want-2*time.Second {
			t.Errorf("question %d was given %v, not %v", i, got, want)
		}
	}
}

// TestIssuerOfThePageIsNotAsked: an authority that only the page vouches for makes its keys fit, but its addresses are not
// asked, and what it says of its keys is not believed.
func TestIssuerOfThePageIsNotAsked(t *testing.T) {
	var asked atomic.Int64
	spy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(spy.Close)
	b := bring(t, func(c *Config) { c.Revocation = revocation.New(revocation.Config{Inside: ask.Client()}) })
	strange := pkitest.New(t, pkitest.Config{Name: "STRANGE"})
	leaf := strange.Issue(pkitest.Spec{Holder: company("ТОО «Алма»", "123456789021"), Change: func(t *pki.Template) {
		t.OCSP, t.CRL, t.DeltaCRL = []string{spy.URL}, []string{spy.URL}, []string{spy.URL}
	}})
	b.key("GOST512_a.p12", leaf)
	s := b.dial(page)
	s.send(`{"module":"kz.gov.pki.knca.basics","method":"sign","args":{"format":"cms","data":"MTEK","signingParams":{"decode":true},"signerParams":{"extKeyUsageOids":[],"chain":[` +
		quote(keyInfo(strange.CA).PEM) + "," + quote(keyInfo(strange.Root).PEM) + `]}}}`)
	h := b.window()
	h.unlock("")
	row := h.row("")
	if !row.Fits || asked.Load() != 0 {
		t.Errorf("fits %v, asked %d times: %+v", row.Fits, asked.Load(), row.Reasons)
	}
	said := false
	for _, r := range row.Remarks {
		said = said || r.Code == "unchecked"
		if r.Code == "not-revoked" {
			t.Error("what the page's own authority says counts")
		}
	}
	if !said {
		t.Errorf("nothing says that the key could not be checked: %+v", row.Remarks)
	}
	h.cancel()
}
