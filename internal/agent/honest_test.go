package agent

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"senim/cms"
	"senim/internal/keystore"
	"senim/internal/lang"
	"senim/internal/pkitest"
	"senim/internal/trust"
	"senim/pfx"
)

// TestNURSignFileIsWhatIsShown: of a file that is a signed message the message itself is shown, signed and sent, not what is in it.
func TestNURSignFileIsWhatIsShown(t *testing.T) {
	b := bring(t)
	b.key("GOST512_a.p12", b.authority.Individual())
	s := b.dial(page)
	for _, attached := range []string{"true", "false"} {
		der := unbase(t, object[string](t, b.sign(s, commonCall("createCAdESFromBase64", `"PKCS12","","aW5uZXIgd29yZHM=",`+attached), "")))
		path := filepath.Join(b.folder, "contract-"+attached+".cms")
		if err := os.WriteFile(path, der, 0o600); err != nil {
			t.Fatal(err)
		}
		var signature []byte
		b.agent.downloader = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			if err := r.ParseMultipartForm(1 << 20); err != nil {
				t.Error(err)
			}
			signature = unbase(t, r.FormValue("signature"))
			return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Header: http.Header{}, Request: r}, nil
		})}
		s.send(`{"module":"NURSign","type":"file","data":{"token":"x","url_upload":"` + page + `/up"}}`)
		b.window().decide(Decision{File: path})
		h := b.window()
		if d := h.view.Documents[0]; d.Size != len(der) || d.Name != path || d.Text != "" || !strings.HasPrefix(d.Kind, "binary") {
			t.Errorf("attached %s: %+v", attached, d)
		}
		h.decide(Decision{Key: h.unlock("")})
		s.read()
		sd, err := cms.Parse(signature)
		if err != nil {
			t.Fatal(err)
		}
		if v, err := sd.Verify(der); err != nil || len(v) != 1 || v[0].Err != nil {
			t.Errorf("attached %s: the signature is not over the file that was shown: %v", attached, err)
		}
	}
}

// TestKeyFilesAreNoDocuments: a private key is known as one under any name and wherever it stands in the file.
func TestKeyFilesAreNoDocuments(t *testing.T) {
	b := bring(t)
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	e, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p8, err := x509.MarshalPKCS8PrivateKey(r)
	if err != nil {
		t.Fatal(err)
	}
	ec, err := x509.MarshalECPrivateKey(e)
	if err != nil {
		t.Fatal(err)
	}
	leaf := b.authority.Individual()
	sealed, err := pfx.EncryptPrivateKey(rand.Reader, leaf.Key, []byte("Qwerty12"))
	if err != nil {
		t.Fatal(err)
	}
	chain := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: slices.Concat(leaf.Certificate.Raw, make([]byte, 5000))}))
	for name, content := range map[string]string{
		"chain.pem": chain + string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: p8})),
		"ssh":       strings.Repeat("#\n", 4000) + "-----BEGIN OPENSSH PRIVATE KEY-----\n",
		"putty.txt": "PuTTY-User-Key-File-3: ssh-rsa\n",
		"pkcs8.bin": string(p8),
		"pkcs1.bin": string(x509.MarshalPKCS1PrivateKey(r)),
		"ec.bin":    string(ec),
		"sealed":    string(sealed),
		"jceks":     "\xce\xce\xce\xce\x00\x00\x00\x02",
	} {
		path := filepath.Join(b.folder, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := b.agent.locate(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.document(); !errors.Is(err, errKeyFile) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := l.open(1); !errors.Is(err, errTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
		if held := open(t, path); held > 0 {
			t.Errorf("%s is refused, and stays open %d times", name, held)
		}
	}
	// What only resembles one is read.
	stamp := []byte{0x30, 0x0b, 0x02, 0x01, 0x01, 0x30, 0x03, 0x30, 0x01, 0x00, 0x02, 0x01, 0x07}
	for name, content := range map[string][]byte{"certificate": leaf.Certificate.Raw, "request": stamp, "text": []byte("0, 1, 2"), "empty": nil} {
		path := filepath.Join(b.folder, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := b.agent.locate(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.document(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRevokedKeyReplacesNone: of two keys of one owner the newer one was revoked, or its file is gone: the older one stays in the
// calendar and the reminder, and nobody is led to revoke it.
func TestRevokedKeyReplacesNone(t *testing.T) {
	for _, how := range []string{"revoked", "gone", "good"} {
		b := bring(t)
		b.issue("old.p12", company("ТОО «Алма»", "123456789021"), 20)
		newer := b.issue("new.p12", company("ТОО «Алма»", "123456789021"), 360)
		h := b.home()
		h.learn("old.p12")
		h.learn("new.p12")
		switch how {
		case "revoked":
			b.agent.known.note(newer.Certificate, status{trust.Status{State: trust.StateRevoked, RevokedAt: b.clock()}, b.clock()})
		case "gone":
			if err := os.Remove(filepath.Join(b.folder, "new.p12")); err != nil {
				t.Fatal(err)
			}
		}
		h.act("/look", map[string]any{})
		_, reminder := b.agent.Reminder()
		advised := false
		for _, list := range b.agent.leftovers(keystore.Scan([]string{b.folder}), lang.EN) {
			advised = advised || slices.ContainsFunc(list, func(r Remark) bool { return r.Code == "replaced" })
		}
		good := how == "good"
		if len(h.view.Due) != 1 || (h.view.Due[0].Stage == "30") == good || (reminder == "") != good || advised != good {
			t.Errorf("%s: calendar %+v, reminder %q, advised to revoke the older one: %v", how, h.view.Due, reminder, advised)
		}
	}
}

// TestRefusalsCanBeStopped: windows that only say why nothing is done are counted as the others: after three in a minute the
// person can send the site away.
func TestRefusalsCanBeStopped(t *testing.T) {
	for name, request := range map[string]func(i int) string{
		"file": func(i int) string {
			return commonCall("createCAdESFromFile", fmt.Sprintf(`"PKCS12","","/no/such/%d",true`, i))
		},
		"module": func(i int) string { return fmt.Sprintf(`{"module":"kz.unknown.m%d","method":"x"}`, i) },
		"install": func(int) string {
			return keysCall("install", `{"requestId":"r","certificates":["`+base64.StdEncoding.EncodeToString(strange(t))+`"]}`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := bring(t)
			s := b.dial(page)
			for i := range 4 {
				s.send(request(i))
				h := b.window()
				if (h.view.Block != "") != (i == 3) {
					t.Fatalf("window %d, %s: the way to send the site away is %q", i, h.view.Kind, h.view.Block)
				}
				if i == 3 {
					h.post("/cancel", map[string]any{"block": true}, nil)
				} else {
					h.decide(Decision{})
				}
				s.read()
				for deadline := time.Now().Add(10 * time.Second); !b.agent.notices.over() && time.Now().Before(deadline); {
					time.Sleep(5 * time.Millisecond) //nolint:forbidigo // one notice at a time; its end has no signal
				}
			}
			s.send(request(9))
			s.read()
			b.noWindow()
		})
	}
}

// strange is a certificate whose key is nowhere here.
func strange(t *testing.T) []byte {
	return pkitest.New(t).Individual().Certificate.Raw
}

func (n *notices) over() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.shown == nil
}

// open counts how often this process has a file open, where that can be told.
func open(t *testing.T, path string) (n int) {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0 // another system; Windows' own tests cannot delete what is open
	}
	for _, e := range list {
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && to == path {
			n++
		}
	}
	return n
}
