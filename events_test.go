package senim

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"senim/internal/audit"
)

// sources parses every file of the programs: no tests, no tests' help, no generated pages.
func sources(t *testing.T, dirs ...string) map[string]*ast.File {
	t.Helper()
	files := map[string]*ast.File{}
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, "_templ.go") || strings.Contains(path, "storetest") {
				return err
			}
			files[path], err = parser.ParseFile(token.NewFileSet(), path, nil, 0)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// recorded finds every action the code records: literals given to audit.Event, and to functions that
// pass a parameter named "action" on to it. A literal that something is added to is a beginning.
type recorded struct {
	t          *testing.T
	whole      map[string]string // action → where
	beginnings map[string]string
	carriers   map[string]int // function → which parameter is the action
}

func textOf(e ast.Expr) (string, bool) {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(l.Value)
	return s, err == nil
}

// action takes the expression of an action.
func (r *recorded) action(where string, e ast.Expr) {
	if s, ok := textOf(e); ok {
		r.whole[s] = where
		return
	}
	switch e := e.(type) {
	case *ast.BinaryExpr:
		if s, ok := textOf(e.X); ok {
			r.beginnings[s] = where
			return
		}
	case *ast.Ident:
		if e.Name == "action" {
			return // a parameter or a variable of that name: looked at where it gets its value
		}
	}
	r.t.Errorf("%s: an action is made in a way this test cannot follow", where)
}

func (r *recorded) find(path string, f *ast.File) {
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CompositeLit:
			if s, ok := n.Type.(*ast.SelectorExpr); ok && s.Sel.Name == "Event" {
				if x, ok := s.X.(*ast.Ident); ok && x.Name == "audit" {
					for _, e := range n.Elts {
						if kv, ok := e.(*ast.KeyValueExpr); ok && kv.Key.(*ast.Ident).Name == "Action" {
							r.action(path, kv.Value)
						}
					}
				}
			}
		case *ast.AssignStmt:
			for i, left := range n.Lhs {
				s, isField := left.(*ast.SelectorExpr)
				id, isName := left.(*ast.Ident)
				if len(n.Lhs) == len(n.Rhs) && (isField && s.Sel.Name == "Action" || isName && id.Name == "action") {
					if _, ok := textOf(n.Rhs[i]); ok {
						r.action(path, n.Rhs[i])
					}
				}
			}
		case *ast.CallExpr:
			name := ""
			switch f := n.Fun.(type) {
			case *ast.Ident:
				name = f.Name
			case *ast.SelectorExpr:
				name = f.Sel.Name
			}
			if i, ok := r.carriers[filepath.Dir(path)+"."+name]; ok && i < len(n.Args) {
				r.action(path, n.Args[i])
			}
		}
		return true
	})
}

// carry notes the functions with a parameter named "action" of packages that record.
func (r *recorded) carry(path string, f *ast.File) {
	if !slices.ContainsFunc(f.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == `"senim/internal/audit"` }) && !strings.Contains(path, "/ra/") {
		return
	}
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Type.Params == nil {
			continue
		}
		at := 0
		for _, field := range fn.Type.Params.List {
			for _, name := range field.Names {
				if name.Name == "action" && fn.Name.Name != "LastAudit" {
					r.carriers[filepath.Dir(path)+"."+fn.Name.Name] = at
				}
				at++
			}
		}
	}
}

// Every action recorded anywhere is in the list, and everything in the list is recorded somewhere.
func TestSec6EveryEventIsListed(t *testing.T) {
	r := &recorded{t: t, whole: map[string]string{}, beginnings: map[string]string{}, carriers: map[string]int{}}
	files := sources(t, "internal", "cmd")
	for path, f := range files {
		r.carry(path, f)
	}
	for path, f := range files {
		r.find(path, f)
	}
	if len(r.whole) < 60 || len(r.carriers) < 4 {
		t.Fatalf("only %d actions and %d functions were found: the test does not see the code", len(r.whole), len(r.carriers))
	}
	listed := map[string]bool{}
	last := ""
	for _, a := range audit.Actions() {
		if a.Name <= last || a.Meaning == "" || a.Class == "" {
			t.Errorf("%s: out of order, or without meaning or class", a.Name)
		}
		last = a.Name
		listed[a.Name] = true
		_, used := r.whole[a.Name]
		for b := range r.beginnings {
			used = used || strings.HasPrefix(a.Name, b)
		}
		if !used {
			t.Errorf("%s is listed and nothing records it", a.Name)
		}
	}
	for name, where := range r.whole {
		if !listed[name] {
			t.Errorf("%s records %q, which audit.Actions does not list", where, name)
		}
	}
	for b, where := range r.beginnings {
		if !slices.ContainsFunc(audit.Actions(), func(a audit.Action) bool { return strings.HasPrefix(a.Name, b) }) {
			t.Errorf("%s records actions beginning with %q, and none is listed", where, b)
		}
	}
}

// acts says what each route and each act of the authority leaves in the audit: its actions, or after
// "none:" why nothing is to be recorded. A new one fails the test until it has a line.
func acts() map[string]string {
	const shown, later = "none: nothing changes, the page shows what was asked", "none: goes on in the visitor's session; the signature that follows is recorded"
	const planned = "none: says what would be done, and does nothing"
	return map[string]string{
		"cabinet POST /signin": "auth.proof application.key_signed application.installed", "cabinet POST /email/{token}": "email.confirmed", "cabinet POST /check": "check.done",
		"cabinet POST /unsubscribe/{token}": "unsubscribed",
		"cabinet POST /signup":              later, "cabinet POST /signup/sign": "auth.proof account.created account.changed",
		"cabinet POST /keys/reissue": "application.saved", "cabinet POST /keys/revoke": later, "cabinet POST /keys/revoke/sign": "auth.proof cert.revocation.asked cert.revocation.done hold.set ca.revoked",
		"cabinet POST /apply/legal": shown, "cabinet POST /apply/legal/data": "application.saved", "cabinet POST /applications/{number}/edit": "application.edited",
		"cabinet POST /applications/{number}/keys": "application.requests", "cabinet POST /applications/{number}/sign": "application.signed application.routed application.approved application.rejected",
		"cabinet POST /applications/{number}/install": "application.installed application.key_signed application.install.failed", "cabinet POST /applications/{number}/withdraw": "application.withdrawn",
		"cabinet POST /applications/{number}/later":   "application.offer_answered",
		"cabinet POST /applications/{number}/consent": "registry.consent.asked", "cabinet POST /applications/{number}/recheck": "registry.answer.given application.routed application.rejected",
		"cabinet POST /confirm/sign": "application.confirmed application.approved application.rejected", "cabinet POST /confirm/reject": shown,
		"cabinet POST /apply/legal/employee": shown, "cabinet POST /apply/legal/employee/data": "application.saved",
		"cabinet POST /delegation/new": later, "cabinet POST /delegation/sign": "delegation.made", "cabinet POST /delegation/{id}/end": "delegation.ended",
		"cabinet POST /company/dismiss":     "employee.dismissed cert.revocation.asked cert.revocation.done application.rejected delegation.ended",
		"cabinet POST /company/return/{id}": "employee.returned",
		"cabinet POST /factor":              "factor.started factor.passed", "cabinet POST /factor/code": "factor.passed factor.failed",
		"cabinet POST /profile/link": "email.link.sent", "cabinet POST /profile/reminders": "unsubscribed resubscribed",
		"cabinet POST /check/person": "check.searched", "cabinet POST /check/consent/{token}": "consent.used",
		"cabinet POST /keys/share": "consent.given", "cabinet POST /keys/share/end": "consent.ended",
		"cabinet POST /reports": "report.made", "cabinet POST /reports/{id}": "report.downloaded",

		"cabinet POST /calendar/link": "feed.created feed.revoked", "cabinet POST /calendar/revoke": "feed.revoked", "cabinet POST /calendar/staff": "feed.changed",
		"cabinet POST /calendar/digest":              "digest.chosen",
		"cabinet POST /applications/{number}/upload": "application.requests", "cabinet POST /applications/{number}/received": "application.installed application.install.failed",
		"cabinet POST /api/renewals/challenge": later, "cabinet POST /api/renewals/signin": "auth.proof", "cabinet POST /api/renewals": "folder.added batch.saved application.saved",
		"cabinet POST /api/renewals/{id}/keys": "application.requests", "cabinet POST /api/renewals/{id}/sign": "application.signed application.routed application.approved application.rejected",
		"cabinet POST /api/renewals/{id}/install": "application.installed application.key_signed application.install.failed", "cabinet POST /api/renewals/{id}/code": "factor.started factor.passed factor.failed",
		"cabinet POST /many/list": "folder.added", "cabinet POST /many/forget": "folder.removed", "cabinet POST /many/choose": shown,
		"cabinet POST /many/batches": "batch.saved application.saved", "cabinet POST /many/{id}/keys": "application.requests",
		"cabinet POST /many/{id}/sign": "application.signed application.routed application.approved application.rejected", "cabinet POST /many/{id}/install": "application.installed application.key_signed application.install.failed",

		"portal POST /login": "challenge.verified challenge.failed signin.failed", "portal POST /login/password": "signin.failed signin.locked signin.ok", "portal POST /login/profile": "profile.chosen",
		"portal POST /register": "reg.started", "portal POST /register/confirm": "challenge.verified challenge.failed", "portal POST /register/{id}/1": "challenge.verified challenge.failed cert.checked",
		"portal POST /register/{id}/2": "reg.data", "portal POST /register/{id}/3": "agreement.signed reg.signed challenge.failed reg.refused", "portal POST /register/{id}/4": "reg.mail.sent", "portal POST /register/{id}/consent": "registry.consent.asked",
		"portal POST /login/change-email": later, "portal POST /login/change-email/sign": "challenge.verified challenge.failed email.change.asked", "portal POST /login/change-email/confirm": "email.change.confirmed",
		"portal POST /login/change-email/not-me": "email.change.disputed session.closed", "portal POST /login/reset-password": "password.reset.asked",
		"portal POST /login/reset-password/set": later, "portal POST /login/reset-password/sign": "challenge.verified challenge.failed password.reset.done",
		"portal POST /me/password": later, "portal POST /me/password/sign": "challenge.verified challenge.failed details.saved", "portal POST /me/details": later, "portal POST /me/details/sign": "details.saved",
		"portal POST /register/{id}/cancel": "reg.refused", "portal POST /me/agreements/sign/{profile}": "agreement.signed",
		"portal POST /org/users/invite": later, "portal POST /org/users/invite/{id}": "invite.sent", "portal POST /org/users/withdraw": "invite.removed",
		"portal POST /org/users/sign": "invite.reconfirmed invite.removed profile.status",
		"portal POST /invite":         "challenge.verified challenge.failed invite.accepted", "portal POST /invite/accept": "invite.accepted profile.status",
		"portal POST /me/sessions/end": "session.closed",
		"portal POST /login/passkey":   "signin.failed signin.ok", "portal POST /login/recover": "password.reset.asked",
		"portal POST /login/expired": later, "portal POST /login/expired/sign": "challenge.verified challenge.failed details.saved",
		"portal POST /me/passkeys": shown, "portal POST /me/passkeys/new": later, "portal POST /me/passkeys/sign": "challenge.verified challenge.failed passkey.added", "portal POST /me/passkeys/remove": "passkey.removed",

		"oidc POST /oidc/request/{id}": "challenge.verified challenge.failed oidc.allowed oidc.declined", "oidc POST /me/services": "oidc.withdrawn",
		"oidc POST /oidc/end":   "none: ends one's own session, which must work when nothing can be recorded",
		"oidc POST /oidc/token": "oidc.ended", "oidc POST /oidc/revoke": "oidc.ended", "oidc POST /oidc/userinfo": "none: tells a service what oidc.allowed says it may know",

		"desk POST /desk/signin": "auth.proof", "desk POST /desk/registry/new": "none: a draft that nobody acts on; registry.clerk.change.made is when it is signed",
		"desk POST /desk/registry/{id}": "auth.proof registry.clerk.change.made registry.clerk.change.confirmed registry.clerk.change.rejected registry.clerk.change.refused",

		"desk POST /desk/loads":        "registry.load.received registry.load.staged registry.row.quarantined registry.load.waiting registry.load.accepted registry.calendar.changed registry.load.refused",
		"desk POST /desk/loads/{load}": "registry.load.confirmed registry.load.refused",

		"cabinet POST /visit":  "application.awaiting_desk",
		"desk POST /desk/find": "check.searched", "desk POST /desk/take": "application.awaiting_desk desk.refused", "desk POST /desk/list": "desk.listed",
		"desk POST /desk/applications/{number}/examine":      "desk.examined desk.refused",
		"desk POST /desk/applications/{number}/change":       "application.edited desk.refused",
		"desk POST /desk/applications/{number}/reject":       "application.rejected desk.refused",
		"desk POST /desk/applications/{number}/contact":      "desk.contact account.created account.changed factor.started desk.refused",
		"desk POST /desk/applications/{number}/keys":         "desk.requests desk.refused",
		"desk POST /desk/applications/{number}/identify":     "desk.identified desk.refused",
		"desk POST /desk/applications/{number}/override":     later,
		"desk POST /desk/applications/{number}/approve":      "desk.approved desk.override application.approved desk.refused",
		"desk POST /desk/applications/{number}/install":      "application.installed application.key_signed application.install.failed desk.refused",
		"desk POST /desk/keys/{serial}":                      "none: a draft that nobody acts on; desk.act_signed or desk.revoked is when it is signed. Refused: desk.refused",
		"desk POST /desk/acts/{id}":                          "desk.act_signed desk.act_decided desk.act_rejected desk.revoked hold.set hold.lifted desk.refused",
		"desk POST /desk/applications/{number}/contact/code": "email.confirmed factor.passed factor.failed desk.refused",
		"desk POST /desk/participants":                       "none: shows what was asked; the number stands in no address and no record",
		"desk POST /desk/participants/act":                   "none: a draft that nobody acts on; admin.block or admin.unblock is when it is signed",
		"desk POST /desk/participants/acts/{id}":             "admin.block admin.unblock profile.status session.closed",
		"desk POST /desk/applications/{number}/phone":        "factor.started desk.refused",
		"desk POST /desk/applications/{number}/phone/code":   "phone.checked factor.passed factor.failed desk.refused",
		"desk POST /desk/messages/{id}":                      "notice.settled",
		"desk POST /desk/reports":                            "report.made",
		"desk POST /desk/reports/{report}":                   "report.downloaded",

		"responder POST /ocsp": "ocsp.answered", "responder POST /ocsp/{$}": "ocsp.answered",
		"responder POST /tsp": "tsa.serials_taken", "responder POST /tsp/{$}": "tsa.serials_taken",

		"caapi POST /certificates": "api.call ca.will_sign ca.issued ca.refused", "caapi POST /certificates/{serial}/renew": "api.call ca.will_sign ca.issued ca.refused",
		"caapi POST /certificates/{serial}/revoke": "api.call ca.revoked ca.reason_changed ca.hold_made_final", "caapi POST /certificates/{serial}/hold": "api.call ca.revoked",
		"caapi POST /certificates/{serial}/release": "api.call ca.hold_lifted",

		// What only people do, in a ceremony or by a command.
		"ca Create": "ca.will_create ca.created ca.will_publish ca.recorded ca.retired", "ca Request": "ca.requested", "ca SignRequest": "ca.will_create ca.created",
		"ca Install": "ca.recorded ca.retired ca.will_create ca.created", "ca UpperList": "ca.will_publish ca.list_published",
		"ca RevokeAuthority": "ca.authority_revoked ca.retired ca.will_publish ca.list_published", "ca Divide": "ca.lists_divided",
		"ca Check": planned, "ca CheckRequest": planned, "ca CheckUpper": planned, "ca CheckRevocation": planned, "ca NextGeneration": "none: writes a plan; Create carries it out",
		"ca Reconcile": "ca.reconciled application.reconciled ca.revoked ca.reason_changed ca.hold_lifted ca.hold_made_final ca.will_publish ca.list_published", "ca Return": "ca.returned ca.hold_lifted", "ca Compare": shown, "ca Unlisted": shown,
		"ca Renew": "ca.will_create ca.created", "ca ServiceEnds": shown,

		"ca Open":  "ca.profiles_set ca.profile_added ca.profile_changed ca.profile_retired",
		"ca Issue": "ca.will_sign ca.issued ca.refused", "ca Revoke": "ca.revoked ca.reason_changed ca.hold_made_final", "ca RevokeAll": "ca.revoked ca.reason_changed ca.hold_made_final",
		"ca Release": "ca.hold_lifted", "ca Publish": "ca.will_publish ca.list_published", "ca PublishJob": "ca.will_publish ca.list_published",
		"ca Tend": "ca.will_publish ca.list_published ca.will_create ca.created", "ca TendJob": "ca.will_publish ca.list_published ca.will_create ca.created",
		"ca Recover": "ca.issued ca.closed ca.revoked", "ca OCSP": "ocsp.answered", "ca Answer": "ocsp.answered", "ca Kept": "ocsp.answered",
		"ca Suspend": "none: the authority does nothing until ca.reconciled", "ca TimeStamper": "none: gives the key to the time-stamping authority, whose tokens are in tsa.serials_taken",
		"ca Certificate": shown, "ca Living": shown, "ca Companies": shown, "ca ByHolder": shown, "ca Expiring": shown, "ca CRL": shown, "ca Authorities": shown, "ca Profiles": shown, "ca Search": shown,
		"ca Counts": shown, "ca Suspended": shown,

		"tsa Answer": "tsa.serials_taken", "tsa Stamp": "tsa.serials_taken", "tsa CheckClock": "tsa.clock_checked", "tsa Ready": shown,

		"access Add": "api.client_added", "access Disable": "api.client_disabled", "access Rotate": "api.client_rotated", "access Clients": shown, "access Identify": shown,
		"access Begin": "none: keeps the place of the answer; api.call comes with it", "access Finish": "api.call", "access Drop": "api.call", "access Record": "api.call",
		"access Approve": "none: one voice lifts nothing; the call is api.call, both together ca.hold_lifted", "access Seconded": shown,
		"access SweepJob": "none: forgets answers nobody asks for again; the calls stay recorded",
	}
}

// A test walks every route that may change something and every act of the authority.
func TestSec6EveryActHasItsEvent(t *testing.T) {
	found := map[string]bool{}
	for _, site := range []string{"cabinet", "portal", "oidc", "desk", "responder", "caapi"} {
		for _, f := range sources(t, filepath.Join("internal", site)) {
			loops(f, site, found)
		}
	}
	for site, works := range map[string]string{"ca": "Service", "tsa": "Authority", "access": "Gate"} {
		for _, f := range sources(t, filepath.Join("internal", site)) {
			for _, d := range f.Decls {
				fn, ok := d.(*ast.FuncDecl)
				if !ok || !fn.Name.IsExported() {
					continue
				}
				takesContext := len(fn.Type.Params.List) > 0 && len(fn.Type.Params.List[0].Names) > 0 && fn.Type.Params.List[0].Names[0].Name == "ctx" || strings.HasSuffix(fn.Name.Name, "Job")
				if (fn.Recv == nil && takesContext) || (fn.Recv != nil && receiver(fn) == works) {
					found[site+" "+fn.Name.Name] = true
				}
			}
		}
	}
	if len(found) < 100 {
		t.Fatalf("only %d routes and acts were found: the test does not see the code", len(found))
	}
	known := map[string]bool{}
	for _, a := range audit.Actions() {
		known[a.Name] = true
	}
	table := acts()
	for what := range found {
		if table[what] == "" {
			t.Errorf("%s has no line in acts: which record does it leave?", what)
		}
	}
	for what, actions := range table {
		if !found[what] {
			t.Errorf("acts has a line for %s, which is not there", what)
		}
		if strings.HasPrefix(actions, "none: ") {
			continue
		}
		for _, a := range strings.Fields(actions) {
			if !known[a] {
				t.Errorf("%s: no action %q", what, a)
			}
		}
	}
}

func receiver(fn *ast.FuncDecl) string {
	if s, ok := fn.Recv.List[0].Type.(*ast.StarExpr); ok {
		if id, ok := s.X.(*ast.Ident); ok {
			return id.Name
		}
	}
	return ""
}

// loops finds the patterns of routes: literals, and "POST …/"+path where path walks the keys of a map.
func loops(f *ast.File, site string, found map[string]bool) {
	keys := []string{}
	ast.Inspect(f, func(n ast.Node) bool {
		if r, ok := n.(*ast.RangeStmt); ok {
			if m, ok := r.X.(*ast.CompositeLit); ok {
				for _, e := range m.Elts {
					if kv, ok := e.(*ast.KeyValueExpr); ok {
						if k, ok := textOf(kv.Key); ok {
							keys = append(keys, k)
						}
					}
				}
			}
		}
		return true
	})
	ast.Inspect(f, func(n ast.Node) bool {
		if b, ok := n.(*ast.BinaryExpr); ok {
			if s, ok := textOf(b.X); ok && changes(s) {
				for _, k := range keys {
					found[site+" "+s+k] = true
				}
				return false
			}
		}
		if e, ok := n.(ast.Expr); ok {
			if s, ok := textOf(e); ok && changes(s) {
				found[site+" "+s] = true
			}
		}
		return true
	})
}

// changes reports the pattern of a route that is not only looked at.
func changes(s string) bool {
	for _, method := range []string{"POST /", "PUT /", "PATCH /", "DELETE /"} {
		if strings.HasPrefix(s, method) {
			return true
		}
	}
	return false
}

// What doc/audit.md names is there: actions, commands, tests, files.
func TestAuditDocumentNamesWhatExists(t *testing.T) {
	b, err := os.ReadFile("doc/audit.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	known := map[string]bool{}
	for _, a := range audit.Actions() {
		known[a.Name] = true
		if !strings.Contains(text, "`"+a.Name+"`") {
			t.Errorf("doc/audit.md does not name the action %s", a.Name)
		}
	}
	tests, tables := map[string]bool{}, map[string]bool{}
	err = filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		switch {
		case strings.HasSuffix(path, "_test.go"):
			src, err := os.ReadFile(path)
			for _, m := range regexp.MustCompile(`(?m)^func (Test\w+|Fuzz\w+)\(`).FindAllStringSubmatch(string(src), -1) {
				tests[m[1]] = true
			}
			return err
		case strings.HasSuffix(path, ".sql"):
			src, err := os.ReadFile(path)
			for _, m := range regexp.MustCompile(`create table if not exists (\w+)`).FindAllStringSubmatch(string(src), -1) {
				tables[m[1]] = true
			}
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	main, err := os.ReadFile("cmd/senim/audit.go")
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(text, -1) {
		what := m[1]
		var ok bool
		switch {
		case strings.HasPrefix(what, "Test") || strings.HasPrefix(what, "Fuzz"):
			ok = tests[what]
		case strings.HasPrefix(what, "senim audit "):
			verb := strings.Fields(what)[2]
			ok = regexp.MustCompile(`(?i)(?m)^\t` + verb + ` +audit`).Match(main)
		case regexp.MustCompile(`^(doc|internal|cmd)/[\w./-]+$`).MatchString(what):
			_, err := os.Stat(what)
			ok = err == nil
		case regexp.MustCompile(`^(ca|audit|ra)_[a-z_]+$`).MatchString(what):
			ok = tables[what]
		case regexp.MustCompile(`^[a-z_]+(\.[a-z_]+)+$`).MatchString(what):
			ok = known[what]
		default:
			continue
		}
		named++
		if !ok {
			t.Errorf("doc/audit.md names %q, and there is no such thing", what)
		}
	}
	if named < 100 {
		t.Errorf("doc/audit.md names only %d things: the test does not see it", named)
	}
}
