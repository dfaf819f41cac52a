package cabinet

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"senim/internal/ident"
	"senim/internal/lang"
	"senim/internal/ra"
	"senim/internal/web"
)

const purposeAccount = "account"

// account is what was typed on «Регистрация», kept in the session until it is signed.
type account struct{ Email, City, Lang string }

func (a account) digest() string {
	sum := sha256.Sum256([]byte("senim account 1\n" + a.Email + "\n" + a.City + "\n" + a.Lang + "\n"))
	return hex.EncodeToString(sum[:])
}

// askAccount shows the form of the first visit; afterwards it changes the data.
func (s *cabinet) askAccount(w http.ResponseWriter, r *web.Request) error {
	a, err := s.c.Office.Account(r.Context(), r.Session().IIN)
	first := errors.Is(err, ra.ErrNotFound)
	if err != nil && !first {
		return err
	}
	typed := account{a.Email, a.City, string(a.Lang)}
	switch {
	case first:
		typed.Email, typed.Lang = emailOf(r), string(r.Lang())
	case a.Next != "":
		typed.Email = a.Next
	}
	return r.OK(w, accountPage(r, typed, first, nil))
}

// emailOf proposes the address in the certificate.
func emailOf(r *web.Request) string {
	c, err := r.Certificate()
	if err != nil || len(c.Emails) == 0 {
		return ""
	}
	return c.Emails[0]
}

// takeAccount checks what was typed and keeps it for the signature.
func (s *cabinet) takeAccount(w http.ResponseWriter, r *web.Request) error {
	_, err := s.c.Office.Account(r.Context(), r.Session().IIN)
	first := errors.Is(err, ra.ErrNotFound)
	if err != nil && !first {
		return err
	}
	a := account{r.Field("email"), r.Field("city"), r.Field("lang")}
	var errs web.Errors
	if a.Email != "" {
		if _, err := ident.ParseEmail(a.Email); err != nil {
			errs.Add("email", r.T("cabinet.error.email"))
		} else if !strings.EqualFold(a.Email, r.Field("email2")) {
			errs.Add("email2", r.T("cabinet.error.email2"))
		}
	}
	if len([]rune(a.City)) > 100 {
		errs.Add("city", r.T("cabinet.error.city"))
	}
	if _, ok := lang.Parse(a.Lang); !ok {
		errs.Add("lang", r.T("cabinet.error.lang"))
	}
	if first && r.Field("consent") != "yes" {
		errs.Add("consent", r.T("cabinet.error.consent"))
	}
	if len(errs) > 0 {
		return r.Invalid(w, accountPage(r, a, first, errs))
	}
	kept, err := json.Marshal(a)
	if err != nil {
		return err
	}
	if err := r.Set(map[string]string{"account": string(kept)}); err != nil {
		return err
	}
	return r.Redirect("/signup/sign")
}

func keptAccount(r *web.Request) (a account, ok bool) {
	return a, json.Unmarshal([]byte(r.Value("account")), &a) == nil
}

// askAccountSignature shows what will be signed.
func (s *cabinet) askAccountSignature(w http.ResponseWriter, r *web.Request) error {
	a, ok := keptAccount(r)
	if !ok {
		return r.Redirect("/signup")
	}
	c, err := r.Ask(purposeAccount, a.digest())
	if err != nil {
		return err
	}
	return r.OK(w, accountSignPage(r, a, c))
}

// signAccount takes the signature and writes the account; a new address gets a letter.
func (s *cabinet) signAccount(_ http.ResponseWriter, r *web.Request) error {
	a, ok := keptAccount(r)
	if !ok {
		return r.Redirect("/signup")
	}
	if _, err := s.proveSame(r, purposeAccount, a.digest(), "/signup/sign"); err != nil {
		return err
	}
	if _, err := s.c.Office.Register(r.Context(), r.Session().IIN, a.Email, a.City, lang.Tag(a.Lang)); err != nil {
		return err
	}
	next := r.Value("next")
	if err := r.Set(map[string]string{"account": "", "next": ""}); err != nil {
		return err
	}
	if next == "" {
		next = "/profile"
	}
	if lang.Tag(a.Lang) != r.Lang() {
		next = inLanguage(next, lang.Tag(a.Lang))
	}
	return r.Redirect(next)
}

// inLanguage makes a path show its page, and those after it, in a language.
func inLanguage(path string, t lang.Tag) string {
	u, err := url.Parse(path)
	if err != nil {
		return path
	}
	q := u.Query()
	q.Set("lang", string(t))
	u.RawQuery = q.Encode()
	return u.String()
}

// askEmail shows the button of a link from a letter; mail scanners that follow links change nothing.
func (s *cabinet) askEmail(w http.ResponseWriter, r *web.Request) error {
	link, err := s.c.Office.Link(r.Context(), r.PathValue("token"))
	if err != nil {
		return staleLink(err)
	}
	return r.OK(w, emailPage(r, ident.MaskEmail(ident.Email(link.Email)), false))
}

// confirmEmail uses the link.
func (s *cabinet) confirmEmail(w http.ResponseWriter, r *web.Request) error {
	link, err := s.c.Office.Link(r.Context(), r.PathValue("token"))
	if err != nil {
		return staleLink(err)
	}
	if err := s.c.Office.ConfirmEmail(r.Context(), r.PathValue("token")); err != nil {
		return staleLink(err)
	}
	return r.OK(w, emailPage(r, ident.MaskEmail(ident.Email(link.Email)), true))
}

// staleLink offers a new link where one is (C-38).
func staleLink(err error) error {
	var no *ra.Refusal
	if !errors.As(err, &no) || no.Code != "LINK_STALE" {
		return err
	}
	return web.Refusal{Code: no.Code, Next: []web.Link{{Text: "profile.link.new", Href: "/profile"}}}
}
