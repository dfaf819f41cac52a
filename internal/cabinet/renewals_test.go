//go:build !race

// New key files are hundreds of millions of rounds of a key derivation, which the race detector makes twenty
// times as long: tools/test.sh runs these tests without it.

package cabinet

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"senim/internal/agent"
	"senim/internal/ident"
	"senim/internal/lang"
	"senim/internal/pkitest"
	"senim/internal/ra"
	"senim/internal/robot"
	"senim/internal/trust"
	"senim/pfx"
	"senim/pki"
)

// way leads from the cabinet's origin to the test's server. Before a renewal is read, the jobs of the
// authority run.
type way struct {
	s    *site
	fail func(*http.Request) bool
	// change replaces an answer.
	change func(path, body string) string
	under  http.RoundTripper
}

func (s *site) way() *way {
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, s.server.Listener.Addr().String())
	}
	return &way{s: s, under: &http.Transport{DialContext: dial, DisableKeepAlives: true}}
}

func (w *way) RoundTrip(r *http.Request) (*http.Response, error) {
	if w.fail != nil && w.fail(r) {
		return nil, &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}
	}
	if id, ok := strings.CutPrefix(r.URL.Path, "/api/renewals/"); ok && r.Method == http.MethodGet {
		w.s.issueBatch(id)
	}
	res, err := w.under.RoundTrip(r)
	if err != nil || w.change == nil {
		return res, err
	}
	b, err := io.ReadAll(res.Body)
	if err := errors.Join(err, res.Body.Close()); err != nil {
		return nil, err
	}
	res.Body, res.ContentLength = io.NopCloser(strings.NewReader(w.change(r.URL.Path, string(b)))), -1
	return res, err
}

// owner is a person at his machine, with an agent that knows the cabinet.
type owner struct {
	*accountant
	at    *agent.Agent
	robot *robot.Agent
}

func (s *site) owner(w *way) *owner {
	s.t.Helper()
	o := &owner{accountant: &accountant{folder: s.t.TempDir(), browser: s.browser(), passwords: map[string]string{}, files: map[string]string{}}}
	windows := make(chan string, 4)
	var err error
	o.at, err = agent.New(agent.Config{Listen: "127.0.0.1:0", Data: s.t.TempDir(), Folders: []string{o.folder}, Pool: s.ca.Pool(), Now: func() time.Time { return s.now },
		OldKeyFiles: true, Cabinet: origin, CabinetTransport: w, Browser: func(url string) (func(), error) { windows <- url; return nil, nil }})
	must(s.t, err)
	o.robot = robot.NewAgent("", windows)
	return o
}

// ending issues a key that ends in so many days and lays it into the folder.
func (o *owner) ending(h pki.Holder, days int) *pkitest.Leaf {
	end := o.s.now.AddDate(0, 0, days)
	leaf := o.s.ca.add(o.s.ca.Authority.Issue(pkitest.Spec{Holder: h, NotBefore: end.AddDate(-1, 0, 0), NotAfter: end}))
	o.put(leaf)
	return leaf
}

// renew opens the window from the agent's own side and acts in it.
func (o *owner) renew(c robot.Choice, seen func(robot.View)) (agent.Renewed, bool, error) {
	o.s.t.Helper()
	acted := make(chan error, 1)
	go func() { acted <- o.robot.Window(o.s.t.Context(), c, seen) }()
	r, ok, err := o.at.Renew(o.s.t.Context(), lang.RU)
	must(o.s.t, <-acted)
	return r, ok, err
}

// TestRenewalRefusesOldPassword: the new files of a renewal are not under the password of the old ones (cabinet.md K5);
// nothing is made before that, and the same window goes on with another.
func TestRenewalRefusesOldPassword(t *testing.T) {
	s := newSite(t)
	s.reach(accountantIIN, "", "a@example.kz")
	o := s.owner(s.way())
	o.ending(person("ТЕСТОВ ТЕСТ", "ТЕСТОВ", "ТЕСТОВИЧ", accountantIIN), 20)
	old := ""
	for _, p := range o.passwords {
		old = p
	}
	acted := make(chan error, 1)
	go func() {
		acted <- o.robot.Window(t.Context(), robot.Choice{Passwords: o.passwords, NewPassword: old}, nil)
	}()
	r, ok, err := o.at.Renew(t.Context(), lang.RU)
	if refused := <-acted; refused == nil || !strings.Contains(refused.Error(), "same_password") {
		t.Errorf("the old password: %v", refused)
	}
	if ok || err != nil || r.Done != 0 || len(o.newFiles(old)) != 1 {
		t.Errorf("%+v %v %v, %d files under the old password", r, ok, err, len(o.newFiles(old)))
	}
	if r, ok, err := o.renew(robot.Choice{Passwords: o.passwords, NewPassword: newPassword}, nil); err != nil || !ok || r.Done != 1 || len(o.newFiles(newPassword)) != 1 {
		t.Errorf("%+v %v %v", r, ok, err)
	}
}

// newFiles opens the key files that the new password opens.
func (o *owner) newFiles(password string) (serials []string) {
	o.s.t.Helper()
	entries, err := os.ReadDir(o.folder)
	must(o.s.t, err)
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(o.folder, e.Name()))
		must(o.s.t, err)
		if f, err := pfx.Decode(b, password); err == nil {
			serials = append(serials, f.Certificate.SerialHex())
		}
	}
	return serials
}

const newPassword = "NewSecret7"

// TestPain08RenewAllDueKeys: one window, one consent, one new password; no page of the cabinet. The key
// that waits for its head is finished by the next renewal, where it stood.
func TestPain08RenewAllDueKeys(t *testing.T) {
	s := newSite(t)
	s.reach(accountantIIN, "", "a@example.kz")
	o := s.owner(s.way())
	mine := person("ТЕСТОВ ТЕСТ", "ТЕСТОВ", "ТЕСТОВИЧ", accountantIIN)
	head := mine
	head.BIN, head.Organization, head.Roles = binX, "АО «ТЕСТ»", []pki.Role{pki.RoleLegal, pki.RoleFirstHead}
	s.registry[ident.BIN(binX)] = ra.HeadAnswer{Verdict: trust.Good, IIN: accountantIIN, Organization: head.Organization, AsOf: s.now}
	staff := s.holder(7, binY, pki.RoleLegal, pki.RoleEmployee)
	s.registry[ident.BIN(binY)] = ra.HeadAnswer{Verdict: trust.Good, IIN: s.holder(9, "").IIN, Organization: staff.Organization, AsOf: s.now}
	due := []*pkitest.Leaf{o.ending(mine, 20), o.ending(head, 3), o.ending(staff, 29)}
	later := o.ending(s.holder(30, ""), 31)
	over := o.ending(s.holder(31, ""), -1)
	foreign := pkitest.New(t, pkitest.Config{Name: "OTHER"}).Individual()
	o.put(foreign)

	r, ok, err := o.renew(robot.Choice{Passwords: o.passwords, NewPassword: newPassword}, nil)
	if err != nil || !ok || r != (agent.Renewed{Done: 2, Waiting: 1}) {
		t.Fatalf("%+v %v %v", r, ok, err)
	}
	if got := o.newFiles(newPassword); len(got) != 2 {
		t.Fatalf("%d new files", len(got))
	}
	for i, want := range []bool{true, true, false} {
		k, err := s.ca.Key(t.Context(), due[i].Certificate.SerialHex())
		must(t, err)
		if want { // each new key has signed that it is installed
			must(t, s.store.RA().View(t.Context(), func(tx ra.Tx) error {
				f, err := tx.First(t.Context(), k.ReplacedBy)
				if err == nil && (f.Purpose != ra.PurposeInstall || !strings.Contains(f.Challenge, "origin: "+origin+"\n")) {
					t.Errorf("the first signature of key %d: %q", i, f.Challenge)
				}
				return err
			}))
		}
		if (k.ReplacedBy != "") != want || !k.RevokedAt.IsZero() {
			t.Errorf("key %d: replaced by %q, revoked %v", i, k.ReplacedBy, k.RevokedAt)
		}
	}
	for _, leaf := range []*pkitest.Leaf{later, over} {
		if k, _ := s.ca.Key(t.Context(), leaf.Certificate.SerialHex()); k.ReplacedBy != "" {
			t.Error("renewed a key that is not due")
		}
	}

	// The head confirms; the next renewal offers only that key, and needs its old password alone.
	list, err := s.office.Batches(t.Context(), accountantIIN)
	must(t, err)
	s.confirmBatch(list[0].ID)
	var offered []string
	r, ok, err = o.renew(robot.Choice{Passwords: o.passwords, Password: newPassword, NewPassword: newPassword}, func(v robot.View) {
		for _, k := range v.Keys {
			offered = append(offered, k.File)
		}
	})
	if err != nil || !ok {
		t.Fatalf("%+v %v", r, err)
	}
	if want := o.files[due[2].Certificate.SerialHex()]; len(offered) < 2 || offered[0] != want || slices.Contains(offered, o.files[due[0].Certificate.SerialHex()]) {
		t.Errorf("offered %v, want %s first, then personal keys to sign in with", offered, want)
	}
	if r != (agent.Renewed{Done: 1}) || len(o.newFiles(newPassword)) != 3 {
		t.Errorf("%+v, %d new files", r, len(o.newFiles(newPassword)))
	}
}

// TestPain08Pain13CodeAndRetry: the cabinet's code is typed in the agent's window; a cabinet that does not
// answer in the middle loses nothing, and pressing again goes on.
func TestPain08Pain13CodeAndRetry(t *testing.T) {
	s := guarded(t)
	s.reach(accountantIIN, "", "a@example.kz")
	w := s.way()
	o := s.owner(w)
	o.ending(person("ТЕСТОВ ТЕСТ", "ТЕСТОВ", "ТЕСТОВИЧ", accountantIIN), 12)
	asked := 0
	code := func(context.Context) (string, error) {
		asked++
		return s.letter("N-21").Vars["code"], nil
	}
	for _, at := range []string{"/signin", "/keys", "/sign", "/install"} {
		w.fail = func(r *http.Request) bool { return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, at) }
		if _, ok, err := o.renew(robot.Choice{Passwords: o.passwords, NewPassword: newPassword, Code: code, Stop: true}, nil); ok || err != nil {
			t.Fatalf("no way at %s: %v %v", at, ok, err)
		}
	}
	if got := o.newFiles(newPassword); len(got) != 1 { // written before the cabinet could be told
		t.Errorf("%d new files", len(got))
	}
	w.fail = nil
	r, ok, err := o.renew(robot.Choice{Passwords: o.passwords, NewPassword: newPassword, Code: code}, nil)
	if err != nil || !ok || r != (agent.Renewed{Done: 1}) {
		t.Fatalf("%+v %v %v", r, ok, err)
	}
	if got := o.newFiles(newPassword); len(got) != 1 || asked != 1 {
		t.Errorf("%d new files, %d codes asked", len(got), asked)
	}
}

// TestRenewalHostileCabinet: a cabinet that asks for anything else than the renewal gets no signature.
func TestRenewalHostileCabinet(t *testing.T) {
	s := newSite(t)
	s.reach(accountantIIN, "", "a@example.kz")
	for name, change := range map[string]func(path, body string) string{
		"another site's challenge": func(path, body string) string {
			if strings.HasSuffix(path, "/challenge") {
				text := "senim-challenge 1\norigin: https://bank.example\npurpose: sign-in\n"
				return `{"challenge":"` + base64.StdEncoding.EncodeToString([]byte(text)) + `"}`
			}
			return body
		},
		"another document": func(_, body string) string {
			return strings.ReplaceAll(body, `\u003creplaces\u003e`, `\u003creplaces\u003e1`)
		},
		"another holder's": func(_, body string) string {
			return strings.ReplaceAll(body, `\u003ciin\u003e`+accountantIIN, `\u003ciin\u003e850101400001`)
		},
		"other requests": func(_, body string) string {
			return regexp.MustCompile(`sha256\\u003e[0-9a-f]{8}`).ReplaceAllString(body, `sha256\u003e00000000`)
		},
		"an application and more": func(_, body string) string {
			return strings.ReplaceAll(body, `\u003csigner\u003e`, `\u003cstatement\u003eI owe\u003c/statement\u003e\u003csigner\u003e`)
		},
		"two holders": func(_, body string) string {
			return strings.ReplaceAll(body, `\u003ciin\u003e`, `\u003ciin\u003e850101400001\u003c/iin\u003e\u003ciin\u003e`)
		},
		"an attribute more": func(_, body string) string {
			return strings.ReplaceAll(body, `\u003csigner\u003e`, `\u003csigner of=\"me\"\u003e`)
		},
		"not an application": func(_, body string) string {
			return strings.ReplaceAll(body, `application version`, `contract version`)
		},
		"keys for another name": func(_, body string) string {
			return strings.ReplaceAll(body, `"iin":"`+accountantIIN, `"iin":"850101400001`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := s.way()
			o := s.owner(w)
			o.ending(person("ТЕСТОВ ТЕСТ", "ТЕСТОВ", "ТЕСТОВИЧ", accountantIIN), 12)
			changed, signed := false, 0
			w.change = func(path, body string) string {
				after := change(path, body)
				changed = changed || after != body
				return after
			}
			w.fail = func(r *http.Request) bool {
				if strings.HasSuffix(r.URL.Path, "/signin") || strings.HasSuffix(r.URL.Path, "/sign") {
					b, err := io.ReadAll(r.Body)
					must(t, err)
					r.Body = io.NopCloser(bytes.NewReader(b))
					if q, err := url.ParseQuery(string(b)); err != nil || strings.Contains(q.Get("answer"), "SignatureValue") || strings.HasSuffix(r.URL.Path, "/signin") && name == "another site's challenge" {
						signed++
					}
				}
				return false
			}
			r, _, err := o.renew(robot.Choice{Passwords: o.passwords, NewPassword: newPassword, Stop: true}, nil)
			if err != nil || r.Done > 0 || signed > 0 || !changed {
				t.Errorf("%+v %v, signed %d, changed %v", r, err, signed, changed)
			}
		})
	}
}
