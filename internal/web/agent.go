package web

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"senim/internal/auth"
	"senim/internal/lang"
)

// AgentCall is one whole request to the signing agent, as NCALayer takes it.
type AgentCall struct {
	Module string `json:"module"`
	Method string `json:"method"`
	Args   any    `json:"args"`

	phone *offer // what a phone is asked instead; nil: it cannot do it
}

// JSON is the request as it goes into data-agent.
func (c AgentCall) JSON() string {
	b, err := json.Marshal(c)
	if err != nil {
		return "{}" // only maps, slices and strings are put in: cannot happen
	}
	return string(b)
}

// Signer narrows which key the agent offers. Zero: any signing key.
type Signer struct{ IIN, BIN, Serial string }

func (s Signer) params() map[string]any {
	return map[string]any{"extKeyUsageOids": []string{}, "iin": s.IIN, "bin": s.BIN, "serialNumber": s.Serial, "chain": []string{}}
}

func sign(t lang.Tag, format, data string, params map[string]any, s Signer) AgentCall {
	return AgentCall{Module: "kz.gov.pki.knca.basics", Method: "sign", Args: map[string]any{
		"format": format, "data": data, "signingParams": params, "signerParams": s.params(), "locale": string(t)}}
}

// SignChallenge asks for a detached CMS over a challenge.
func SignChallenge(t lang.Tag, c auth.Challenge, s Signer) AgentCall {
	return sign(t, "cms", base64.StdEncoding.EncodeToString([]byte(c.Text())),
		map[string]any{"decode": true, "encapsulate": false, "digested": false}, s).onPhone(s, offer{Purpose: c.Purpose, Digest: c.Digest})
}

// SignXML asks for an enveloped signature over a document.
func SignXML(t lang.Tag, xml string, s Signer) AgentCall {
	return sign(t, "xml", xml, map[string]any{}, s).onPhone(s, offer{XML: xml})
}

// Profile is a kind of key pair to make, as GOST512 + SIGNATURE.
type Profile struct {
	Algorithm string `json:"algorithm"`
	Usage     string `json:"usage"`
}

// Subject is whose keys are made; CommonName, Surname, IIN and Email are required.
type Subject struct {
	CommonName   string `json:"commonName"`
	Surname      string `json:"surname"`
	GivenName    string `json:"givenName,omitempty"`
	IIN          string `json:"iin"`
	Organization string `json:"organization,omitempty"`
	BIN          string `json:"bin,omitempty"`
	Country      string `json:"country"`
	Email        string `json:"email"`
}

// GenerateKeys asks the agent to make key pairs and certificate requests (kz.senim.keys).
func GenerateKeys(t lang.Tag, requestID, storage string, profiles []Profile, s Subject) AgentCall {
	return AgentCall{Module: "kz.senim.keys", Method: "generate", Args: map[string]any{
		"requestId": requestID, "storage": storage, "profiles": profiles, "subject": s, "locale": string(t)}}
}

// InstallKeys asks the agent to put certificates (DER) beside the keys it made (kz.senim.keys), and to have each key sign
// the challenge of [Request.AskInstall].
func InstallKeys(t lang.Tag, requestID string, certificates [][]byte, challenge string) AgentCall {
	list := make([]string, len(certificates))
	for i, der := range certificates {
		list[i] = base64.StdEncoding.EncodeToString(der)
	}
	return AgentCall{Module: "kz.senim.keys", Method: "install", Args: map[string]any{
		"requestId": requestID, "certificates": list, "challenge": challenge, "locale": string(t)}}
}

// NewKey is one key pair the agent made.
type NewKey struct {
	Algorithm, Usage, KeyID string
	Request                 []byte // PKCS #10, DER
}

// InstalledKey is one key file the agent wrote.
type InstalledKey struct {
	KeyID        string `json:"keyId"`
	FileName     string `json:"fileName"`
	SerialNumber string `json:"serialNumber"`
	Created      bool   `json:"created"`
	// Signature is the key's over the challenge: CMS, DER; an agent that does not know of it gives none.
	Signature []byte `json:"signature"`
}

// ErrAnswer says that what came instead of the agent's answer cannot be read.
var ErrAnswer = errors.New("the agent's answer cannot be read")

// Signature reads the answer to a signature: an array of one string (or the string), PEM or base64
// of a CMS. It returns DER or BER.
func Signature(answer string) ([]byte, error) {
	text, err := single(answer)
	if err != nil {
		return nil, err
	}
	if block, rest := pem.Decode([]byte(text)); block != nil {
		if strings.TrimSpace(string(rest)) != "" {
			return nil, fmt.Errorf("%w: something follows the signature", ErrAnswer)
		}
		return block.Bytes, nil
	}
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil || len(der) == 0 {
		return nil, fmt.Errorf("%w: neither PEM nor base64", ErrAnswer)
	}
	return der, nil
}

// SignedXML reads the answer to a signature of a document: an array of one string, or the string.
func SignedXML(answer string) ([]byte, error) {
	text, err := single(answer)
	return []byte(text), err
}

// single reads ["text"], "text", or the text itself.
func single(answer string) (string, error) {
	answer = strings.TrimSpace(answer)
	var list []string
	if json.Unmarshal([]byte(answer), &list) == nil {
		if len(list) != 1 || list[0] == "" {
			return "", fmt.Errorf("%w: %d signatures", ErrAnswer, len(list))
		}
		return list[0], nil
	}
	var one string
	if json.Unmarshal([]byte(answer), &one) == nil {
		answer = one
	}
	if answer == "" {
		return "", fmt.Errorf("%w: it is empty", ErrAnswer)
	}
	return answer, nil
}

// NewKeys reads the answer of kz.senim.keys generate: at most four keys of this request.
func NewKeys(answer, requestID string) ([]NewKey, error) {
	var got struct {
		RequestID string `json:"requestId"`
		Keys      []struct {
			Algorithm, Usage, KeyID, CSR string
		} `json:"keys"`
	}
	if err := json.Unmarshal([]byte(answer), &got); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	if got.RequestID != requestID || len(got.Keys) == 0 || len(got.Keys) > 4 {
		return nil, fmt.Errorf("%w: other request or number of keys", ErrAnswer)
	}
	keys := make([]NewKey, len(got.Keys))
	for i, k := range got.Keys {
		der, err := base64.StdEncoding.DecodeString(k.CSR)
		if err != nil {
			return nil, fmt.Errorf("%w: request is not base64", ErrAnswer)
		}
		keys[i] = NewKey{Algorithm: k.Algorithm, Usage: k.Usage, KeyID: k.KeyID, Request: der}
	}
	return keys, nil
}

// Requests are the certificate requests of keys, in their order.
func Requests(keys []NewKey) [][]byte {
	all := make([][]byte, len(keys))
	for i, k := range keys {
		all[i] = k.Request
	}
	return all
}

// Installed reads the answer of kz.senim.keys install.
func Installed(answer, requestID string) ([]InstalledKey, error) {
	var got struct {
		RequestID string         `json:"requestId"`
		Files     []InstalledKey `json:"files"`
	}
	if err := json.Unmarshal([]byte(answer), &got); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	if got.RequestID != requestID || len(got.Files) == 0 || len(got.Files) > 4 {
		return nil, fmt.Errorf("%w: other request or number of files", ErrAnswer)
	}
	return got.Files, nil
}

// Signatures are what the keys signed, in their order; nil where there is none.
func Signatures(files []InstalledKey) [][]byte {
	all := make([][]byte, len(files))
	for i, f := range files {
		all[i] = f.Signature
	}
	return all
}

// Serials are the serial numbers of the certificates in key files, in their order.
func Serials(files []InstalledKey) []string {
	all := make([]string, len(files))
	for i, f := range files {
		all[i] = f.SerialNumber
	}
	return all
}
