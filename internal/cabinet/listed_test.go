//go:build !race

// The key files laid out here take a key derivation each; see renewals_test.go.

package cabinet

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"senim/internal/agent"
	"senim/internal/cabinet/client"
	"senim/internal/lang"
	"senim/internal/pkitest"
	"senim/internal/ra"
	"senim/internal/robot"
	"senim/pki"
)

// compare opens the window from the agent's own side and acts in it.
func (o *owner) compare(leaf *pkitest.Leaf) string {
	o.s.t.Helper()
	file := o.files[leaf.Certificate.SerialHex()]
	acted := make(chan error, 1)
	go func() {
		acted <- o.robot.Window(o.s.t.Context(), robot.Choice{Key: file, Password: o.passwords[file]}, nil)
	}()
	said, ok, err := o.at.Do(o.s.t.Context(), agent.ActCompare, lang.EN)
	must(o.s.t, <-acted)
	if err != nil || !ok {
		o.s.t.Fatal(said, ok, err)
	}
	return said
}

// TestPain12Compared: the agent and the cabinet together. What is over is not listed, what is on hold is; other
// people's keys are not told; a key of an organisation tells of that organisation.
func TestPain12Compared(t *testing.T) {
	s := newSite(t)
	s.reach(accountantIIN, "", "a@example.kz")
	var answers []client.Listed
	w := s.way()
	w.change = func(path, body string) string {
		if path == "/api/keys" {
			var l client.Listed
			must(t, json.Unmarshal([]byte(body), &l))
			answers = append(answers, l)
		}
		return body
	}
	o := s.owner(w)
	mine := person("ТЕСТОВ ТЕСТ", "ТЕСТОВ", "ТЕСТОВИЧ", accountantIIN)
	head := mine
	head.BIN, head.Organization, head.Roles = binX, "АО «ТЕСТ»", []pki.Role{pki.RoleLegal, pki.RoleFirstHead}
	here, ofX := o.ending(mine, 200), o.ending(head, 100)
	there := func(h pki.Holder, reason string) *pkitest.Leaf {
		l := s.ca.add(s.ca.Authority.Issue(pkitest.Spec{Holder: h}))
		if reason != "" {
			_, err := s.ca.Revoke(t.Context(), l.Certificate.SerialHex(), reason, time.Time{}, "")
			must(t, err)
		}
		return l
	}
	unknown, held := there(head, ""), there(mine, "certificateHold")
	there(mine, "keyCompromise")
	there(s.holder(5, ""), "")                                                                                                        // somebody else's
	s.ca.add(s.ca.Authority.Issue(pkitest.Spec{Holder: mine, NotBefore: s.now.AddDate(-2, 0, 0), NotAfter: s.now.AddDate(-1, 0, 0)})) // over

	serials := func(l client.Listed) (out string) {
		for _, k := range l.Keys {
			c, err := pki.ParseCertificate(k.Certificate)
			must(t, err)
			out += c.SerialHex() + " "
			if k.Held {
				out += "held "
			}
		}
		return out
	}
	said := o.compare(here)
	if !strings.Contains(said, "in the cabinet: 4") || !strings.Contains(said, "not on this computer: 3") || !strings.Contains(said, "not opened yet (1)") {
		t.Error(said)
	}
	personal := serials(answers[0])
	for _, leaf := range []*pkitest.Leaf{here, ofX, unknown, held} {
		if !strings.Contains(personal, leaf.Certificate.SerialHex()) {
			t.Errorf("not listed: %s", leaf.Certificate.Holder().Organization)
		}
	}
	if strings.Count(personal, "held") != 1 || !strings.Contains(personal, held.Certificate.SerialHex()+" held") || answers[0].More {
		t.Errorf("%s %v", personal, answers[0].More)
	}
	if said = o.compare(ofX); !strings.Contains(said, "in the cabinet: 2") || !strings.Contains(said, "not on this computer: 1") || strings.Contains(serials(answers[1]), held.Certificate.SerialHex()) {
		t.Error(said)
	}
}

// TestListedGuard: the list is for who signed in, and bounded.
func TestListedGuard(t *testing.T) {
	s := newSite(t)
	if p := s.browser().get("/api/keys"); p.status != http.StatusUnauthorized || strings.Contains(p.body, "certificate") {
		t.Errorf("%d %s", p.status, p.body)
	}
	b := s.browser(s.personal(accountantIIN))
	b.enter("a@example.kz")
	one := s.ca.list(func(k ra.Key) bool { return k.IIN == accountantIIN })[0]
	s.ca.mu.Lock()
	for range client.MaxListed {
		s.ca.keys = append(s.ca.keys, one)
	}
	s.ca.mu.Unlock()
	var l client.Listed
	p := b.get("/api/keys")
	must(t, json.Unmarshal([]byte(p.body), &l))
	if p.status != http.StatusOK || len(l.Keys) != client.MaxListed || !l.More {
		t.Errorf("%d, %d keys, more %v", p.status, len(l.Keys), l.More)
	}
}
