package web

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"senim/internal/lang"
)

// maxMany bounds the parts of an answer for many.
const maxMany = 100

func manyCall(t lang.Tag, method string, args map[string]any) AgentCall {
	args["locale"] = string(t)
	return AgentCall{Module: "kz.senim.keys", Method: method, Args: args}
}

// ListKeys asks the agent which keys the person wants to show (kz.senim.keys list).
func ListKeys(t lang.Tag) AgentCall { return manyCall(t, "list", map[string]any{}) }

// ListedCertificates reads the answer to [ListKeys]: the certificates (DER) of the keys shown. Keys
// without a certificate yet are passed over; what else the agent says of a key is not believed.
func ListedCertificates(answer string) ([][]byte, error) {
	var got struct {
		Keys []struct {
			Certificate []byte `json:"certificate"`
		} `json:"keys"`
	}
	if err := json.Unmarshal([]byte(answer), &got); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	if len(got.Keys) > maxListed {
		return nil, fmt.Errorf("%w: %d keys", ErrAnswer, len(got.Keys))
	}
	var list [][]byte
	for _, k := range got.Keys {
		if len(k.Certificate) > 0 {
			list = append(list, k.Certificate)
		}
	}
	return list, nil
}

// maxListed bounds the keys of one folder.
const maxListed = 500

// Order is one application's keys to make. Storage is set when they go elsewhere than the call's.
type Order struct {
	RequestID string    `json:"requestId"`
	Storage   string    `json:"storage,omitempty"`
	Profiles  []Profile `json:"profiles"`
	Subject   Subject   `json:"subject"`
}

// GenerateMany asks for the keys of many applications in one window (kz.senim.keys generateMany).
func GenerateMany(t lang.Tag, storage string, orders []Order) AgentCall {
	return manyCall(t, "generateMany", map[string]any{"storage": storage, "orders": orders})
}

// ToSign is one document of many, with the serial number of the certificate that must sign it.
type ToSign struct {
	ID     string `json:"id"`
	XML    string `json:"xml"`
	Serial string `json:"serialNumber"`
}

// SignMany asks for the signatures of many documents, each by its own key (kz.senim.keys signMany).
func SignMany(t lang.Tag, documents []ToSign) AgentCall {
	return manyCall(t, "signMany", map[string]any{"documents": documents})
}

// ToInstall is the certificates (DER) of one application.
type ToInstall struct {
	RequestID    string
	Certificates [][]byte
}

// InstallMany asks for the certificates of many applications to be put beside their keys, under one
// new password (kz.senim.keys installMany), and for the signature of each key over the challenge of [Request.AskInstall].
func InstallMany(t lang.Tag, sets []ToInstall, challenge string) AgentCall {
	orders := make([]map[string]any, len(sets))
	for i, s := range sets {
		list := make([]string, len(s.Certificates))
		for j, der := range s.Certificates {
			list[j] = base64.StdEncoding.EncodeToString(der)
		}
		orders[i] = map[string]any{"requestId": s.RequestID, "certificates": list}
	}
	return manyCall(t, "installMany", map[string]any{"orders": orders, "challenge": challenge})
}

// ManyAnswer is what the agent did for one of many; by what was asked one member is set, or Refused
// with its reason, as "not_unlocked".
type ManyAnswer struct {
	ID       string
	Requests [][]byte // generateMany: PKCS #10, DER
	XML      []byte   // signMany
	Serials  []string // installMany
	// Signatures are, with Serials, what the keys signed; nil where there is none.
	Signatures [][]byte
	Refused    string
}

// ManyAnswers reads the answers to [GenerateMany], [SignMany] and [InstallMany].
func ManyAnswers(answer string) ([]ManyAnswer, error) {
	type part struct {
		ID, RequestID, XML string
		Keys               []struct{ CSR []byte }
		Files              []struct {
			SerialNumber string
			Signature    []byte
		}
		Error *struct{ Code, Details string }
	}
	var got struct{ Orders, Documents []part }
	if err := json.Unmarshal([]byte(answer), &got); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	parts := append(got.Orders, got.Documents...)
	if len(parts) == 0 || len(parts) > maxMany {
		return nil, fmt.Errorf("%w: %d parts", ErrAnswer, len(parts))
	}
	seen := map[string]bool{}
	list := make([]ManyAnswer, len(parts))
	for i, p := range parts {
		a := ManyAnswer{ID: p.RequestID + p.ID, XML: []byte(p.XML)}
		if a.ID == "" || seen[a.ID] || len(p.Keys) > 4 || len(p.Files) > 4 {
			return nil, fmt.Errorf("%w: a part has no number of its own, or too much", ErrAnswer)
		}
		seen[a.ID] = true
		for _, k := range p.Keys {
			a.Requests = append(a.Requests, k.CSR)
		}
		for _, f := range p.Files {
			a.Serials, a.Signatures = append(a.Serials, f.SerialNumber), append(a.Signatures, f.Signature)
		}
		if p.Error != nil {
			a.Refused, _, _ = strings.Cut(p.Error.Details, ":")
			if a.Refused == "" {
				a.Refused = "internal"
			}
		}
		list[i] = a
	}
	return list, nil
}
