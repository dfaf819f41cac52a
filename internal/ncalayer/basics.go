package ncalayer

import (
	"strings"
)

// SignCall is a checked call of basics.sign.
type SignCall struct {
	Storages     []string // allowed storages; nil is every storage
	Format       string   // "cms", "xml" or "raw"
	Data         []string
	Decode       bool // Data is base64
	Encapsulate  bool // the content goes into the CMS
	Digested     bool // Data is a digest
	Stamp        bool // a time-stamp is asked for
	AllowExpired bool
	AllowRevoked bool
	OutputCert   bool
	EKU          []string // every one must be in the certificate
	IIN, BIN     string   // exact, "" for any
	Serial       string   // lower-case hexadecimal, "" for any
	AnyChain     bool     // no path building at all
	Chain        []string // PEM certificates to build to; nil with AnyChain false: the trusted ones
	Locale       string   // "kk" where the page says nothing
	Logo         string   // base64 PNG, at most 50 000 characters, else ""
}

// maxLogo is the longest logo that is looked at.
const maxLogo = 50_000

// maxChain bounds the certificates a page may name as its own authorities.
const maxChain = 16

// members reads the members of one object and remembers the first fault.
type members struct {
	o     *Object
	fault string
}

func (m *members) wrong(name, kind string) {
	if m.fault == "" {
		m.fault = `JSONObject["` + name + `"] is not a ` + kind + `.`
	}
}

func (m *members) missing(name string) {
	if m.fault == "" {
		m.fault = `JSONObject["` + name + `"] not found.`
	}
}

// value gives a member; null counts as absent.
func (m *members) value(name string, required bool) any {
	v, _ := m.o.Lookup(name)
	if v == nil && required {
		m.missing(name)
	}
	return v
}

func (m *members) text(name string, required bool) string {
	v := m.value(name, required)
	s, ok := v.(string)
	if v != nil && !ok {
		m.wrong(name, "string")
	}
	return s
}

// truth reads a boolean, or the words "true" and "false" that official pages send.
func (m *members) truth(name string, otherwise bool) bool {
	switch v := m.value(name, false).(type) {
	case nil:
		return otherwise
	case bool:
		return v
	case string:
		switch strings.ToLower(v) {
		case "true":
			return true
		case "false":
			return false
		}
	}
	m.wrong(name, "Boolean")
	return otherwise
}

func (m *members) list(name string, required bool) []string {
	v := m.value(name, required)
	if v == nil {
		return nil
	}
	list, ok := v.([]any)
	if !ok {
		m.wrong(name, "JSONArray")
		return nil
	}
	out, ok := texts(list)
	if !ok {
		m.wrong(name, "JSONArray")
	}
	return out
}

func (m *members) object(name string) *members {
	v := m.value(name, true)
	o, ok := v.(*Object)
	if v != nil && !ok {
		m.wrong(name, "JSONObject")
	}
	return &members{o: o}
}

func illegal(what string) *Refusal {
	return &Refusal{CodeGeneral, "java.lang.IllegalArgumentException: " + what}
}

// Sign checks a call of basics: class, apiVersion, method, args, then every member. Contents
// (base64, XML, lengths) are checked by [SignCall.Contents] and by the agent.
func (r *Request) Sign() (*SignCall, *Refusal) {
	if v, _ := r.object.Lookup("class"); v != nil && v != "Basics" {
		s, _ := v.(string)
		return nil, illegal(s + " is not found")
	}
	if v, _ := r.object.Lookup("apiVersion"); v != nil && v != Number("2") && v != "2" {
		return nil, illegal("Supported apiVersion is 2")
	}
	if r.Method != "sign" {
		name := r.Method
		if name == "" {
			name = "null"
		}
		return nil, illegal(name + " is not defined in Basics")
	}
	v, _ := r.object.Lookup("args")
	args, ok := v.(*Object)
	if !ok {
		return nil, illegal("sign demands arguments")
	}
	return readSign(args)
}

func readSign(args *Object) (*SignCall, *Refusal) {
	m := &members{o: args}
	c := &SignCall{Storages: m.list("allowedStorages", false), Format: m.text("format", true)}
	switch v := m.value("data", true).(type) {
	case nil:
	case string:
		c.Data = []string{v}
	case []any:
		var ok bool
		if c.Data, ok = texts(v); !ok {
			m.wrong("data", "string")
		}
	default:
		m.wrong("data", "string")
	}
	signing, signer := m.object("signingParams"), m.object("signerParams")
	c.Locale, c.Logo = m.text("locale", false), m.text("logo", false)
	if len(c.Logo) > maxLogo {
		c.Logo = ""
	}
	if c.Locale == "" {
		c.Locale = "kk"
	}
	if m.fault == "" {
		c.signing(signing)
		c.signer(signer)
	}
	for _, part := range []*members{m, signing, signer} {
		if part.fault != "" {
			return nil, &Refusal{CodeInvocation, "org.json.JSONException: " + part.fault}
		}
	}
	return c, nil
}

func (c *SignCall) signing(m *members) {
	c.Decode = m.truth("decode", false)
	c.Encapsulate = m.truth("encapsulate", true)
	c.Digested = m.truth("digested", false)
	c.AllowExpired = m.truth("allowExpired", false)
	c.AllowRevoked = m.truth("allowRevoked", false)
	c.OutputCert = m.truth("outputCert", false)
	switch m.value("tsaProfile", false).(type) {
	case nil:
	case *Object:
		c.Stamp = true
	default:
		m.wrong("tsaProfile", "JSONObject")
	}
}

func (c *SignCall) signer(m *members) {
	c.EKU = m.list("extKeyUsageOids", true)
	c.IIN, c.BIN = m.text("iin", false), m.text("bin", false)
	c.Serial = strings.ToLower(m.text("serialNumber", false))
	c.Chain = m.list("chain", false)
	c.AnyChain = c.Chain != nil && len(c.Chain) == 0
	if len(c.Chain) > maxChain {
		m.wrong("chain", "JSONArray")
	}
}

// Contents decodes the documents of the call: the bytes to sign, or the digests. What cannot be
// signed at all is refused with INVALID_SIGNING_PARAMS. Whether XML parses is not checked here.
func (c *SignCall) Contents() ([][]byte, *Refusal) {
	switch c.Format {
	case "cms", "raw":
	case "xml":
		if c.Digested {
			return nil, &Refusal{CodeParams, "digested: a digest cannot be signed as XML"}
		}
	default:
		return nil, &Refusal{CodeParams, "format: cms, xml or raw is supported"}
	}
	if len(c.Data) == 0 {
		return nil, &Refusal{CodeParams, "data: nothing to sign"}
	}
	out := make([][]byte, 0, len(c.Data))
	for _, text := range c.Data {
		b := []byte(text)
		if c.Decode {
			var err error
			if b, err = DecodeBase64(text); err != nil {
				return nil, &Refusal{CodeParams, "data: " + err.Error()}
			}
		}
		if c.Digested && len(b) != 32 && len(b) != 64 {
			return nil, &Refusal{CodeParams, "data: a digest has 32 or 64 bytes"}
		}
		out = append(out, b)
	}
	return out, nil
}
