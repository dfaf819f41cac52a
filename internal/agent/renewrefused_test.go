package agent

import (
	"strings"
	"testing"

	"senim/internal/pkitest"
)

// TestRefusedRenewalIsOver: a renewal that the cabinet refused at the start goes on no more: when a newer key is here, the
// old one is not offered again.
func TestRefusedRenewalIsOver(t *testing.T) {
	for _, path := range []string{"/api/renewals/signin", "/api/renewals"} {
		cabinet := &fakeCabinet{}
		b := bring(t, func(c *Config) { c.Cabinet, c.CabinetTransport = cabinetOrigin, cabinet })
		cabinet.set(ways{refuse: path})
		in := func(days int) *pkitest.Leaf {
			return b.authority.Issue(pkitest.Spec{Holder: pkitest.Person(), NotBefore: b.clock().AddDate(-1, 0, days), NotAfter: b.clock().AddDate(0, 0, days)})
		}
		b.key("old.p12", in(20))
		h, end := b.do(ActRenew)
		h.unlock("old.p12")
		h.decideAll(Decision{NewPassword: "Another77", NewPassword2: "Another77"})
		if said, ok, err := end(); err != nil || !ok || !strings.Contains(said, "not renewed: 1") {
			t.Errorf("%s: %q %v %v", path, said, ok, err)
		}
		b.key("new.p12", in(360))
		h, end = b.do(ActRenew)
		h.unlock("old.p12")
		h.unlock("new.p12")
		if row := h.row("old.p12"); row.Fits || len(row.Reasons) != 1 || row.Reasons[0].Code != "replaced" {
			t.Errorf("%s: %+v", path, row)
		}
		h.cancel()
		_, _, _ = end()
	}
}
