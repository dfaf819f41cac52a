//go:build wycheproof

package wycheproof

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"sort"
	"strings"
	"testing"

	"github.com/c2sp/wycheproof"

	"senim/algid"
)

// file is what RSA PKCS #1 v1.5 signature files have in common.
type file struct {
	Groups []group `json:"testGroups"`
}

type group struct {
	Type    string   `json:"type"`
	SHA     string   `json:"sha"`
	Size    int      `json:"keySize"`
	Public  hexBytes `json:"publicKeyDer"`
	Private hexBytes `json:"privateKeyPkcs8"`
	Tests   []struct {
		ID      int      `json:"tcId"`
		Comment string   `json:"comment"`
		Msg     hexBytes `json:"msg"`
		Sig     hexBytes `json:"sig"`
		Result  string   `json:"result"`
	} `json:"tests"`
}

type hexBytes []byte

// UnmarshalJSON reads a string of hex digits.
func (b *hexBytes) UnmarshalJSON(data []byte) (err error) {
	*b, err = hex.DecodeString(strings.Trim(string(data), `"`))
	return err
}

// algorithms are the ones of algid; SHA-1 is verified and never signed with.
var algorithms = map[string]algid.Signature{
	"SHA-1": algid.SHA1WithRSA, "SHA-256": algid.SHA256WithRSA, "SHA-384": algid.SHA384WithRSA, "SHA-512": algid.SHA512WithRSA,
}

// count is what became of the tests.
type count struct {
	passed  int
	lenient int // "acceptable" ones, by the suite free to go either way, that we refuse
	skipped map[string]int
}

func read(t *testing.T, name string) file {
	raw, err := fs.ReadFile(wycheproof.TestVectors, name)
	if err != nil {
		t.Fatal(err)
	}
	var f file
	if err := json.Unmarshal(raw, &f); err != nil {
		t.Fatal(name, err)
	}
	return f
}

// TestRSA runs every rsa_* file: PKCS #1 v1.5 signatures are verified and made again, what the
// national PKI does not use is counted with its reason.
func TestRSA(t *testing.T) {
	names, err := fs.Glob(wycheproof.TestVectors, "rsa_*_test.json")
	if err != nil || len(names) == 0 {
		t.Fatal("no vectors: ", err)
	}
	c := count{skipped: map[string]int{}}
	for _, name := range names {
		for _, g := range read(t, name).Groups {
			sig, known := algorithms[g.SHA]
			switch {
			case strings.HasPrefix(name, "rsa_pss"):
				c.skipped["RSASSA-PSS: not used in the national PKI"] += len(g.Tests)
			case g.Type != "RsassaPkcs1Verify" && g.Type != "RsassaPkcs1Generate":
				c.skipped["RSA encryption: signatures only"] += len(g.Tests)
			case !known:
				c.skipped["hash "+g.SHA+": not in the table of algid"] += len(g.Tests)
			case g.Type == "RsassaPkcs1Generate":
				g.generate(t, name, sig, &c)
			default:
				g.verify(t, name, g.Public, sig, &c)
			}
		}
	}
	total := 0
	for _, n := range c.skipped {
		total += n
	}
	t.Logf("Wycheproof RSA: %d passed (%d of them neither good nor bad by the suite, refused by us), 0 different, %d skipped:", c.passed, c.lenient, total)
	for _, reason := range sorted(c.skipped) {
		t.Logf("%5d  %s", c.skipped[reason], reason)
	}
}

// verify: a short key is refused as a whole, whatever its signatures.
func (g group) verify(t *testing.T, name string, spki []byte, sig algid.Signature, c *count) {
	pub, _, err := algid.ParsePublicKey(spki)
	if err != nil {
		if g.Size >= 2048 {
			t.Errorf("%s: key of %d bits: %v", name, g.Size, err)
		}
		c.skipped["RSA keys below 2048 bits are refused when read"] += len(g.Tests)
		return
	}
	for _, test := range g.Tests {
		err := sig.Verify(pub, test.Msg, test.Sig)
		if test.Result != "acceptable" && (err == nil) != (test.Result == "valid") {
			t.Errorf("%s %d (%s): want %s, got %v", name, test.ID, test.Comment, test.Result, err)
			continue
		}
		if test.Result == "acceptable" && err != nil {
			c.lenient++
		}
		c.passed++
	}
}

// generate makes every signature again: PKCS #1 v1.5 knows one for a key and message. "Acceptable"
// here means a weak hash or key.
func (g group) generate(t *testing.T, name string, sig algid.Signature, c *count) {
	key, err := algid.ParsePrivateKey(g.Private)
	if err != nil {
		if g.Size >= 2048 {
			t.Errorf("%s: key of %d bits: %v", name, g.Size, err)
		}
		c.skipped["RSA keys below 2048 bits are refused when read"] += len(g.Tests)
		return
	}
	for _, test := range g.Tests {
		made, err := sig.Sign(rand.Reader, key, test.Msg)
		switch {
		case sig == algid.SHA1WithRSA:
			if err == nil {
				t.Errorf("%s %d: signed with SHA-1", name, test.ID)
			}
			if err := sig.Verify(key.Public(), test.Msg, test.Sig); err != nil {
				t.Errorf("%s %d: %v", name, test.ID, err)
			}
		case err != nil || !bytes.Equal(made, test.Sig):
			t.Errorf("%s %d: made %x, %v", name, test.ID, made, err)
		}
		c.passed++
	}
}

func sorted(m map[string]int) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
