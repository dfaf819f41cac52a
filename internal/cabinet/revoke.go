package cabinet

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"senim/internal/auth"
	"senim/internal/ra"
	"senim/internal/web"
	"senim/pki"
)

const purposeRevoke = "revoke"

// wish is what the person wants revoked, kept in the session until it is signed.
type wish struct {
	Serials []string
	Reason  string
	Text    string
	Since   time.Time
}

// each is the wish key by key, as the office takes it.
func (v wish) each() []ra.Revocation {
	all := make([]ra.Revocation, len(v.Serials))
	for i, serial := range v.Serials {
		all[i] = ra.Revocation{Serial: serial, Reason: v.Reason, Text: v.Text, Since: v.Since, With: v.Serials}
	}
	return all
}

// digest names the wish in the challenge.
func (v wish) digest() string {
	h := sha256.New()
	for _, one := range v.each() {
		h.Write([]byte(one.Digest()))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// keyChoice is the keys a revocation is asked for, and what may be said of them.
type keyChoice struct {
	Cards []web.Key
	// Reasons may be given for every one of them.
	Reasons []string
	// BIN is the organisation in whose name other people's keys are revoked; empty when all are one's own.
	BIN string
	// Stops are what will not work any more, in words.
	Stops []string
}

// chosen are the keys on the page, each one the person may revoke.
func (s *cabinet) chosen(r *web.Request, serials []string) (v keyChoice, err error) {
	if len(serials) == 0 || len(serials) > 50 {
		return v, web.Refusal{Code: "KEY_UNKNOWN", Status: http.StatusNotFound, Next: []web.Link{{Text: "cabinet.next.keys", Href: "/keys"}}}
	}
	for i, serial := range serials {
		k, as, err := s.revocable(r, serial)
		if err != nil {
			return v, err
		}
		if !k.RevokedAt.IsZero() && k.Reason != "certificateHold" {
			return v, web.Refusal{Code: "ALREADY_REVOKED", Evidence: map[string]string{"date": k.RevokedAt.UTC().Format(time.RFC3339)},
				Next: []web.Link{{Text: "cabinet.next.keys", Href: "/keys"}}}
		}
		may := ra.Reasons(as)
		if i == 0 {
			v.Reasons = may
		}
		v.Reasons = slices.DeleteFunc(v.Reasons, func(one string) bool { return !slices.Contains(may, one) })
		if as != ra.AsOwner {
			v.BIN = k.BIN
		}
		card, err := s.card(r, k)
		if err != nil {
			return v, err
		}
		card.Actions = nil
		v.Cards = append(v.Cards, card)
	}
	v.Stops = stops(v.Cards)
	return v, nil
}

// stops names what ends with keys (V3).
func stops(cards []web.Key) (all []string) {
	for _, k := range cards {
		for _, can := range k.Can {
			if !slices.Contains(all, can) {
				all = append(all, can)
			}
		}
	}
	return all
}

// revocable asks the office about a key on behalf of the person as he will sign: with the session's
// certificate, or as head of the key's organisation with a living head's key of his.
func (s *cabinet) revocable(r *web.Request, serial string) (ra.Key, ra.Standing, error) {
	c, err := r.Certificate()
	if err != nil {
		return ra.Key{}, "", err
	}
	k, as, first := s.c.Office.Revocable(r.Context(), c.Holder(), serial)
	if first == nil {
		return k, as, nil
	}
	mine, err := s.c.Keys.Of(r.Context(), r.Session().IIN)
	if err != nil {
		return ra.Key{}, "", err
	}
	for _, other := range mine {
		if !other.Live(s.c.Now()) || other.BIN == "" {
			continue
		}
		oc, err := pki.ParseCertificate(other.Raw)
		if err != nil {
			return ra.Key{}, "", err
		}
		if k, as, err := s.c.Office.Revocable(r.Context(), oc.Holder(), serial); err == nil {
			return k, as, nil
		}
	}
	return ra.Key{}, "", first
}

// serialsOf reads which keys are meant: one, or all of the previous head of a BIN.
func (s *cabinet) serialsOf(r *web.Request) ([]string, error) {
	if bin := r.URL.Query().Get("previous"); bin != "" {
		keys, err := s.c.Office.PreviousHead(r.Context(), ra.Viewer{IIN: r.Session().IIN, BIN: bin})
		var all []string
		for _, k := range keys {
			all = append(all, k.Serial)
		}
		return all, err
	}
	return r.URL.Query()["serial"], nil
}

// askRevoke asks for the reason.
func (s *cabinet) askRevoke(w http.ResponseWriter, r *web.Request) error {
	serials, err := s.serialsOf(r)
	if err != nil {
		return err
	}
	of, err := s.chosen(r, serials)
	if err != nil {
		return err
	}
	reason := r.URL.Query().Get("reason")
	if of.BIN != "" && reason == "" {
		reason = "affiliationChanged"
	}
	return r.OK(w, revokePage(r, of, wish{Serials: serials, Reason: reason}, nil))
}

// chooseRevoke checks the reason and keeps the wish for the signature.
func (s *cabinet) chooseRevoke(w http.ResponseWriter, r *web.Request) error {
	v := wish{Serials: r.PostForm["serial"], Reason: r.Field("reason"), Text: r.Field("text")}
	of, err := s.chosen(r, v.Serials)
	if err != nil {
		return s.refusedRevoke(r, v, err)
	}
	var errs web.Errors
	if !slices.Contains(of.Reasons, v.Reason) {
		errs.Add("reason", r.T("cabinet.error.reason"))
	}
	if v.Reason == "unspecified" && v.Text == "" {
		errs.Add("text", r.T("cabinet.error.reason_text"))
	}
	if len([]rune(v.Text)) > ra.MaxReason {
		errs.Add("text", r.T("cabinet.code.REASON_LONG"))
	}
	if typed := r.Field("since"); typed != "" && v.Reason == "keyCompromise" {
		if v.Since, err = time.Parse(time.DateOnly, typed); err != nil || v.Since.After(s.c.Now()) {
			errs.Add("since", r.T("cabinet.error.since"))
		}
	}
	if len(errs) > 0 {
		return r.Invalid(w, revokePage(r, of, v, errs))
	}
	kept, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if err := r.Set(map[string]string{"revoke": string(kept)}); err != nil {
		return err
	}
	if of.BIN == "" {
		return r.Redirect("/keys/revoke/sign")
	}
	return s.toFactor(r, v.about(), "/keys/revoke/sign")
}

// refusedRevoke records who asked for what he may not.
func (s *cabinet) refusedRevoke(r *web.Request, v wish, why error) error {
	c, err := r.Certificate()
	if err != nil {
		return err
	}
	one := ra.Revocation{Reason: v.Reason}
	if len(v.Serials) > 0 {
		one.Serial = v.Serials[0]
	}
	return s.c.Office.RevocationRefused(r.Context(), c, one, why)
}

func keptWish(r *web.Request) (v wish, ok bool) {
	return v, json.Unmarshal([]byte(r.Value("revoke")), &v) == nil && len(v.Serials) > 0
}

// askRevokeSignature shows what will stop working, and asks for the signature.
func (s *cabinet) askRevokeSignature(w http.ResponseWriter, r *web.Request) error {
	v, ok := keptWish(r)
	if !ok {
		return r.Redirect("/keys")
	}
	of, err := s.chosen(r, v.Serials)
	if err != nil {
		return err
	}
	if open, err := s.othersOpen(r, v, of.BIN == ""); err != nil {
		return err
	} else if !open {
		return r.Redirect(factorPath(v.about(), "/keys/revoke/sign"))
	}
	c, err := r.Ask(purposeRevoke, v.digest())
	if err != nil {
		return err
	}
	signer := web.Signer{IIN: r.Session().IIN, BIN: of.BIN}
	return r.OK(w, revokeSignPage(r, of, v, web.SignChallenge(r.Lang(), c, signer)))
}

// revoke takes the signature, revokes, and ends the sessions the keys had opened.
func (s *cabinet) revoke(w http.ResponseWriter, r *web.Request) error {
	v, ok := keptWish(r)
	if !ok {
		return r.Redirect("/keys")
	}
	proof, err := s.proveSame(r, purposeRevoke, v.digest(), "/keys/revoke/sign")
	if err != nil {
		return err
	}
	var first time.Time
	for _, one := range v.each() {
		at, err := s.c.Office.Revoke(r.Context(), proof.Certificate, one)
		if err != nil {
			return back(err, "/keys/revoke/sign")
		}
		if first.IsZero() {
			first = at
		}
	}
	own := slices.Contains(v.Serials, r.Session().Serial)
	// The revocation itself ends the sessions of the key, and may have ended this one already.
	if err := r.Set(map[string]string{"revoke": ""}); err != nil && (!own || !auth.IsNotFound(err)) {
		return err
	}
	for _, serial := range v.Serials {
		if _, err := s.c.Auth.EndWhere(r.Context(), auth.Filter{Serial: serial}, auth.ByCertificate); err != nil {
			return err
		}
	}
	return r.OK(w, revokedPage(r, v, first, own))
}
