package token

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"senim/algid"
	"senim/gost"
)

// The test's own program is what senim-token is to senimd: started with an argument, it serves a token
// made of Go keys, in the way the argument says.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "serve-token" {
		serveFake(os.Args[2], os.Args[3])
		return
	}
	os.Exit(m.Run())
}

// fake is a token in memory, with one key beforehand.
type fake struct {
	mode string
	keys map[string]crypto.Signer
	kept map[string][]byte // certificates
}

func serveFake(mode, counter string) {
	f, err := os.OpenFile(counter, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = fmt.Fprintln(f, strings.Join(os.Args, " "), os.Environ())
	}
	if err == nil && mode == "silent from the start" {
		select {}
	}
	if err == nil {
		err = Serve(os.Stdin, os.Stdout, func(at Config) (Driver, error) {
			switch {
			case at.Module != "driver.so" || at.Label != "label" || at.Serial != "" && at.Serial != "1":
				return nil, errors.New("no such token")
			case string(at.PIN) != "1234":
				return nil, ErrPIN
			}
			der, err := os.ReadFile(counter + ".key")
			if err != nil {
				return nil, err
			}
			key, err := x509.ParsePKCS1PrivateKey(der)
			return &fake{mode, map[string]crypto.Signer{"here": key}, map[string][]byte{}}, err
		}, func(module string) ([]Plugged, error) {
			if module != "driver.so" {
				return nil, errors.New("no such driver")
			}
			return []Plugged{{Problem: "unreadable\nin two lines " + strings.Repeat("x", 1000)}, {Label: "label", Final: true, Certificates: []Certificate{{ID: []byte("here"), DER: []byte("der")}}}}, nil
		})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func (f *fake) Key(name string) ([]byte, error) {
	key, ok := f.keys[name]
	if !ok {
		return nil, ErrNotFound
	}
	return algid.MarshalPublicKey(key.Public())
}

func (f *fake) Generate(name string, kind Kind, bits int) ([]byte, error) {
	if _, ok := f.keys[name]; ok {
		return nil, ErrExists
	}
	var key crypto.Signer
	var err error
	switch {
	case kind == GOST512 && f.mode == "rsa":
		return nil, ErrCannot
	case kind == GOST512 && f.mode != "other kind":
		key, err = gost.GenerateKey(gost.TC26_512A(), rand.Reader)
	default:
		key, err = rsa.GenerateKey(rand.Reader, max(bits, 2048))
	}
	if err != nil {
		return nil, err
	}
	f.keys[name] = key
	return f.Key(name)
}

func (f *fake) Sign(name string, h crypto.Hash, digest []byte) ([]byte, error) {
	switch f.mode {
	case "crashes":
		fmt.Fprintln(os.Stderr, "segmentation fault \x1b[31m with the PIN 1234")
		os.Exit(139)
	case "hangs":
		select {}
	case "fails":
		return nil, errors.New("the card was pulled out")
	case "wrong":
		digest = bytes.Repeat([]byte{7}, len(digest))
	case "huge":
		return make([]byte, maxFrame), nil
	}
	sig, err := f.keys[name].Sign(rand.Reader, digest, h)
	if err == nil && h == 0 {
		r, s := sig[:gostDigest], sig[gostDigest:]
		switch f.mode {
		case "s first":
			sig = append(bytes.Clone(s), r...)
		case "backwards":
			slices.Reverse(sig)
		case "each backwards":
			slices.Reverse(r)
			slices.Reverse(s)
		}
	}
	return sig, err
}

func (f *fake) Certify(name string, der []byte) (bool, error) {
	switch old := f.kept[name]; {
	case f.keys[name] == nil:
		return false, ErrNotFound
	case old != nil && !bytes.Equal(old, der):
		return false, ErrExists
	case old != nil:
		return false, nil
	}
	f.kept[name] = der
	return true, nil
}

func (f *fake) Undo(name string, der []byte) error {
	if der == nil {
		delete(f.keys, name)
	}
	delete(f.kept, name)
	return nil
}

func (f *fake) Close() error { return nil }

// one key for all tests: making one takes long.
var theKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

func config(t *testing.T, mode string) (Config, string) {
	t.Helper()
	key, err := theKey()
	if err != nil {
		t.Fatal(err)
	}
	counter := filepath.Join(t.TempDir(), "starts")
	if err := os.WriteFile(counter+".key", x509.MarshalPKCS1PrivateKey(key), 0o600); err != nil {
		t.Fatal(err)
	}
	return Config{Program: os.Args[0], Args: []string{"serve-token", mode, counter}, Module: "driver.so", Label: "label", PIN: []byte("1234"), Timeout: 20 * time.Second}, counter
}

func openFake(t *testing.T, mode string, change func(*Config)) (*Token, string) {
	t.Helper()
	c, counter := config(t, mode)
	if change != nil {
		change(&c)
	}
	tok, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tok.Close(); err != nil {
			t.Error(err)
		}
	})
	return tok, counter
}

func digest() []byte {
	sum := sha256.Sum256([]byte("document"))
	return sum[:]
}

func TestKeysAndSignatures(t *testing.T) {
	tok, _ := openFake(t, "good", nil)
	made, err := tok.Generate(t.Context(), "made", 2048)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tok.Generate(t.Context(), "made", 2048); !errors.Is(err, ErrExists) {
		t.Errorf("the same name twice: %v", err)
	}
	if _, err := tok.Key(t.Context(), "nobody"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a key that is not there: %v", err)
	}
	again, err := tok.Key(t.Context(), "made")
	if err != nil || !again.Public().(*rsa.PublicKey).Equal(made.Public()) {
		t.Errorf("opened again: %v", err)
	}
	sig, err := again.Sign(rand.Reader, digest(), crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	if err := rsa.VerifyPKCS1v15(made.Public().(*rsa.PublicKey), crypto.SHA256, digest(), sig); err != nil {
		t.Error(err)
	}
	if err := tok.Keep(t.Context(), "other", made); err == nil {
		t.Error("took a key from outside")
	}
	for name, sign := range map[string]func() ([]byte, error){
		"PSS":          func() ([]byte, error) { return made.Sign(nil, digest(), &rsa.PSSOptions{Hash: crypto.SHA256}) },
		"SHA-1":        func() ([]byte, error) { return made.Sign(nil, make([]byte, 20), crypto.SHA1) },
		"short digest": func() ([]byte, error) { return made.Sign(nil, digest()[1:], crypto.SHA256) },
		"no hash":      func() ([]byte, error) { return made.Sign(nil, digest(), crypto.Hash(0)) },
	} {
		if _, err := sign(); err == nil {
			t.Errorf("%s was signed", name)
		}
	}
	for _, bits := range []int{0, 1024, 2047, 8193} {
		if _, err := tok.Generate(t.Context(), fmt.Sprint(bits), bits); err == nil {
			t.Errorf("made a key of %d bits", bits)
		}
	}
	for _, name := range []string{"", strings.Repeat("n", maxName+1)} {
		if _, err := tok.Key(t.Context(), name); err == nil {
			t.Errorf("a name of %d bytes", len(name))
		}
	}
}

// Whatever the driver does, the server lives on, and the next act finds a new program.
func TestTroubleOfTheDriver(t *testing.T) {
	for mode, says := range map[string]string{
		"crashes": "gone",
		"hangs":   "did not answer within",
		"fails":   "the card was pulled out",
		"wrong":   "does not verify",
		"huge":    "gone",
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			tok, counter := openFake(t, mode, func(c *Config) {
				c.Log = slog.New(slog.NewTextHandler(&log, nil))
				if mode == "hangs" {
					c.Timeout = 2 * time.Second
				}
			})
			key, err := tok.Key(t.Context(), "here")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := key.Sign(nil, digest(), crypto.SHA256); err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "segmentation") {
				t.Errorf("error %v, want one that says %q", err, says)
			}
			if text := log.String(); mode == "crashes" && (!strings.Contains(text, "segmentation fault") || strings.Contains(text, "1234") || strings.Contains(text, "\x1b")) {
				t.Errorf("log %q", text)
			}
			if _, err := tok.Key(t.Context(), "here"); err != nil {
				t.Errorf("afterwards: %v", err)
			}
			starts := 1
			if mode == "crashes" || mode == "hangs" || mode == "huge" || mode == "fails" { // a card pulled out ends its session
				starts = 2
			}
			if got := lines(t, counter); got != starts {
				t.Errorf("started %d times, want %d", got, starts)
			}
		})
	}
}

// TestLook: what is plugged in is told without a PIN, and a driver that fails says so.
func TestLook(t *testing.T) {
	c, counter := config(t, "good")
	c.PIN = nil
	got, err := Look(c)
	if err != nil || len(got) != 2 || !got[1].Final || string(got[1].Certificates[0].DER) != "der" {
		t.Fatalf("%+v %v", got, err)
	}
	if p := got[0].Problem; !strings.HasPrefix(p, "unreadable in two lines xx") || len(p) > maxProblem {
		t.Errorf("%q", p)
	}
	c.Module = "other.so"
	if _, err := Look(c); err == nil || !strings.Contains(err.Error(), "no such driver") {
		t.Errorf("another driver: %v", err)
	}
	c.Module = ""
	if _, err := Look(c); err == nil {
		t.Error("looked without a driver")
	}
	if got := lines(t, counter); got != 2 {
		t.Errorf("started %d times", got)
	}
	name := NameOf([]byte{1, 0xab})
	if id, ok := IDOf(name); !ok || string(id) != "\x01\xab" {
		t.Errorf("%q: %x %v", name, id, ok)
	}
	for _, name := range []string{"key", "id:", "id:x"} {
		if _, ok := IDOf(name); ok {
			t.Errorf("%q is an identifier", name)
		}
	}
}

// TestCertify puts a certificate beside a key that is there.
func TestCertify(t *testing.T) {
	tok, _ := openFake(t, "good", nil)
	if made, err := tok.Certify(t.Context(), "here", []byte("der")); err != nil || !made {
		t.Error(made, err)
	}
	if made, err := tok.Certify(t.Context(), "here", []byte("der")); err != nil || made {
		t.Errorf("again: %v %v", made, err)
	}
	if _, err := tok.Certify(t.Context(), "here", []byte("other")); !errors.Is(err, ErrExists) {
		t.Errorf("another: %v", err)
	}
	if _, err := tok.Certify(t.Context(), "nobody", []byte("der")); !errors.Is(err, ErrNotFound) {
		t.Errorf("for no key: %v", err)
	}
	if _, err := tok.Certify(t.Context(), "here", nil); err == nil {
		t.Error("put nothing")
	}
}

// TestUndo takes back what this Token made, once, and touches nothing else.
func TestUndo(t *testing.T) {
	tok, _ := openFake(t, "good", nil)
	if _, err := tok.Generate(t.Context(), "new", 2048); err != nil {
		t.Fatal(err)
	}
	if _, err := tok.Certify(t.Context(), "new", []byte("der")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		der  []byte
		good bool
	}{{"here", nil, false}, {"new", []byte("other"), false}, {"new", []byte("der"), true}, {"new", []byte("der"), false}, {"new", nil, true}, {"new", nil, false}} {
		if err := tok.Undo(c.name, c.der); (err == nil) != c.good {
			t.Errorf("%s %s: %v", c.name, c.der, err)
		}
	}
	if _, err := tok.Key(t.Context(), "new"); !errors.Is(err, ErrNotFound) {
		t.Errorf("it is there: %v", err)
	}
	if _, err := tok.Key(t.Context(), "here"); err != nil {
		t.Error(err)
	}
}

// TestGOST makes GOST keys and signs with them, however the driver orders the halves of a signature; one that lacks
// the mechanism, or makes something else, says so.
func TestGOST(t *testing.T) {
	sum := algid.Streebog512.Sum([]byte("document"))
	for _, mode := range []string{"good", "s first", "backwards", "each backwards"} {
		tok, _ := openFake(t, mode, nil)
		key, err := tok.GenerateGOST(t.Context(), "gost")
		if err != nil {
			t.Fatal(err)
		}
		sig, err := algid.GOST512Sig.SignDigest(nil, key, sum)
		if err != nil || algid.GOST512Sig.VerifyDigest(key.Public(), sum, sig) != nil {
			t.Errorf("%s: %v", mode, err)
		}
		if _, err := key.Sign(nil, sum[1:], nil); err == nil {
			t.Errorf("%s: signed a short digest", mode)
		}
	}
	tok, _ := openFake(t, "wrong", nil)
	key, err := tok.GenerateGOST(t.Context(), "gost")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := key.Sign(nil, sum, nil); err == nil || !strings.Contains(err.Error(), "does not verify") {
		t.Errorf("gave out what does not verify: %v", err)
	}
	tok, _ = openFake(t, "rsa", nil)
	if _, err := tok.GenerateGOST(t.Context(), "gost"); !errors.Is(err, ErrCannot) {
		t.Errorf("without the mechanism: %v", err)
	}
	if _, err := tok.Key(t.Context(), "here"); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	tok, _ = openFake(t, "other kind", nil)
	if _, err := tok.GenerateGOST(t.Context(), "gost"); err == nil {
		t.Error("took an RSA key for GOST")
	}
}

func lines(t *testing.T, path string) int {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Count(b, []byte("\n"))
}

// A wrong PIN is tried once: tokens lock after a few.
func TestWrongPINIsTriedOnce(t *testing.T) {
	c, counter := config(t, "good")
	c.PIN = []byte("9999")
	if _, err := Open(c); !errors.Is(err, ErrPIN) {
		t.Fatalf("opened: %v", err)
	}
	tok := &Token{c: c}
	for range 3 {
		if _, err := tok.Key(t.Context(), "here"); !errors.Is(err, ErrPIN) {
			t.Errorf("error %v", err)
		}
	}
	if got := lines(t, counter); got != 2 { // one by Open, one by the token of its own
		t.Errorf("tried %d times, want 2", got)
	}
}

func TestWrongSettings(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"no program":         func(c *Config) { c.Program = "" },
		"no module":          func(c *Config) { c.Module = "" },
		"no label":           func(c *Config) { c.Label = "" },
		"program not there":  func(c *Config) { c.Program = filepath.Join(t.TempDir(), "none") },
		"another label":      func(c *Config) { c.Label = "other" },
		"silent program":     func(c *Config) { c.Args[1], c.Timeout = "silent from the start", time.Second },
		"program ends early": func(c *Config) { c.Program, c.Args = "/bin/true", nil },
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := config(t, "good")
			change(&c)
			if _, err := Open(c); err == nil {
				t.Error("opened")
			}
		})
	}
}

// The PIN is in no argument, no environment and no error.
func TestPINStaysInThePipe(t *testing.T) {
	t.Setenv("SENIM_SECRET", "must not reach the driver")
	const pin = "8888-secret-pin"
	c, counter := config(t, "good")
	c.PIN = []byte(pin)
	_, err := Open(c)
	seen, readErr := os.ReadFile(counter)
	if err == nil || readErr != nil {
		t.Fatal(err, readErr)
	}
	for where, text := range map[string]string{"the error": err.Error(), "arguments and environment": string(seen)} {
		if strings.Contains(text, pin) || strings.Contains(text, "must not reach") {
			t.Errorf("%s: %s", where, text)
		}
	}
}

func TestAfterClose(t *testing.T) {
	c, _ := config(t, "good")
	tok, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := tok.Close(); err != nil {
		t.Error(err)
	}
	if _, err := tok.Key(t.Context(), "here"); err == nil {
		t.Error("opened after it was closed")
	}
	if err := tok.Close(); err != nil {
		t.Error(err)
	}
}

func TestManyAtOnce(t *testing.T) {
	tok, counter := openFake(t, "good", nil)
	key, err := tok.Key(t.Context(), "here")
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 5 {
				if _, err := key.Sign(nil, digest(), crypto.SHA256); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	if got := lines(t, counter); got != 1 {
		t.Errorf("started %d times", got)
	}
}

// FuzzServe: whatever comes through the pipe, the program answers or ends; it never signs what is no
// digest.
func FuzzServe(f *testing.F) {
	frame := func(values ...any) []byte {
		var b bytes.Buffer
		for _, v := range values {
			if err := send(&b, v); err != nil {
				f.Fatal(err)
			}
		}
		return b.Bytes()
	}
	hello := request{Op: opOpen, Module: "m", Label: "l", PIN: []byte("1")}
	f.Add(frame(hello, request{Op: opSign, Name: "k", Hash: uint(crypto.SHA256), Digest: digest()}))
	f.Add(frame(hello, request{Op: opGenerate, Name: "k", Bits: 2048}, request{Op: opInfo}))
	f.Add(frame(hello, request{Op: opGenerate, Name: "k", Kind: GOST512}, request{Op: opSign, Name: "k", Digest: make([]byte, 64)}, request{Op: opUndo, Name: "k"}))
	f.Add(frame(request{Op: opSign}))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 1})
	f.Add([]byte{0, 0, 0, 2, '{', '}'})
	f.Fuzz(func(t *testing.T, in []byte) {
		var out bytes.Buffer
		_ = Serve(bytes.NewReader(in), &out, func(Config) (Driver, error) { return strict{t}, nil },
			func(string) ([]Plugged, error) { return []Plugged{{Label: "l"}}, nil })
		for out.Len() > 0 {
			var a response
			if err := receive(&out, &a); err != nil {
				t.Fatalf("answered with what is no frame: %v", err)
			}
		}
	})
}

// strict fails the test when it is given what should have been refused.
type strict struct{ t *testing.T }

func (s strict) Key(name string) ([]byte, error) {
	if name == "" || len(name) > maxName {
		s.t.Errorf("name %q", name)
	}
	return []byte("key"), nil
}

func (s strict) Generate(name string, kind Kind, bits int) ([]byte, error) {
	if kind == RSA && (bits < 2048 || bits > 8192) || kind != RSA && (kind != GOST512 || bits != 0) {
		s.t.Errorf("%d bits", bits)
	}
	return s.Key(name)
}

func (s strict) Sign(name string, h crypto.Hash, d []byte) ([]byte, error) {
	if h == 0 && len(d) != gostDigest || h != 0 && (!h.Available() || len(d) != h.Size()) {
		s.t.Errorf("digest of %d bytes by %d", len(d), h)
	}
	return s.Key(name)
}

func (s strict) Certify(name string, der []byte) (bool, error) {
	if len(der) == 0 {
		s.t.Error("an empty certificate")
	}
	_, err := s.Key(name)
	return true, err
}

func (s strict) Undo(name string, _ []byte) error {
	_, err := s.Key(name)
	return err
}

func (strict) Close() error { return nil }

// A frame is bounded before it is read.
func TestFrameBounds(t *testing.T) {
	if err := send(&bytes.Buffer{}, make([]byte, maxFrame)); err == nil {
		t.Error("sent a frame that is too long")
	}
	var v json.RawMessage
	if err := receive(bytes.NewReader([]byte{0, 64, 0, 1}), &v); err == nil || !strings.Contains(err.Error(), "a frame of") {
		t.Errorf("a long frame: %v", err)
	}
}
