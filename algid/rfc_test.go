package algid_test

import (
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"senim/algid"
	"senim/gost"
)

// The worked examples of the RFCs, as they print them: numbers, highest digit first, so that a digest
// stands reversed. (The signatures of RFC 7091 are over curves of their own, which nobody uses and this
// library does not have.)
func TestRFCDigests(t *testing.T) {
	m1 := "012345678901234567890123456789012345678901234567890123456789012"
	m2 := unhex(t, "d1e520e2e5f2f0e82c20d1f2f0e8e1eee6e820e2edf3f6e82c20e2e5fef2fa20f120eceef0ff20f1f2f0e5ebe0ece820ede020f5f0e0e1f0fbff20efebfaeafb20c8e3eef0e5e2fb")
	for _, c := range []struct {
		where   string
		hash    algid.Hash
		message string
		printed string
	}{
		{"RFC 6986 10.1.1", algid.Streebog512, m1, "486f64c1917879417fef082b3381a4e211c324f074654c38823a7b76f830ad00fa1fbae42b1285c0352f227524bc9ab16254288dd6863dccd5b9f54a1ad0541b"},
		{"RFC 6986 10.1.2", algid.Streebog256, m1, "00557be5e584fd52a449b16b0251d05d27f94ab76cbaa6da890b59d8ef1e159d"},
		{"RFC 6986 10.2.1", algid.Streebog512, string(m2), "28fbc9bada033b1460642bdcddb90c3fb3e56c497ccd0f62b8a2ad4935e85f037613966de4ee00531ae60f3b5a47f8dae06915d5f2f194996fcabf2622e6881e"},
		{"RFC 6986 10.2.2", algid.Streebog256, string(m2), "508f7e553c06501d749a66fc28c6cac0b005746d97537fa85d9e40904efed29d"},
		{"RFC 5831 7.3.1", algid.GOST34311, "This is message, length=32 bytes", "faff37a615a816691cff3ef8b68ca247e09525f39f8119832eb81975d366c4b1"},
		{"RFC 5831 7.3.2", algid.GOST34311, "Suppose the original message has length = 50 bytes", "0852f5623b89dd57aeb4781fe54df14eeafbc1350613763a0d770aa657ba1a47"},
	} {
		got := c.hash.Sum([]byte(c.message))
		slices.Reverse(got)
		if hex.EncodeToString(got) != strings.ToLower(c.printed) {
			t.Errorf("%s: %x", c.where, got)
		}
	}
}

// The keys of RFC 7836, appendix B.7: private and public, on the curve tc26-512-A, in memory order.
// What that example goes on to derive is left out here (see the package comment).
func TestRFCKeys(t *testing.T) {
	for _, c := range []struct{ private, public string }{
		{"c990ecd972fce84ec4db022778f50fcac726f46708384b8d458304962d7147f8c2db41cef22c90b102f2968404f9b9be6d47c79692d81826b32b8daca43cb667",
			"aab0eda4abff21208d18799fb9a8556654ba783070eba10cb9abb253ec56dcf5d3ccba6192e464e6e5bcb6dea137792f2431f6c897eb1b3c0cc14327b1adc0a7914613a3074e363aedb204d38d3563971bd8758e878c9db11403721b48002d38461f92472d40ea92f9958c0ffa4c93756401b97f89fdbe0b5e46e4a4631cdb5a"},
		{"48c859f7b6f11585887cc05ec6ef1390cfea739b1a18c0d4662293ef63b79e3b8014070b44918590b4b996acfea4edfbbbcccc8c06edd8bf5bda92a51392d0db",
			"192fe183b9713a077253c72c8735de2ea42a3dbc66ea317838b65fa32523cd5efca974eda7c863f4954d1147f1f2b25c395fce1c129175e876d132e94ed5a65104883b414c9b592ec4dc84826f07d0b6d9006dda176ce48c391e3f97d102e03bb598bf132a228a45f7201aba08fc524a2d77e43a362ab022ad4028f75bde3b79"},
	} {
		key, err := gost.NewPrivateKey(gost.TC26_512A(), unhex(t, c.private))
		if err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(key.PublicKey().Bytes()); got != c.public {
			t.Errorf("public key %s", got)
		}
		if _, err := gost.NewPublicKey(gost.TC26_512A(), unhex(t, c.public)); err != nil {
			t.Error(err)
		}
	}
}
