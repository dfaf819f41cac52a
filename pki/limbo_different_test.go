package pki_test

const (
	hostNames = "names of web servers: pki matches no host names, the national PKI names people and organisations"
	webRules  = "a rule of the CA/Browser Forum, beyond RFC 5280 section 6"
	// The key identifiers below: RFC 5280 4.2.1.1 and 4.2.1.2 tell the issuer to write them; section 6
	// lets a reader go without, and real old authorities of the national PKI do.
	issuerDuty = "a duty of the issuer, and no rule of validation: key identifiers only help to find the issuer"
	honoured   = "should have been critical; it is obeyed, critical or not, so nothing is passed over"
)

// limboDifferent are the cases of x509-limbo we decide otherwise, each with its reason. One that
// stops being different fails the test.
var limboDifferent = map[string]string{
	"rfc5280::aki::leaf-missing-aki":                            issuerDuty,
	"rfc5280::aki::intermediate-missing-aki":                    issuerDuty,
	"rfc5280::aki::cross-signed-root-missing-aki":               issuerDuty,
	"rfc5280::ski::root-missing-ski":                            issuerDuty,
	"rfc5280::ski::intermediate-missing-ski":                    issuerDuty,
	"rfc5280::nc::permitted-dns-match-noncritical":              honoured,
	"rfc5280::pc::ica-noncritical-pc":                           honoured,
	"rfc5280::root-non-critical-basic-constraints":              honoured + "; NIST PKITS 4.6.4 wants it accepted",
	"rfc5280::san::underscore-dns":                              hostNames,
	"rfc5280::san::ip-in-dns":                                   hostNames,
	"rfc5280::ca-as-leaf-wrong-san":                             hostNames,
	"webpki::ca-as-leaf":                                        "what the leaf is for is the caller's question; internal/trust refuses authorities",
	"webpki::ee-basicconstraints-ca":                            "what the leaf is for is the caller's question; internal/trust refuses authorities",
	"webpki::v1-cert":                                           webRules,
	"rfc5280::validity::notafter-fractional":                    "5 ms after the last second is after it: the stricter of the two readings the suite names",
	"online::fastly.com":                                        "the root has the serial 0, refused when read (RFC 5280 4.1.2.2)",
	"webpki::aki::root-with-aki-missing-keyidentifier":          issuerDuty,
	"webpki::aki::root-with-aki-authoritycertissuer":            issuerDuty,
	"webpki::aki::root-with-aki-authoritycertserialnumber":      issuerDuty,
	"webpki::aki::root-with-aki-all-fields":                     issuerDuty,
	"webpki::aki::root-with-aki-ski-mismatch":                   issuerDuty,
	"webpki::cn::ipv4-hex-mismatch":                             hostNames,
	"webpki::cn::ipv4-leading-zeros-mismatch":                   hostNames,
	"webpki::cn::ipv6-uppercase-mismatch":                       hostNames,
	"webpki::cn::ipv6-uncompressed-mismatch":                    hostNames,
	"webpki::cn::ipv6-non-rfc5952-mismatch":                     hostNames,
	"webpki::cn::punycode-not-in-san":                           hostNames,
	"webpki::cn::utf8-vs-punycode-mismatch":                     hostNames,
	"webpki::cn::not-in-san":                                    hostNames,
	"webpki::cn::case-mismatch":                                 hostNames,
	"webpki::eku::ee-anyeku":                                    webRules,
	"webpki::eku::ee-critical-eku":                              webRules,
	"webpki::eku::ee-without-eku":                               webRules,
	"webpki::eku::root-has-eku":                                 webRules,
	"webpki::san::mismatch-domain-san":                          hostNames,
	"webpki::san::mismatch-subdomain-san":                       hostNames,
	"webpki::san::mismatch-subdomain-apex-san":                  hostNames,
	"webpki::san::mismatch-apex-subdomain-san":                  hostNames,
	"webpki::san::public-suffix-wildcard-san":                   hostNames,
	"webpki::san::public-suffix-multi-label-wildcard-san":       hostNames,
	"webpki::san::public-suffix-private-namespace-wildcard-san": hostNames,
	"webpki::san::wildcard-embedded-leftmost-san":               hostNames,
	"webpki::san::wildcard-not-in-leftmost-san":                 hostNames,
	"webpki::san::wildcard-match-across-labels-san":             hostNames,
	"webpki::san::wildcard-embedded-ulabel-san":                 hostNames,
	"webpki::san::no-san":                                       hostNames,
	"webpki::san::san-critical-with-nonempty-subject":           webRules,
	"webpki::san::san-wildcard-only":                            hostNames,
	"webpki::san::san-wildcard-only-tld":                        hostNames,
	"webpki::forbidden-rsa-key-not-divisible-by-8-in-leaf":      webRules,
}
