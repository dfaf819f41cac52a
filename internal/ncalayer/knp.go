package ncalayer

import "slices"

// ModuleKNP is the tax portal's.
const ModuleKNP = "kz.inessoft.kgd.knp.ncalayer.KNPModuleService"

// KNPCall is a call of the tax portal's module.
type KNPCall struct {
	Command string
	Storage string // by NCALayer's name; "" where none is known
	XML     string // signDocument
	id      any    // requestId as it came
}

// KNP checks a call of the tax portal's module. Exactly one of call and reply is set.
func (r *Request) KNP() (call *KNPCall, reply []byte) {
	call = &KNPCall{}
	call.id, _ = r.object.Lookup("requestId")
	switch call.id.(type) {
	case nil, string, Number:
	default:
		call.id = nil
	}
	call.Command, _ = stringOf(r.object, "command")
	switch call.Command {
	case "getStorageType", "info", "getCertificates":
		return call, nil
	case "getStorageDevicesByType":
		name, _ := stringOf(r.object, "storage")
		call.Storage = knpStorage(name)
		return call, nil
	case "signDocument":
	case "":
		return nil, call.Refuse(KNPInvalid, "command is missing")
	default:
		return nil, call.Refuse(KNPError, "unknown command")
	}
	var given, ok bool
	for _, name := range []string{"xml", "xmlToSign", "data"} {
		if v, there := r.object.Lookup(name); there && v != nil && !given {
			call.XML, ok = v.(string)
			given = true
		}
	}
	name, _ := stringOf(r.object, "storageType")
	if call.Storage = knpStorage(name); name == "" {
		call.Storage = PKCS12
	}
	if !ok || call.XML == "" {
		return nil, call.Refuse(KNPInvalid, "xml is missing")
	}
	return call, nil
}

// knpStorages are the storages by the tax portal's names, in the order it is told them.
var knpStorages = []struct{ name, storage string }{
	{PKCS12, PKCS12}, {"KAZTOKEN", "AKKaztokenStore"}, {"KZIDCARD", "AKKZIDCardStore"}, {"ETOKEN_72K", "AKEToken72KStore"}, {"JACARTA", "AKJaCartaStore"},
}

// knpStorage is NCALayer's name of a storage; "" for an unknown one.
func knpStorage(name string) string {
	for _, s := range knpStorages {
		if s.name == name || s.storage == name {
			return s.storage
		}
	}
	return ""
}

// Result codes of the tax portal's module.
const (
	KNPOK      = "OK"
	KNPError   = "ERROR"
	KNPInvalid = "INVALID_INPUT_DATA"
	// Reasons of a signature not made.
	KNPNoToken = "TOKEN_NOT_AVAILABLE"
	KNPFailed  = "SIGN_UNKNOWN_ERROR"
)

type knpStatus struct {
	Code string `json:"resultCode"`
	Text string `json:"resultText,omitempty"`
}

// knpTail ends every reply.
type knpTail struct {
	Status    knpStatus `json:"resultStatus"`
	RequestID any       `json:"requestId,omitempty"`
}

func (c *KNPCall) tail(code, text string) knpTail {
	if n, ok := c.id.(Number); ok {
		return knpTail{knpStatus{code, text}, rawNumber(n)}
	}
	return knpTail{knpStatus{code, text}, c.id}
}

// rawNumber writes a number as it came.
type rawNumber Number

// MarshalJSON implements json.Marshaler.
func (n rawNumber) MarshalJSON() ([]byte, error) { return []byte(n), nil }

// Refuse answers with a code and a text.
func (c *KNPCall) Refuse(code, text string) []byte { return encode(c.tail(code, text)) }

// Unsigned answers that no signature was made, and why.
func (c *KNPCall) Unsigned(reason string) []byte {
	type fault struct {
		Crypto string `json:"cryptoError"`
	}
	return encode(struct {
		Error fault `json:"error"`
		knpTail
	}{fault{reason}, c.tail(KNPError, "")})
}

// Signed answers signDocument.
func (c *KNPCall) Signed(xml string) []byte {
	return encode(struct {
		XML string `json:"signedXml"`
		knpTail
	}{xml, c.tail(KNPOK, "")})
}

// Info answers info.
func (c *KNPCall) Info() []byte {
	return encode(struct {
		Type    string `json:"type"`
		Version string `json:"version"`
		Status  string `json:"status"`
		knpTail
	}{"personal", "1.1.0", "READY", c.tail(KNPOK, "")})
}

// Storages answers getStorageType.
func (c *KNPCall) Storages() []byte {
	type storage struct {
		Name  string `json:"name"`
		Token bool   `json:"token"`
	}
	var list []storage
	for _, s := range knpStorages {
		list = append(list, storage{s.name, s.storage != PKCS12})
	}
	return encode(struct {
		Storages []storage `json:"storages"`
		knpTail
	}{list, c.tail(KNPOK, "")})
}

// Devices answers getStorageDevicesByType: which of the plugged token storages is the one asked for. No page learns
// more of a token without a window.
func (c *KNPCall) Devices(plugged []string) []byte {
	names := []string{}
	for _, s := range knpStorages {
		if s.storage == c.Storage && slices.Contains(plugged, s.storage) {
			names = append(names, s.name)
		}
	}
	return encode(struct {
		Terminals []string `json:"tokenTerminals"`
		knpTail
	}{names, c.tail(KNPOK, "")})
}

// KNPCertificate is one certificate of getCertificates. Times are epoch milliseconds as text.
type KNPCertificate struct {
	Alias     string `json:"alias"`
	Serial    string `json:"serialNumber"`
	SubjectCN string `json:"subjectCn"`
	SubjectDN string `json:"subjectDn"`
	IssuerCN  string `json:"issuerCn"`
	IssuerDN  string `json:"issuerDn"`
	NotBefore string `json:"notBefore"`
	NotAfter  string `json:"notAfter"`
}

// Certificates answers getCertificates.
func (c *KNPCall) Certificates(list []KNPCertificate) []byte {
	if list == nil {
		list = []KNPCertificate{}
	}
	return encode(struct {
		List []KNPCertificate `json:"certificates"`
		knpTail
	}{list, c.tail(KNPOK, "")})
}
