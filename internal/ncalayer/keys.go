package ncalayer

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Profile is one key pair to make: GOST512+SIGNATURE, RSA2048+SIGNATURE or RSA2048+AUTHENTICATION.
type Profile struct {
	Algorithm string `json:"algorithm"`
	Usage     string `json:"usage"`
}

// Subject is who the new keys are for, as the page says; whether it is true is the CA's business.
type Subject struct {
	CommonName   string `json:"commonName"`
	Surname      string `json:"surname"`
	GivenName    string `json:"givenName"` // the patronymic
	IIN          string `json:"iin"`
	Organization string `json:"organization"`
	BIN          string `json:"bin"`
	Country      string `json:"country"`
	Email        string `json:"email"`
}

// GenerateCall is a checked call of kz.senim.keys generate.
type GenerateCall struct {
	RequestID string
	Folder    string // a hint, "" for none
	Storage   string // PKCS12, or one of tokens
	Token     string // the label of the token, "" to ask
	Profiles  []Profile
	Subject   Subject
	Locale    string
}

// GeneratedKey and Generated are the answer to generate.
type GeneratedKey struct {
	Algorithm string `json:"algorithm"`
	Usage     string `json:"usage"`
	KeyID     string `json:"keyId"`
	CSR       string `json:"csr"` // base64 DER
}

// Generated is the result of generate.
type Generated struct {
	RequestID string         `json:"requestId"`
	Keys      []GeneratedKey `json:"keys"`
}

// InstallCall is a checked call of kz.senim.keys install; the certificates are not parsed yet.
type InstallCall struct {
	RequestID    string
	Certificates [][]byte // DER or PEM
	// Challenge is the site's, for the first signature of each new key; empty: none is asked for.
	Challenge string
	Locale    string
}

// InstalledFile is one finished key file. It carries no path.
type InstalledFile struct {
	KeyID    string `json:"keyId"`
	FileName string `json:"fileName,omitempty"` // absent on a token
	Serial   string `json:"serialNumber"`
	NotAfter string `json:"notAfter"`
	Created  bool   `json:"created"`
	// Signature is a detached CMS (DER) by the new key over the challenge of the call.
	Signature []byte `json:"signature,omitempty"`
}

// Installed is the result of install.
type Installed struct {
	RequestID string          `json:"requestId"`
	Files     []InstalledFile `json:"files"`
}

// ListCall is a checked call of kz.senim.keys list.
type ListCall struct {
	IIN, BIN string
	EKU      []string
	Locale   string
}

// ListedKey is one row of list; a pending key has only the first, third, fourth and fifth member.
type ListedKey struct {
	KeyID        string   `json:"keyId"`
	Storage      string   `json:"storage,omitempty"`
	Algorithm    string   `json:"algorithm"`
	Usage        string   `json:"usage"`
	State        string   `json:"state"`
	SubjectDN    string   `json:"subjectDn,omitempty"`
	IssuerDN     string   `json:"issuerDn,omitempty"`
	IIN          string   `json:"iin,omitempty"`
	BIN          string   `json:"bin,omitempty"`
	Organization string   `json:"organization,omitempty"`
	Roles        []string `json:"roles,omitempty"`
	Serial       string   `json:"serialNumber,omitempty"`
	NotBefore    string   `json:"notBefore,omitempty"`
	NotAfter     string   `json:"notAfter,omitempty"`
	// Certificate is the DER in base64, so that the site can check what the other members say.
	Certificate []byte `json:"certificate,omitempty"`
}

// Listed is the result of list.
type Listed struct {
	Keys []ListedKey `json:"keys"`
}

// keyArgs checks what the three methods share: apiVersion and the presence of arguments.
func (r *Request) keyArgs() (*members, *Refusal) {
	if v, _ := r.object.Lookup("apiVersion"); v != nil && v != Number("2") && v != "2" {
		return nil, &Refusal{CodeGeneral, "api_version: supported apiVersion is 2"}
	}
	v, _ := r.object.Lookup("args")
	args, ok := v.(*Object)
	if !ok {
		return nil, &Refusal{CodeGeneral, "missing_arguments: " + r.Method + " demands arguments"}
	}
	return &members{o: args}, nil
}

// OwnCall is a checked call of kz.senim.keys that a program of the person's own makes.
type OwnCall struct{ Locale string }

// Own checks such a call.
func (r *Request) Own() (*OwnCall, *Refusal) {
	m, refusal := r.keyArgs()
	if refusal != nil {
		return nil, refusal
	}
	c := &OwnCall{Locale: m.locale()}
	return c, m.refusal()
}

// UndefinedMethod answers a method that kz.senim.keys does not have.
func (r *Request) UndefinedMethod() *Refusal {
	return &Refusal{CodeGeneral, "undefined_method: " + r.Method + " is not defined in " + ModuleKeys}
}

func (m *members) refusal() *Refusal {
	switch {
	case m.fault == "":
		return nil
	case strings.HasSuffix(m.fault, "not found."):
		return &Refusal{CodeInvocation, "missing_member: " + m.fault}
	}
	return &Refusal{CodeInvocation, "wrong_type: " + m.fault}
}

func (m *members) locale() string {
	if s := m.text("locale", false); s != "" {
		return s
	}
	return "kk"
}

func generating(reason, text string) *Refusal {
	return &Refusal{CodeGenerating, reason + ": " + text}
}

var requestID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// Generate checks a call of generate.
func (r *Request) Generate() (*GenerateCall, *Refusal) {
	m, refusal := r.keyArgs()
	if refusal != nil {
		return nil, refusal
	}
	c := &GenerateCall{RequestID: m.text("requestId", true), Folder: m.text("folder", false), Locale: m.locale()}
	c.Storage, c.Token = m.text("storage", true), m.text("token", false)
	profiles, subject := m.profiles(), m.object("subject")
	if refusal := m.refusal(); refusal != nil {
		return nil, refusal
	}
	c.Profiles, c.Subject = profiles, subject.subject()
	if refusal := subject.refusal(); refusal != nil {
		return nil, refusal
	}
	_, token := Storage(c.Storage)
	switch {
	case c.Storage != PKCS12 && !token:
		return nil, generating("storage_unavailable", "keys are made in PKCS12 files and on tokens")
	case token && c.Folder != "":
		return nil, generating("folder_unavailable", "a token has no folder")
	case !token:
		c.Token = ""
	}
	if refusal := c.check(); refusal != nil {
		return nil, refusal
	}
	return c, nil
}

func (m *members) subject() Subject {
	s := Subject{
		CommonName: m.text("commonName", false), Surname: m.text("surname", false),
		GivenName: m.text("givenName", false), IIN: m.text("iin", false),
		Organization: m.text("organization", false), BIN: m.text("bin", false),
		Country: m.text("country", false), Email: m.text("email", false),
	}
	if s.Country == "" {
		s.Country = "KZ"
	}
	return s
}

// check refuses an order that no key can be made for.
func (c *GenerateCall) check() *Refusal {
	if !requestID.MatchString(c.RequestID) {
		return generating("invalid_request_id", "1 to 64 of A-Z a-z 0-9 . _ -")
	}
	if !profilesFit(c.Profiles) {
		return generating("unsupported_profile", "1 to 4 of GOST512 SIGNATURE, RSA2048 SIGNATURE, RSA2048 AUTHENTICATION")
	}
	if what := c.Subject.fault(); what != "" {
		return generating("invalid_subject", what)
	}
	return nil
}

func (m *members) profiles() []Profile {
	list, ok := m.value("profiles", true).([]any)
	if !ok {
		m.wrong("profiles", "JSONArray")
		return nil
	}
	var out []Profile
	for _, v := range list {
		o, ok := v.(*Object)
		if !ok {
			m.wrong("profiles", "JSONArray")
			return nil
		}
		algorithm, _ := stringOf(o, "algorithm")
		usage, _ := stringOf(o, "usage")
		out = append(out, Profile{algorithm, usage})
	}
	return out
}

func profilesFit(profiles []Profile) bool {
	if len(profiles) < 1 || len(profiles) > 4 {
		return false
	}
	for _, p := range profiles {
		switch p {
		case Profile{"GOST512", "SIGNATURE"}, Profile{"RSA2048", "SIGNATURE"}, Profile{"RSA2048", "AUTHENTICATION"}:
		default:
			return false
		}
	}
	return true
}

var (
	serialNumber = regexp.MustCompile(`^[0-9a-f]{1,40}$`)
	twelve       = regexp.MustCompile(`^[0-9]{12}$`)
	country      = regexp.MustCompile(`^[A-Z]{2}$`)
	mailbox      = regexp.MustCompile(`^[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$`)
)

// fault says what is wrong with a subject; "" when nothing is.
func (s Subject) fault() string {
	switch {
	case !named(s.CommonName) || !named(s.Surname):
		return "commonName and surname are required, up to 200 characters"
	case s.GivenName != "" && !named(s.GivenName), s.Organization != "" && !named(s.Organization):
		return "givenName and organization have up to 200 characters"
	case !twelve.MatchString(s.IIN):
		return "iin has 12 digits"
	case (s.Organization == "") != (s.BIN == ""):
		return "organization and bin come together"
	case s.BIN != "" && !twelve.MatchString(s.BIN):
		return "bin has 12 digits"
	case !country.MatchString(s.Country):
		return "country has two capital letters"
	case len(s.Email) > 254 || !mailbox.MatchString(s.Email):
		return "email is not an address"
	}
	return ""
}

func named(s string) bool {
	return strings.TrimSpace(s) != "" && utf8.RuneCountInString(s) <= 200 && strings.IndexFunc(s, unicode.IsControl) < 0
}

// Install checks a call of install.
func (r *Request) Install() (*InstallCall, *Refusal) {
	m, refusal := r.keyArgs()
	if refusal != nil {
		return nil, refusal
	}
	c := &InstallCall{RequestID: m.text("requestId", true), Challenge: m.text("challenge", false), Locale: m.locale()}
	list := m.list("certificates", true)
	if refusal := m.refusal(); refusal != nil {
		return nil, refusal
	}
	if refusal := c.take(list); refusal != nil {
		return nil, refusal
	}
	return c, nil
}

// take decodes the certificates of one set.
func (c *InstallCall) take(list []string) *Refusal {
	if len(list) < 1 || len(list) > 4 {
		return &Refusal{CodeNotImportable, "not_a_certificate: 1 to 4 certificates"}
	}
	for _, text := range list {
		if strings.Contains(text, "-----BEGIN") {
			c.Certificates = append(c.Certificates, []byte(text))
			continue
		}
		der, err := DecodeBase64(text)
		if err != nil {
			return &Refusal{CodeNotImportable, "not_a_certificate: " + err.Error()}
		}
		c.Certificates = append(c.Certificates, der)
	}
	return nil
}

// List checks a call of list.
func (r *Request) List() (*ListCall, *Refusal) {
	m, refusal := r.keyArgs()
	if refusal != nil {
		return nil, refusal
	}
	c := &ListCall{
		IIN: m.text("iin", false), BIN: m.text("bin", false),
		EKU: m.list("extKeyUsageOids", false), Locale: m.locale(),
	}
	return c, m.refusal()
}
