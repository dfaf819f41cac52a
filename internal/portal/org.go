package portal

import (
	"errors"
	"net/http"
	"strings"

	"senim/internal/ident"
	"senim/internal/participant"
	"senim/internal/web"
)

// headed is who is signed in as the head of an enterprise, for the pages about its users.
func (s *site) headed(h func(http.ResponseWriter, *web.Request, participant.Profile) error) web.Handler {
	return person(func(w http.ResponseWriter, r *web.Request, iin ident.IIN) error {
		if r.Value(profileID) == "" {
			return r.Redirect("/login/profile")
		}
		p, err := s.office.Headed(r.Context(), iin, r.Value(profileID), r.Value(keyBIN))
		if err != nil {
			return &stopped{err: err, next: []web.Link{{Text: r.T("portal.menu.profile"), Href: "/login/profile"}}}
		}
		return h(w, r, p)
	})
}

// orgData is the page of an enterprise's users.
type orgData struct {
	head    participant.Profile
	users   []participant.User
	invited []participant.Invitation
	// gate is what was found when the registration that has just ended was completed.
	gate participant.Evidence
	done bool
}

// waiting reports whether somebody waits for this head's word.
func (d orgData) waiting(r *web.Request) bool {
	for _, u := range d.users {
		if d.confirmable(r, u) {
			return true
		}
	}
	return false
}

// usersWait reports whether users of the head's enterprise wait for his word; for anybody else they never do.
func (s *site) usersWait(r *web.Request, p participant.Profile) (bool, error) {
	if !p.Type.Heads() {
		return false, nil
	}
	users, _, err := s.office.Users(r.Context(), p)
	return orgData{head: p, users: users}.waiting(r), err
}

func (d orgData) confirmable(r *web.Request, u participant.User) bool {
	return u.IIN != d.head.IIN && u.Confirmable(r.Now())
}

// usable reports whether the page's form can do anything.
func (d orgData) usable() bool {
	for _, u := range d.users {
		if u.Removable() {
			return true
		}
	}
	return false
}

// orgPage is «Пользователи предприятия».
func (s *site) orgPage(w http.ResponseWriter, r *web.Request, head participant.Profile) error {
	return s.showOrg(w, r, http.StatusOK, head, nil)
}

func (s *site) showOrg(w http.ResponseWriter, r *web.Request, status int, head participant.Profile, errs web.Errors) error {
	users, invited, err := s.office.Users(r.Context(), head)
	if err != nil {
		return err
	}
	d := orgData{head: head, users: users, invited: invited, done: r.URL.Query().Get("done") == "1"}
	if d.done {
		if d.gate, err = s.office.ProfileEvidence(r.Context(), head); err != nil {
			return err
		}
	}
	return r.Render(w, status, orgView(r, d, errs))
}

// orgSign is a page that asks for the head's one signature over the chosen users.
type orgSign struct {
	action   participant.UserAction
	users    []participant.User
	document string
	signer   web.Signer
}

// ids are the profiles in one field of the form; an id has no commas.
func (d orgSign) ids() string {
	var all []string
	for _, u := range d.users {
		all = append(all, u.ID)
	}
	return strings.Join(all, ",")
}

// orgSignPage shows what exactly will be signed about the chosen users.
func (s *site) orgSignPage(w http.ResponseWriter, r *web.Request, head participant.Profile) error {
	q := r.URL.Query()
	action, ok := participant.ParseUserAction(q.Get("do"))
	if !ok {
		return r.Redirect("/org/users")
	}
	if len(q["user"]) == 0 {
		var errs web.Errors
		errs.Add("users", r.T("invite.users.none_chosen"))
		return s.showOrg(w, r, http.StatusUnprocessableEntity, head, errs)
	}
	users, doc, err := s.office.UsersDocument(r.Context(), head, action, q["user"])
	if err != nil {
		return &stopped{err: err, retry: "/org/users"}
	}
	return r.OK(w, orgSignView(r, orgSign{action: action, users: users, document: string(doc), signer: headSigner(head)}))
}

// headSigner is the key a head signs with: of his enterprise, or his own when he trades or practises under his IIN.
func headSigner(head participant.Profile) web.Signer {
	signer := web.Signer{IIN: string(head.IIN)}
	if head.Type.Enterprise() {
		signer.BIN = head.TIN
	}
	return signer
}

// orgSigned does it.
func (s *site) orgSigned(_ http.ResponseWriter, r *web.Request, head participant.Profile) error {
	action, ok := participant.ParseUserAction(r.Field("do"))
	if !ok {
		return r.Redirect("/org/users")
	}
	signed, err := web.SignedXML(r.Field("answer"))
	if err == nil {
		err = s.office.SettleUsers(r.Context(), head, action, strings.Split(r.Field("users"), ","), signed)
	}
	if err != nil {
		return &stopped{err: err, retry: "/org/users"}
	}
	return r.Redirect("/org/users")
}

func (s *site) inviteWithdrawn(_ http.ResponseWriter, r *web.Request, head participant.Profile) error {
	if err := s.office.Withdraw(r.Context(), head, r.Field("id")); err != nil {
		return &stopped{err: err, retry: "/org/users"}
	}
	return r.Redirect("/org/users")
}

// invitePage is the form of an invitation.
func (s *site) invitePage(w http.ResponseWriter, r *web.Request, head participant.Profile) error {
	return r.OK(w, inviteView(r, head, nil))
}

var inviteFields = []string{"iin", "email", "permissions", "proxy", "from", "to"}

func permissionField(p participant.Permission) string { return "may_" + string(p) }

func (s *site) inviteGiven(w http.ResponseWriter, r *web.Request, head participant.Profile) error {
	f := participant.InviteForm{IIN: r.Field("iin"), Email: r.Field("email"), Proxy: r.Field("proxy"), From: r.Field("from"), To: r.Field("to")}
	for _, p := range participant.Permissions() {
		if r.Field(permissionField(p)) != "" {
			f.Permissions = append(f.Permissions, string(p))
		}
	}
	i, err := s.office.Offer(r.Context(), head, f, r.Lang())
	var wrong participant.FieldErrors
	switch {
	case errors.As(err, &wrong):
		var errs web.Errors
		for _, name := range inviteFields {
			switch code := wrong[name]; code {
			case "":
			case "FIELD_EMPTY":
				errs.Add(name, r.T("portal.data.empty", "field", r.T("invite.field."+name)))
			default:
				errs.Add(name, r.T("codes."+code))
			}
		}
		return r.Invalid(w, inviteView(r, head, errs))
	case err != nil:
		return &stopped{err: err, retry: "/org/users"}
	}
	return r.Redirect("/org/users/invite/" + i.ID)
}

// inviteSignPage shows the invitation as it will be signed.
func (s *site) inviteSignPage(w http.ResponseWriter, r *web.Request, head participant.Profile) error {
	i, doc, err := s.office.Draft(r.Context(), head, r.PathValue("id"))
	if err != nil {
		return &stopped{err: err}
	}
	return r.OK(w, inviteSignView(r, i, string(doc), headSigner(head)))
}

// inviteSigned sends the letter.
func (s *site) inviteSigned(w http.ResponseWriter, r *web.Request, head participant.Profile) error {
	id := r.PathValue("id")
	signed, err := web.SignedXML(r.Field("answer"))
	var i participant.Invitation
	if err == nil {
		i, err = s.office.Invite(r.Context(), head, id, signed)
	}
	if err != nil {
		return &stopped{err: err, retry: "/org/users/invite/" + id}
	}
	return r.OK(w, saidView(r, "invite.sent", []any{"email", i.Email, "date", r.DateTime(i.Expires)},
		[]web.Link{{Text: r.T("invite.users.title"), Href: "/org/users"}, {Text: r.T("invite.another"), Href: "/org/users/invite"}}))
}

// grantRows say what an invited user may do, by which power of attorney, and when.
func grantRows(r *web.Request, g participant.Grant) []web.Row {
	var may []string
	for _, p := range g.Permissions {
		may = append(may, r.T("invite.may."+string(p)))
	}
	return []web.Row{
		{Label: r.T("invite.field.permissions"), Value: strings.Join(may, "; ")},
		{Label: r.T("invite.field.proxy"), Value: g.Proxy},
		{Label: r.T("invite.field.term"), Value: term(r, g)},
	}
}

func term(r *web.Request, g participant.Grant) string {
	if g.To.IsZero() {
		return ""
	}
	return r.T("invite.term", "from", r.Date(g.From), "to", r.Date(g.LastDay()))
}

// statusText names a profile's status; BLOCKED by the head is not BLOCKED by the administrator.
func statusText(r *web.Request, p participant.Profile) string {
	if p.Status == participant.Blocked && p.Reason == participant.ReasonRemoved {
		return r.T("invite.status.removed")
	}
	return r.T("portal.status." + string(p.Status))
}

// userState is a user's state in a word, with the kind of its tag.
func userState(r *web.Request, u participant.User) (kind, text string) {
	switch code := u.Allowed(u.TIN, r.Now()); {
	case u.Status != participant.Active:
		return "stop", statusText(r, u.Profile)
	case code == "PROXY_NOT_YET":
		return "soon", r.T("invite.state.not_yet")
	case code != "":
		return "stop", r.T("invite.state.over")
	case !u.ReconfirmBy.IsZero():
		return "soon", r.T("invite.state.waits", "date", r.DateTime(u.ReconfirmBy))
	}
	return "good", statusText(r, u.Profile)
}
