package agent

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"senim/internal/trust"
	"senim/pki"
)

// written is the catalogue on disk.
type written struct {
	Keys  []writtenKey      `json:"keys"`
	State []writtenState    `json:"state"`
	Last  map[string]string `json:"last,omitempty"`
	Open  []string          `json:"opened,omitempty"` // keys on tokens that were opened once
}

type writtenKey struct {
	ID          string    `json:"id"`
	Certificate []byte    `json:"certificate"`
	Path        string    `json:"path"`
	Used        time.Time `json:"used,omitzero"`
	Storage     string    `json:"storage,omitempty"` // of a key on a token,
	Token       string    `json:"token,omitempty"`   // and the label of that token
}

type writtenState struct {
	Fingerprint string      `json:"fingerprint"`
	State       trust.State `json:"state"`
	RevokedAt   time.Time   `json:"revokedAt,omitzero"`
	Asked       time.Time   `json:"asked"`
}

// encode writes the catalogue. In a plain file there are certificates and paths only: not which site was answered with
// which key, nor when.
func (c *catalogue) encode(plain bool) ([]byte, error) {
	w := written{Last: c.last, Open: slices.Sorted(maps.Keys(c.opened))}
	if plain {
		w.Last, w.Open = nil, nil
	}
	for _, e := range c.entries() {
		if plain {
			e.used = time.Time{}
		}
		w.Keys = append(w.Keys, writtenKey{e.id, e.cert.Raw, e.path, e.used, e.on.storage, e.on.label})
		if s, ok := c.state[e.cert.Fingerprint()]; ok {
			sum := e.cert.Fingerprint()
			w.State = append(w.State, writtenState{hex.EncodeToString(sum[:]), s.State, s.RevokedAt, s.asked})
		}
	}
	return json.Marshal(w)
}

func (c *catalogue) decode(b []byte) error {
	var w written
	if err := json.Unmarshal(b, &w); err != nil {
		return fmt.Errorf("read the list of certificates: %w", err)
	}
	for _, k := range w.Keys {
		cert, err := pki.ParseCertificate(k.Certificate)
		if err != nil {
			return fmt.Errorf("read the list of certificates: %w", err)
		}
		c.known[k.ID] = &keyEntry{id: k.ID, cert: cert, path: k.Path, used: k.Used, on: seenOn{k.Storage, k.Token}}
	}
	for _, s := range w.State {
		sum, err := hex.DecodeString(s.Fingerprint)
		if err != nil || len(sum) != 32 {
			continue // it is asked again before anything is signed
		}
		c.state[[32]byte(sum)] = status{trust.Status{State: s.State, RevokedAt: s.RevokedAt, Reason: -1}, s.Asked}
	}
	for _, id := range w.Open {
		c.opened[id] = true
	}
	for origin, id := range w.Last {
		c.last[origin] = id
	}
	return nil
}
