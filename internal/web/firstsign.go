package web

import (
	"errors"

	"senim/internal/auth"
	"senim/pki"
)

// purposeInstall is that of the challenge that new keys sign when they are installed; the agent signs no other there.
const purposeInstall = "install-keys"

// AskInstall opens the challenge that new keys sign when they are installed: about says which ones. It is empty for who
// asked too often: keys can be installed all the same.
func (r *Request) AskInstall(about string) (string, error) {
	c, err := r.askAbout(purposeInstall, about)
	if _, often := errors.AsType[Refusal](err); often {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return c.Text(), nil
}

// FirstSignature is what came as the first signature of a new key.
type FirstSignature struct {
	// Certificate is whose key made it; nil: there is none, or Bad says that it is not one over our challenge.
	Certificate *pki.Certificate
	Bad         bool
	Purpose     string
	Challenge   string
	Signature   []byte
}

// TakeInstall takes the challenge of [Request.AskInstall] and verifies the signatures over it, each in its place. Without a
// challenge that is still good and about this, there are none: that the keys are installed is true all the same.
func (r *Request) TakeInstall(about string, signatures [][]byte) ([]FirstSignature, error) {
	all := make([]FirstSignature, len(signatures))
	any := false
	for _, s := range signatures {
		any = any || len(s) > 0
	}
	if !any {
		return all, nil
	}
	c, err := r.shell.c.Auth.TakeChallenge(r.Context(), r.sid, purposeInstall)
	if _, stale := errors.AsType[*auth.Refusal](err); stale || err == nil && !c.About(about) {
		return all, nil
	}
	if err != nil {
		return nil, err
	}
	for i, s := range signatures {
		if len(s) == 0 {
			continue
		}
		cert, err := r.shell.c.Auth.SignedBy(c, s)
		if _, bad := errors.AsType[*auth.Refusal](err); bad {
			all[i].Bad = true
		} else if err != nil {
			return nil, err
		} else {
			all[i] = FirstSignature{Certificate: cert, Purpose: c.Purpose, Challenge: c.Text(), Signature: s}
		}
	}
	return all, nil
}
