package cms

import (
	"encoding/hex"
	"path"
	"strings"
	"testing"
	"time"

	"senim/algid"
	"senim/internal/pkitest"
	"senim/pfx"
)

// allGood checks that every verdict is good, and gives them.
func allGood(t *testing.T, vs []Verified, err error) []Verified {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range vs {
		if v.Err != nil {
			t.Errorf("verdict: %v", v.Err)
		}
		if v.Certificate == nil {
			t.Error("no certificate in the verdict")
		}
	}
	return vs
}

func TestRealMessages(t *testing.T) {
	for _, c := range []struct {
		file, content string
		signers       int
		hashes        string
		stamps        int
		ess           bool
	}{
		{"cms/gost512_ceo_attached_cadest_1.p7s", "", 1, "Streebog-512", 1, false},
		{"cms/ncanode_cms_1.p7s", "test123", 2, "Streebog-512 SHA-256", 0, false},
		{"cms/ncanode_cms_3.p7s", "test123", 1, "SHA-256", 0, false},
		{"kalkan-oracle/cades_individual_attached.p7s", "DATA", 1, "Streebog-512", 0, true},
		{"kalkan-oracle/cades_individual_detached.p7s", "", 1, "Streebog-512", 0, true},
		{"kalkan-oracle/cades_individual_fromhash.p7s", "", 1, "Streebog-512", 0, true},
		{"tsp/tsp_token.bin", "", 1, "GOST34311", 0, true},
		{"tsp/tsa_prod_gost2015_token.der", "", 1, "Streebog-512", 0, true},
	} {
		t.Run(path.Base(c.file), func(t *testing.T) {
			raw, err := Decode(pkitest.Fixture(t, c.file))
			if err != nil {
				t.Fatal(err)
			}
			sd, err := Parse(raw)
			if err != nil {
				t.Fatal(err)
			}
			data := pkitest.Fixture(t, "kalkan-oracle/data.txt")
			var content []byte
			if sd.Detached() {
				content = data
			}
			vs, err := sd.Verify(content)
			allGood(t, vs, err)
			var hashes []string
			stamps := 0
			for _, v := range vs {
				hashes = append(hashes, v.Hash.String())
				stamps += len(v.Timestamps)
				if !v.HasSignedAttributes || (len(v.ess) == 1) != c.ess {
					t.Errorf("signed attributes %v, ESS %d", v.HasSignedAttributes, len(v.ess))
				}
			}
			if got := strings.Join(hashes, " "); len(vs) != c.signers || got != c.hashes || stamps != c.stamps {
				t.Errorf("%d signers, %s, %d stamps", len(vs), got, stamps)
			}
			want := strings.Replace(c.content, "DATA", string(data), 1)
			if want != "" && string(sd.Content()) != want {
				t.Errorf("content %q", sd.Content())
			}
			if sd.Detached() {
				other := append([]byte("x"), data...)
				if vs, err := sd.Verify(other); err != nil || vs[0].Err == nil {
					t.Errorf("other content verifies: %v", err)
				}
				vs, err := sd.VerifyDigest(algid.Streebog512, algid.Streebog512.Sum(data))
				allGood(t, vs, err)
			}
		})
	}
}

// The checkpoint of crypto.md §16.
func TestCheckpointSignedAttributes(t *testing.T) {
	sd, err := Parse(pkitest.Fixture(t, "kalkan-oracle/cades_individual_attached.p7s"))
	if err != nil {
		t.Fatal(err)
	}
	set := sd.Signers()[0].SignedAttributes
	hash := hex.EncodeToString(algid.Streebog512.Sum(set))
	if len(set) != 197 || !strings.HasPrefix(hex.EncodeToString(set), "3181c2301806") || !strings.HasPrefix(hash, "339c52e675c178d7") {
		t.Errorf("%d bytes, %x, hash %s", len(set), set[:6], hash)
	}
}

// What we write differs from what NCALayer writes in the value of the signature alone.
func TestSameBytesAsReference(t *testing.T) {
	key, err := pfx.Decode(pkitest.Fixture(t, "p12/gost512-2026/individual_valid.p12"), "Qwerty12")
	if err != nil {
		t.Fatal(err)
	}
	data := pkitest.Fixture(t, "kalkan-oracle/data.txt")
	for name, o := range map[string]Options{
		"attached": {Content: data},
		"detached": {Content: data, Detached: true},
		"fromhash": {Digest: algid.Streebog512.Sum(data)},
	} {
		want := pkitest.Fixture(t, "kalkan-oracle/cades_individual_"+name+".p7s")
		ref, err := Parse(want)
		if err != nil {
			t.Fatal(err)
		}
		o.Key, o.Certificate, o.SigningTime = key.Key, key.Certificate, ref.Signers()[0].SigningTime
		got, err := Sign(random, o)
		if err != nil {
			t.Fatal(err)
		}
		const signature = 128 // the last bytes of the message
		if len(got) != len(want) || string(got[:len(got)-signature]) != string(want[:len(want)-signature]) {
			t.Errorf("%s: differs from the reference\n got %x\nwant %x", name, got, want)
		}
	}
}

var signedAt = time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)
