package ncalayer

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// encode writes compact JSON as org.json does: no escapes but the needed ones, "</" as "<\/", and
// the characters U+0080 to U+009F and U+2000 to U+20FF by their numbers.
// Values are structures of this package and of the agent, which cannot fail to encode.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return []byte(`{"code":"500","message":"internal"}`)
	}
	return numbered(bytes.ReplaceAll(bytes.TrimSuffix(b.Bytes(), []byte("\n")), []byte("</"), []byte(`<\/`)))
}

// numbered writes as \uXXXX what org.json does; the encoder has already done so with some of them.
func numbered(text []byte) []byte {
	if bytes.IndexByte(text, 0xc2) < 0 && bytes.IndexByte(text, 0xe2) < 0 { // the first bytes of all of them
		return text
	}
	var b bytes.Buffer
	for _, c := range string(text) {
		if c >= 0x80 && c < 0xa0 || c >= 0x2000 && c < 0x2100 {
			_, _ = fmt.Fprintf(&b, `\u%04x`, c)
			continue
		}
		b.WriteRune(c)
	}
	return b.Bytes()
}

type common struct {
	Object  any    `json:"responseObject,omitempty"`
	Code    string `json:"code"`
	Message string `json:"message,omitempty"`
	UUID    string `json:"uuid,omitempty"`
}

// CommonReply is a success of commonUtils: object is a string, a list of strings or a [KeyInfo];
// nil leaves responseObject out. A uuid that is not empty is echoed.
func CommonReply(object any, uuid string) []byte {
	if list, ok := object.([]string); ok && len(list) == 0 {
		object = []string{} // never null
	}
	return encode(common{Object: object, Code: "200", UUID: uuid})
}

// CommonError is a failure of commonUtils; an empty message is left out.
func CommonError(message, uuid string) []byte {
	return encode(common{Code: "500", Message: message, UUID: uuid})
}

// CommonCanceled is the answer of commonUtils when the person closed the window.
func CommonCanceled(uuid string) []byte { return CommonError("action.canceled", uuid) }

// KeyInfo is the object of getKeyInfo, its members in NCALayer's order. Times are epoch
// milliseconds as text, names as BouncyCastle prints them, identifiers lower-case hexadecimal.
type KeyInfo struct {
	NotBefore    string `json:"certNotBefore"`
	IssuerCN     string `json:"issuerCn"`
	AuthorityKey string `json:"authorityKeyIdentifier"`
	Serial       string `json:"serialNumber"`
	NotAfter     string `json:"certNotAfter"`
	IssuerDN     string `json:"issuerDn"`
	KeyID        string `json:"keyId"`
	Alias        string `json:"alias"`
	PEM          string `json:"pem"`
	SubjectCN    string `json:"subjectCn"`
	Algorithm    string `json:"algorithm"`
	SubjectDN    string `json:"subjectDn"`
}

type basicsBody struct {
	Result any `json:"result,omitempty"`
}

type basics struct {
	Body   basicsBody `json:"body"`
	Status bool       `json:"status"`
}

// BasicsReply is a success of basics and of kz.senim.keys.
func BasicsReply(result any) []byte { return encode(basics{basicsBody{result}, true}) }

// BasicsCanceled is the answer of basics when the person closed the window: a body without result.
func BasicsCanceled() []byte { return encode(basics{Status: true}) }

// RawResult is the result of basics.sign in the format "raw".
type RawResult struct {
	Signatures  []string `json:"signatures"`
	Certificate string   `json:"certificate,omitempty"`
}

// Refusal is a failure of basics or kz.senim.keys: a stable code, details that are never empty, and
// the message that belongs to the code.
type Refusal struct{ Code, Details string }

// The codes of [Refusal].
const (
	CodeGeneral       = "GENERAL_ERROR"
	CodeInvocation    = "INVOCATION_ERROR"
	CodeParams        = "INVALID_SIGNING_PARAMS"
	CodeSigning       = "SIGNING_FAILURE"
	CodeGenerating    = "CSR_GENERATING_FAILURE"
	CodeImporting     = "CERTIFICATE_IMPORTING_FAILURE"
	CodeNotImportable = "INVALID_IMPORTING_CERTIFICATE"
)

func (r *Refusal) Error() string { return r.Code + ": " + r.Details }

// message is the text beside a code; those of signing are not confirmed by a recording.
func (r *Refusal) message() string {
	switch r.Code {
	case CodeInvocation:
		return "An invoked method threw an exception."
	case CodeParams:
		return "Invalid signing parameters."
	case CodeSigning:
		return "Data was not signed."
	case CodeGenerating:
		return "Key pair was not generated."
	case CodeImporting:
		return "Certificate was not imported."
	case CodeNotImportable:
		return "Certificate cannot be imported."
	}
	return "General error."
}

// Reply is the frame for the refusal.
func (r *Refusal) Reply() []byte {
	return encode(struct {
		Code    string `json:"code"`
		Details string `json:"details"`
		Message string `json:"message"`
		Status  bool   `json:"status"`
	}{r.Code, r.Details, r.message(), false})
}

// ModuleNotFound is the answer to every module we do not have; pages test for it.
func ModuleNotFound() []byte { return []byte(`{"success":false,"errorCode":"MODULE_NOT_FOUND"}`) }
