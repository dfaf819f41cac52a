package agent

import (
	"encoding/hex"

	"senim/pki"
)

// national are the authorities of the national CA that people's keys are of today, each by the digest of its
// certificate: what is fetched from its address, over whatever network, is it or nothing. Digests and addresses are
// those the CA publishes.
var national = []struct{ sum, address string }{
	{"af77725f8328bb24f89d81da3acdf7cee4324248538b7ba2cd2a860517fb9dca", "http://root.gov.kz/cert/root_gost2015_2022.cer"},
	{"32c7d233a42703a327f3025543a05b930e3f39a786c68dfa196baa86d5618524", "http://pki.gov.kz/cert/nca_gost_2022.cer"},
	{"9ba06354b626641715182e4d07c9dbaa1777720fa795d03174ffc68876535dcd", "http://root.gov.kz/cert/root_rsa_2020.cer"},
	{"84fb799a66140950818c056a5d9730acc2a7622cdd4ef0d47113b132fb892905", "http://pki.gov.kz/cert/nca_rsa_2022.cer"},
}

// stampers are the time-stamping authorities of the national CA, production and TEST, by the key identifier of who
// issued the signer's certificate. An address gives no trust: a token counts when its own certificate does.
var stampers = map[string]string{
	"fe30be9fc890633f1fff5a3c0cb0c85f4c6d1708": "http://tsp.pki.gov.kz",
	"dcae24d749b26480d2de37233c3ea4515db55ac7": "http://tsp.pki.gov.kz",
	"fad24b1ba3a0c961fe1ca8503e6aa2bb450db8a3": "http://test.pki.gov.kz/tsp/",
}

// isNational tells whether a certificate is one of the national CA's authorities.
func isNational(c *pki.Certificate) bool {
	sum := Fingerprint(c)
	for _, n := range national {
		if n.sum == sum {
			return true
		}
	}
	return false
}

// Fingerprint is the SHA-256 of a certificate in lower hex, by which an authority is compared with what its owner
// publishes.
func Fingerprint(c *pki.Certificate) string {
	sum := c.Fingerprint()
	return hex.EncodeToString(sum[:])
}
