package algid_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"testing"

	"senim/algid"
	"senim/gost"
)

// gostVectors is a file in the manner of Wycheproof, which has nothing for GOST: signatures and keys
// at the edges of each curve and each encoding. It was made with integers and affine points, by no
// code of this project.
type gostVectors struct {
	Verify []struct {
		Kind  string   `json:"kind"`
		Key   string   `json:"key"`
		SPKI  hexBytes `json:"spki"`
		Tests []struct {
			Comment string   `json:"comment"`
			Digest  hexBytes `json:"digest"`
			Sig     hexBytes `json:"sig"`
			Result  string   `json:"result"`
		} `json:"tests"`
	} `json:"verify"`
	PublicKeys []struct {
		Kind    string   `json:"kind"`
		Comment string   `json:"comment"`
		SPKI    hexBytes `json:"spki"`
		Result  string   `json:"result"`
	} `json:"publicKeys"`
	PrivateKeys []struct {
		Kind    string   `json:"kind"`
		Comment string   `json:"comment"`
		PKCS8   hexBytes `json:"pkcs8"`
		Result  string   `json:"result"`
	} `json:"privateKeys"`
}

type hexBytes []byte

// UnmarshalJSON reads a string of hexadecimal digits.
func (b *hexBytes) UnmarshalJSON(data []byte) (err error) {
	*b, err = hex.DecodeString(string(bytes.Trim(data, `"`)))
	return err
}

func readGOSTVectors(t *testing.T) (v gostVectors) {
	t.Helper()
	data, err := os.ReadFile("testdata/gost_vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

var kindsByName = map[string]struct {
	kind  algid.Key
	sig   algid.Signature
	curve func() *gost.Curve
}{
	"GOST512":  {algid.GOST512, algid.GOST512Sig, gost.TC26_512A},
	"GOST256":  {algid.GOST256, algid.GOST256Sig, gost.TC26_256A},
	"GOST2004": {algid.GOST2004, algid.GOST2004Sig, gost.CryptoProA},
}

// Every signature is asked of algid, of gost, and of gost with the key prepared.
func TestGOSTVectorSignatures(t *testing.T) {
	total := 0
	for _, g := range readGOSTVectors(t).Verify {
		k := kindsByName[g.Kind]
		key, kind, err := algid.ParsePublicKey(g.SPKI)
		if err != nil || kind != k.kind {
			t.Fatalf("%s, %s: %v, %v", g.Kind, g.Key, kind, err)
		}
		pub, ok := key.(*gost.PublicKey)
		if !ok || pub.Curve() != k.curve() {
			t.Fatalf("%s, %s: %T", g.Kind, g.Key, key)
		}
		prepared := pub.Prepare()
		for _, c := range g.Tests {
			total++
			want := c.Result == "valid"
			if err := k.sig.VerifyDigest(pub, c.Digest, c.Sig); (err == nil) != want ||
				err != nil && len(c.Digest) == k.sig.Hash().Size() && !errors.Is(err, algid.ErrSignature) {
				t.Errorf("%s, %s: %s: want %s, got %v", g.Kind, g.Key, c.Comment, c.Result, err)
			}
			if pub.Verify(c.Digest, c.Sig) != want || prepared.Verify(c.Digest, c.Sig) != want {
				t.Errorf("%s, %s: %s: want %s from gost", g.Kind, g.Key, c.Comment, c.Result)
			}
		}
	}
	if total < 200 {
		t.Errorf("%d signatures", total)
	}
}

func TestGOSTVectorPublicKeys(t *testing.T) {
	for _, c := range readGOSTVectors(t).PublicKeys {
		pub, kind, err := algid.ParsePublicKey(c.SPKI)
		if (err == nil) != (c.Result == "valid") {
			t.Errorf("%s: %s: want %s, got %v", c.Kind, c.Comment, c.Result, err)
		}
		if err != nil {
			continue
		}
		if again, err := algid.MarshalPublicKey(pub); kind != kindsByName[c.Kind].kind || err != nil || !bytes.Equal(again, c.SPKI) {
			t.Errorf("%s: %s: %v, written %x, %v", c.Kind, c.Comment, kind, again, err)
		}
	}
}

func TestGOSTVectorPrivateKeys(t *testing.T) {
	for _, c := range readGOSTVectors(t).PrivateKeys {
		key, err := algid.ParsePrivateKey(c.PKCS8)
		if (err == nil) != (c.Result == "valid") {
			t.Errorf("%s: %s: want %s, got %v", c.Kind, c.Comment, c.Result, err)
		}
		if err == nil && algid.KeyOf(key.Public()) != kindsByName[c.Kind].kind {
			t.Errorf("%s: %s: a key of kind %v", c.Kind, c.Comment, algid.KeyOf(key.Public()))
		}
	}
}

// What the file says of keys holds for points alone, too.
func TestGOSTVectorPoints(t *testing.T) {
	for _, c := range readGOSTVectors(t).PublicKeys {
		curve := kindsByName[c.Kind].curve()
		n := 2 * curve.Size()
		if len(c.SPKI) < n {
			continue
		}
		xy := c.SPKI[len(c.SPKI)-n:]
		if c.Result == "valid" {
			if p, err := gost.NewPublicKey(curve, xy); err != nil || !bytes.Equal(p.Bytes(), xy) {
				t.Errorf("%s: %s: %v", c.Kind, c.Comment, err)
			}
		}
		for _, bad := range [][]byte{xy[1:], append([]byte{4}, xy...), nil} {
			if _, err := gost.NewPublicKey(curve, bad); err == nil {
				t.Errorf("%s: %s: %d bytes taken", c.Kind, c.Comment, len(bad))
			}
		}
	}
}
