package agent

import (
	"bytes"
	"context"
	"slices"

	"senim/algid"
	"senim/internal/keystore"
	"senim/pki"
)

// A new password is never that of the key it replaces (cabinet.md K5): who knows the old one must not open the new file.
// Nobody keeps passwords here, so the old files are tried. Of a file nobody opened yet it is not known what it replaces.

// opensOld tells whether a password opens a key file that is replaced.
func (w *window) opensOld(ctx context.Context, password string, replaced func(*pki.Certificate) bool) bool {
	return slices.ContainsFunc(w.files, func(f keystore.File) bool {
		cert := w.cert(f)
		if cert == nil || f.Certificate() != nil || ctx.Err() != nil || !replaced(cert) {
			return false
		}
		key, err := keystore.Unlock(f, password)
		if err == nil {
			_ = key.Close()
		}
		return err == nil
	})
}

// newPasswords checks a new password that is typed twice for what replaces other keys.
func (w *window) newPasswords(ctx context.Context, d Decision, replaced func(*pki.Certificate) bool) *Problem {
	if p := d.newPasswords(); p != nil {
		return p
	}
	if w.opensOld(ctx, d.NewPassword, replaced) {
		return &Problem{Code: "same_password", Field: "new-password"}
	}
	return nil
}

// replacedBy are the keys of the same holder and kind that are older than certificates to be installed, and none of them.
func replacedBy(certs ...*pki.Certificate) func(*pki.Certificate) bool {
	return func(old *pki.Certificate) bool {
		if slices.ContainsFunc(certs, func(c *pki.Certificate) bool { return bytes.Equal(old.RawSPKI, c.RawSPKI) }) {
			return false
		}
		return slices.ContainsFunc(certs, func(c *pki.Certificate) bool {
			o, n := old.Holder(), c.Holder()
			return o.IIN == n.IIN && o.BIN == n.BIN && old.Key == c.Key && old.ForSigning() == c.ForSigning() && !old.NotBefore.After(c.NotBefore)
		})
	}
}

// replacedByOrder are those of the holder and the kinds that keys are ordered for.
func replacedByOrder(order keystore.Order) func(*pki.Certificate) bool {
	kinds := map[string]algid.Key{"GOST512": algid.GOST512, "GOST256": algid.GOST256, "RSA2048": algid.RSA}
	return func(old *pki.Certificate) bool {
		h := old.Holder()
		return h.IIN == order.Subject.IIN && h.BIN == order.Subject.BIN && slices.ContainsFunc(order.Profiles, func(p keystore.Profile) bool {
			return old.Key == kinds[p.Algorithm] && old.ForSigning() == (p.Usage == "SIGNATURE")
		})
	}
}
