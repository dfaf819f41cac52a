package cabinet

import (
	"errors"
	"net/http"
	"strings"

	"senim/internal/auth"
	"senim/internal/ra"
	"senim/internal/trust"
	"senim/internal/web"
)

const purposeSignIn = "sign-in"

// askSignIn shows the challenge.
func (s *cabinet) askSignIn(w http.ResponseWriter, r *web.Request) error {
	c, err := r.Ask(purposeSignIn, "")
	if err != nil {
		return err
	}
	if side := r.URL.Query().Get("side"); side != "" && r.Session().SignedIn() {
		return r.OK(w, sidePage(r, proveSide(r, c, strings.TrimPrefix(side, personalSide)), next(r)))
	}
	return r.OK(w, signInPage(r, c, next(r)))
}

// next is where to go after sign-in: a path of this site.
func next(r *web.Request) string {
	n := r.URL.Query().Get("next")
	if r.Method == http.MethodPost {
		n = r.Field("next")
	}
	if !strings.HasPrefix(n, "/") || strings.HasPrefix(n, "//") || strings.ContainsAny(n, "\\\r\n\t") {
		return ""
	}
	return n
}

// signIn checks the answer and opens a session under a new id.
func (s *cabinet) signIn(w http.ResponseWriter, r *web.Request) error {
	proof, err := s.prove(r, purposeSignIn, trust.SignIn, "/signin")
	if f, ok := errors.AsType[web.Refusal](err); ok && f.Code == "KEY_EXPIRED_NO_RENEWAL" {
		return s.expired(w, r, f)
	}
	if err != nil {
		return err
	}
	if proof.Holder.IIN == "" {
		return web.Refusal{Code: "NOT_A_PERSON", Retry: "/signin"}
	}
	if err := r.SignInWith(proof); err != nil {
		return err
	}
	if err := s.c.Office.Used(r.Context(), proof.Certificate.SerialHex()); err != nil {
		return err
	}
	_, err = s.c.Office.Account(r.Context(), proof.Holder.IIN)
	switch {
	case errors.Is(err, ra.ErrNotFound):
		if n := next(r); n != "" {
			if err := r.Set(map[string]string{"next": n}); err != nil {
				return err
			}
		}
		return r.Redirect("/signup")
	case err != nil:
		return err
	case next(r) != "":
		return r.Redirect(next(r))
	}
	return r.Redirect("/keys")
}

// prove checks the agent's answer to this browser's challenge; refusals lead back to retry.
func (s *cabinet) prove(r *web.Request, purpose string, p trust.Purpose, retry string) (*auth.Proof, error) {
	answer, err := web.Signature(r.Field("answer"))
	if err != nil {
		return nil, web.Refusal{Code: "AGENT_ANSWER", Retry: retry}
	}
	proof, err := s.c.Auth.Prove(r.Context(), r.SID(), purpose, answer, p)
	if err == nil {
		return proof, s.c.Office.KeySigned(r.Context(), ra.KeySignature{Certificate: proof.Certificate, Purpose: purpose,
			Challenge: proof.Challenge.Text(), Signature: answer, Report: proof.Report})
	}
	if purpose == purposeSignIn {
		if err := keepExpired(r, err); err != nil {
			return nil, err
		}
	}
	err = web.RefusalOf(err, retry)
	if f, ok := errors.AsType[web.Refusal](err); ok && f.Code == trust.CodeExpired {
		f.Code = "KEY_EXPIRED_NO_RENEWAL"
		return nil, f
	}
	return nil, err
}

// proveSame is prove for someone who has signed in: the answer must be by a key of the same person.
func (s *cabinet) proveSame(r *web.Request, purpose, digest, retry string) (*auth.Proof, error) {
	proof, err := s.prove(r, purpose, trust.Signing, retry)
	if err != nil {
		return nil, err
	}
	if proof.Challenge.Digest != digest {
		return nil, web.Refusal{Code: auth.CodeStale, Retry: retry}
	}
	if proof.Holder.IIN != r.Session().IIN {
		return nil, web.Refusal{Code: "CERT_OTHER_PERSON", Retry: retry}
	}
	return proof, nil
}
