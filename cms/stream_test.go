package cms

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/algid"
	"senim/internal/pkitest"
)

// mixed is a detached message over content by a GOST512, a GOST2004 and an RSA key.
func mixed(t testing.TB, content []byte) *SignedData {
	t.Helper()
	a := pkitest.New(t)
	var der []byte
	for _, kind := range []algid.Key{algid.GOST512, algid.GOST2004, algid.RSA} {
		o := options(a.Issue(pkitest.Spec{Kind: kind}), string(content))
		o.Detached = true
		var err error
		if der == nil {
			der, err = Sign(random, o)
		} else {
			der, err = AddSigner(random, der, o)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return parsed(t, der)
}

func TestVerifyReader(t *testing.T) {
	content := bytes.Repeat([]byte("абв"), 500_000) // several chunks
	sd := mixed(t, content)
	for name, r := range map[string]io.Reader{
		"at once": bytes.NewReader(content), "by halves": iotest.HalfReader(bytes.NewReader(content)), "end with data": iotest.DataErrReader(bytes.NewReader(content)),
	} {
		vs, err := sd.VerifyReader(r)
		if len(allGood(t, vs, err)) != 3 {
			t.Errorf("%s: %d verdicts", name, len(vs))
		}
	}
	changed := bytes.Clone(content)
	changed[len(changed)-1] ^= 1
	for name, other := range map[string][]byte{"changed at the end": changed, "short": content[1:], "long": append(changed, 0), "empty": {}} {
		vs, err := sd.VerifyReader(bytes.NewReader(other))
		if err != nil || len(vs) != 3 {
			t.Fatalf("%s: %v", name, err)
		}
		for _, v := range vs {
			if !errors.Is(v.Err, ErrDigest) {
				t.Errorf("%s: %v", name, v.Err)
			}
		}
	}
	broken := errors.New("the stick was pulled out")
	if _, err := sd.VerifyReader(io.MultiReader(bytes.NewReader(content), iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Errorf("read error: %v", err)
	}
	if _, err := sd.VerifyReader(nil); !errors.Is(err, ErrDetached) {
		t.Errorf("no reader: %v", err)
	}
}

func TestVerifyReaderAttached(t *testing.T) {
	l := pkitest.New(t).Individual()
	for _, content := range []string{"договор", ""} {
		sd := parsed(t, message(t, l, content))
		vs, err := sd.VerifyReader(nil)
		allGood(t, vs, err)
		vs, err = sd.VerifyReader(iotest.OneByteReader(strings.NewReader(content)))
		allGood(t, vs, err)
		for _, other := range []string{content + "x", "x" + content, "Договор"} {
			if _, err := sd.VerifyReader(strings.NewReader(other)); !errors.Is(err, ErrContentTwice) {
				t.Errorf("%q beside %q: %v", other, content, err)
			}
		}
	}
	sd := parsed(t, message(t, l, "договор"))
	if _, err := sd.VerifyReader(strings.NewReader("догов")); !errors.Is(err, ErrContentTwice) {
		t.Errorf("a beginning: %v", err)
	}
	broken := errors.New("the stick was pulled out")
	if _, err := sd.VerifyReader(iotest.ErrReader(broken)); !errors.Is(err, broken) || errors.Is(err, ErrContentTwice) {
		t.Errorf("read error: %v", err)
	}
}

// TestSec2WithoutAttributesStreamed: what Verify refuses of a message without signed attributes is
// refused of a stream too, also when the content is too long to be kept.
func TestSec2WithoutAttributesStreamed(t *testing.T) {
	l := pkitest.New(t).Individual()
	set := func(fill int) []byte {
		list := append(usual(t, l, oidData, []byte("x")), attr(t, oidTimestamp, func(b *cryptobyte.Builder) {
			b.AddASN1OctetString(make([]byte, fill))
		}))
		der, err := setOf(list)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	for name, c := range map[string]struct {
		content []byte
		good    bool
	}{
		"plain":              {[]byte("x"), true},
		"long":               {bytes.Repeat([]byte("1"), 3*maxHead), true}, // "1" is the tag of a SET
		"set":                {set(1), false},
		"longest set kept":   {set(maxHead - 500), false},
		"long set":           {set(maxHead), false},
		"longer set":         {set(1 << 24), false},
		"long set and more":  {append(set(maxHead), 0), true},
		"other long element": {append([]byte{byte(cbasn1.SEQUENCE)}, set(maxHead)[1:]...), true},
	} {
		der, err := parsed(t, forged{leaf: l, content: c.content}.build(t)).Detach()
		if err != nil {
			t.Fatal(err)
		}
		sd := parsed(t, der)
		vs, err := sd.VerifyReader(bytes.NewReader(c.content))
		if err != nil || len(vs) != 1 || (vs[0].Err == nil) != c.good {
			t.Errorf("%s: %+v, %v", name, vs, err)
		}
		whole, err := sd.Verify(c.content)
		if err != nil || (whole[0].Err == nil) != c.good {
			t.Errorf("%s as a whole: %v, %v", name, whole[0].Err, err)
		}
	}
}

func TestSignReader(t *testing.T) {
	l := pkitest.New(t).Individual()
	content := strings.Repeat("договор", 300_000)
	o := options(l, "")
	o.Content = nil
	der, err := SignReader(random, o, iotest.HalfReader(strings.NewReader(content)))
	if err != nil {
		t.Fatal(err)
	}
	vs, err := parsed(t, der).Verify([]byte(content))
	allGood(t, vs, err)

	unread := iotest.ErrReader(errors.New("was read"))
	for name, change := range map[string]func(*Options){
		"content":     func(o *Options) { o.Content = []byte("x") },
		"digest":      func(o *Options) { o.Digest = make([]byte, 64) },
		"no time":     func(o *Options) { o.SigningTime = time.Time{} },
		"another key": func(o *Options) { o.Certificate = pkitest.New(t).Individual().Certificate },
	} {
		bad := o
		change(&bad)
		if _, err := SignReader(random, bad, unread); err == nil || strings.Contains(err.Error(), "was read") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := SignReader(random, o, unread); err == nil {
		t.Error("a read error is no error")
	}
}

func TestDetach(t *testing.T) {
	a := pkitest.New(t)
	attached := message(t, a.Individual(), "договор")
	o := options(a.Head(), "")
	o.Content = nil
	both, err := AddSigner(random, attached, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, der := range [][]byte{attached, both} {
		detached, err := parsed(t, der).Detach()
		if err != nil {
			t.Fatal(err)
		}
		sd := parsed(t, detached)
		if !sd.Detached() || bytes.Contains(detached, []byte("договор")) {
			t.Error("the content is still there")
		}
		vs, err := sd.Verify([]byte("договор"))
		if n := len(allGood(t, vs, err)); n != len(parsed(t, der).Signers()) {
			t.Errorf("%d signers", n)
		}
		again, err := sd.Detach()
		if err != nil || !bytes.Equal(again, detached) {
			t.Errorf("not the same when detached twice: %v", err)
		}
	}
}

// FuzzVerifyReader: whatever the content, a stream of it has the verdict of the whole.
func FuzzVerifyReader(f *testing.F) {
	l := pkitest.New(f).Individual()
	der, err := Sign(random, Options{Key: l.Key, Certificate: l.Certificate, Content: []byte("x"), Detached: true, SigningTime: signedAt})
	if err != nil {
		f.Fatal(err)
	}
	sd := parsed(f, der)
	bare := *sd
	bare.signers = []Signer{sd.signers[0]}
	bare.signers[0].HasSignedAttributes = false
	f.Add([]byte("x"))
	f.Add([]byte{0x31, 0x03, 0x30, 0x01, 0x00})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, content []byte) {
		if content == nil {
			content = []byte{}
		}
		for _, m := range []*SignedData{sd, &bare} {
			whole, err := m.Verify(content)
			if err != nil {
				t.Fatal(err)
			}
			streamed, err := m.VerifyReader(iotest.HalfReader(bytes.NewReader(content)))
			if err != nil {
				t.Fatal(err)
			}
			if a, b := whole[0].Err, streamed[0].Err; (a == nil) != (b == nil) || a != nil && a.Error() != b.Error() {
				t.Errorf("%v as a whole, %v as a stream", a, b)
			}
		}
	})
}
