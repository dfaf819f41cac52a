package agent

import (
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	"senim/internal/keystore"
	"senim/internal/ncalayer"
)

// TestPagesGetNoPathOfTheKeychain: nor where the system's keychain would be.
func TestPagesGetNoPathOfTheKeychain(t *testing.T) {
	bus := &net.OpError{Op: "dial", Net: "unix", Addr: &net.UnixAddr{Name: "/run/of/person/bus", Net: "unix"}, Err: os.ErrPermission}
	err := &keystore.Failure{Reason: "pending_key_unreadable", Err: fmt.Errorf("%w: %w", keystore.ErrNoKeychain, bus)}
	if got := asRefusal(err, ncalayer.CodeImporting).Details; got != "pending_key_unreadable: the system's keychain is not available" {
		t.Errorf("%s", got)
	}
}

// TestPagesGetOwnWords: what a page is told of a service that cannot be reached names no address of the person's network.
func TestPagesGetOwnWords(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close() // nobody is there
	stamps := map[string]string{}
	b := bring(t, func(c *Config) { c.Stamps = stamps })
	leaf := b.authority.Individual()
	stamps[hex.EncodeToString(leaf.Certificate.AuthorityKeyID)] = "http://" + address
	b.key("GOST512_a.p12", leaf)
	s := b.dial(page)
	plain := b.sign(s, commonCall("createCAdESFromBase64", `"PKCS12","","MTEK",true`), "")
	for name, request := range map[string]string{
		"commonUtils": commonCall("createCMSSignatureFromBase64", `"PKCS12","","MTEK",true`),
		"basics":      basicsCall("cms", `"MTEK"`, `{"tsaProfile":{}}`, anyKey),
		"applyCAdEST": commonCall("applyCAdEST", `"PKCS12","",`+quote(object[string](t, plain))),
	} {
		s.send(request)
		h := b.window()
		d := Decision{}
		if name != "applyCAdEST" {
			d.Key = h.unlock("")
		}
		if p := h.problem("/decide", d); p.Code != "no_stamp" || !strings.Contains(p.Text, address) { // the person is told all
			t.Errorf("%s: %+v", name, p)
		}
		h.cancel()
		got := s.read()
		for _, no := range []string{"127.0.0.1", address, "dial", "refused", "tcp", "http"} {
			if strings.Contains(got, no) {
				t.Errorf("%s: the page gets %q: %s", name, no, got)
			}
		}
		if !strings.Contains(got, "time-stamp service: no answer") {
			t.Errorf("%s: %s", name, got)
		}
	}
}
