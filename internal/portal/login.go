package portal

import (
	"encoding/hex"
	"net/http"
	"time"

	"senim/internal/auth"
	"senim/internal/participant"
	"senim/internal/trust"
	"senim/internal/web"
)

// Names of what the session keeps between the key and the password, and after.
const (
	keyIIN    = "key.iin"
	keyBIN    = "key.bin"
	keySerial = "key.serial"
	keyPrint  = "key.print"
	keyName   = "key.name"
	keyLink   = "key.link"  // hash of the link's token, when sign-in finishes a registration
	keyUntil  = "key.until" // the proof's end
	keyWay    = "key.way"   // what followed the key: password or passkey
	profileID = participant.ProfileValue
	// profileType is what the profile is, for the menu alone.
	profileType = "profile.type"
)

// proofLife is how long the password may be asked after the key was proved.
const proofLife = 20 * time.Minute

// signInPurpose and registerPurpose are the purposes of our challenges.
const (
	signInPurpose   = "sign-in"
	registerPurpose = "register"
)

// loginPage asks for the key (section 7, step 1).
func (s *site) loginPage(w http.ResponseWriter, r *web.Request) error {
	c, err := r.Ask(signInPurpose, "")
	if err != nil {
		return err
	}
	var over *failure
	if ended, ok := r.Ended(); ok && ended.Reason != auth.ByUnknown && ended.Reason != auth.ByRenewal {
		f := closedFailure(r, ended)
		over = &f
	}
	return r.OK(w, loginView(r, "/login", "", over, c))
}

// loginKey takes the signed challenge.
func (s *site) loginKey(_ http.ResponseWriter, r *web.Request) error {
	if err := s.proveSignIn(r); err != nil {
		return &stopped{err: err, retry: "/login"}
	}
	return r.Redirect("/login/password")
}

// proveSignIn verifies the answer and keeps the facts of the certificate for the password page, under
// a new session id. No path reaches the password without it (S1).
func (s *site) proveSignIn(r *web.Request) error {
	der, err := web.Signature(r.Field("answer"))
	if err != nil {
		return err
	}
	p, err := s.signIn.From(r.Network()).Prove(r.Context(), r.SID(), signInPurpose, der, trust.SignIn)
	if err != nil {
		return err
	}
	if p.Holder.IIN == "" {
		return &participant.Denied{Code: "CERT_NO_IIN"}
	}
	sum := p.Certificate.Fingerprint()
	if err := r.CountCertificate(hex.EncodeToString(sum[:])); err != nil {
		return err
	}
	values := map[string]string{
		keyIIN: p.Holder.IIN, keyBIN: p.Holder.BIN, keySerial: p.Certificate.SerialHex(), keyPrint: hex.EncodeToString(sum[:]),
		keyName: p.Holder.CommonName, keyUntil: r.Now().Add(proofLife).UTC().Format(time.RFC3339),
	}
	r.KeepBack(values)
	return r.SignIn(auth.Session{Values: web.KeepCertificate(values, p.Certificate)})
}
