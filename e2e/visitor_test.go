package e2e

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"senim/cms"
	"senim/dsig"
	"senim/internal/ident"
	"senim/internal/lang"
	"senim/internal/participant"
	"senim/internal/pkitest"
	"senim/internal/robot"
)

// visitor is a person at a tab who looks at a world's portal. The agent beside him answers at once: its
// windows have their own tests.
type visitor struct {
	*tab
	w    *world
	site string // where pages open: the portal's origin, or the desk's
}

// visitor gives the world's tab to the next person: nobody is signed in, and nothing is begun.
func (w *world) visitor(t *testing.T) *visitor {
	t.Helper()
	w.pass(time.Minute) // examples of one world do not spend each other's turns
	if w.tab == nil {
		w.tab = newTab(w.t, browser(w.t), &robot.System{}, "ru")
	}
	return w.take(t, w.tab)
}

// take gives a tab to somebody of whom the site knows nothing.
func (w *world) take(t *testing.T, of *tab) *visitor {
	t.Helper()
	if _, err := chromedp.Call(of.ctx, network.ClearBrowserCookies, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	own := *of
	own.t = t
	return &visitor{&own, w, w.origin}
}

// beside gives another tab, for who is there at the same time; when the example is over the next one takes it, as
// opening a tab with cookies of its own takes the browser a second.
func (w *world) beside(t *testing.T) *visitor {
	t.Helper()
	var of *tab
	if n := len(w.spare); n > 0 {
		of, w.spare = w.spare[n-1], w.spare[:n-1]
	} else {
		of = newTab(w.t, browser(w.t), &robot.System{}, "ru")
	}
	t.Cleanup(func() { w.spare = append(w.spare, of) })
	return w.take(t, of)
}

// fill sets fields at once, by name and value.
func (v *visitor) fill(fields ...string) *visitor {
	v.t.Helper()
	for i := 0; i+1 < len(fields); i += 2 {
		v.act("fill "+fields[i], chromedp.SetValue(css("main [name=%q]", fields[i]), fields[i+1]))
	}
	return v
}

// at opens a page of the site.
func (v *visitor) at(path string) *visitor {
	v.t.Helper()
	v.open(v.site + path)
	return v
}

// stands checks where the visitor is.
func (v *visitor) stands(suffix string) *visitor {
	v.t.Helper()
	if where := v.where(); !strings.HasSuffix(where, suffix) {
		v.t.Fatalf("stands at %s, want …%s:\n%s", where, suffix, v.text())
	}
	return v
}

// where is the path of the page, with its question.
func (v *visitor) where() string {
	v.t.Helper()
	return read(v.tab, "where", chromedp.Evaluate[string](`location.pathname + location.search`))
}

// silent checks that nothing of the page, seen or not, tells the words.
func (v *visitor) silent(words ...string) *visitor {
	v.t.Helper()
	all := read(v.tab, "read the source", chromedp.Evaluate[string](`document.documentElement.outerHTML`))
	for _, one := range words {
		if strings.Contains(all, one) {
			v.t.Errorf("%s tells %q", v.where(), one)
		}
	}
	return v
}

// unfold opens what the page has folded.
func (v *visitor) unfold() *visitor {
	v.t.Helper()
	read(v.tab, "unfold", chromedp.Evaluate[bool](`document.querySelectorAll("main details").forEach((d) => { d.open = true }), true`))
	return v
}

// signature is what the agent answers the page's form for a key.
func (v *visitor) signature(l *pkitest.Leaf) string {
	v.t.Helper()
	var call struct {
		Args struct{ Format, Data string }
	}
	v.w.must(json.Unmarshal([]byte(read(v.tab, "the request", chromedp.Evaluate[string](`document.querySelector("main form[data-agent]").dataset.agent`))), &call))
	signed := ""
	switch call.Args.Format {
	case "cms":
		content, err := base64.StdEncoding.DecodeString(call.Args.Data)
		v.w.must(err)
		der, err := cms.Sign(rand.Reader, cms.Options{Key: l.Key, Certificate: l.Certificate, Content: content, Detached: true, SigningTime: v.w.time()})
		v.w.must(err)
		signed = base64.StdEncoding.EncodeToString(der)
	case "xml":
		doc, err := dsig.SignEnveloped(rand.Reader, []byte(call.Args.Data), dsig.Options{Key: l.Key, Certificate: l.Certificate})
		v.w.must(err)
		signed = string(doc)
	default:
		v.t.Fatalf("the page asks for the format %q", call.Args.Format)
	}
	answer, err := json.Marshal([]string{signed})
	v.w.must(err)
	return string(answer)
}

// answer puts an answer into the form as the page's script does, and posts it.
func (w *tab) answer(answer string) {
	w.t.Helper()
	w.mark()
	w.act("put the answer", chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](script(`(function(answer){
			const f = document.querySelector("main form[data-agent]");
			f.elements[f.dataset.agentField].value = answer;
			HTMLFormElement.prototype.submit.call(f);
			return true;
		})(%s)`, answer)))
		return err
	}))
	w.arrive()
}

// sign has the page's form signed with a key.
func (v *visitor) sign(l *pkitest.Leaf) *visitor {
	v.t.Helper()
	v.answer(v.signature(l))
	return v
}

// begin starts a registration and stands on step 1.
func (v *visitor) begin(c participant.Category) *visitor {
	v.t.Helper()
	v.at("/register").tick("category", string(c)).submit("/register")
	return v.stands("/1")
}

// step2 fills the data of a person without an account.
func (v *visitor) step2(email string) *visitor {
	v.t.Helper()
	v.stands("/2").fill("email", email, "email2", email, "password", passB, "password2", passB).submit("/2")
	return v.stands("/3")
}

// register goes through the four steps as the head of X, up to the letter.
func (v *visitor) register(l *pkitest.Leaf) *visitor {
	v.t.Helper()
	return v.begin(participant.LegalEntity).sign(l).step2("b@example.kz").sign(l).stands("/4")
}

// finish opens the newest letter's link, signs in with a key, and gives the password.
func (v *visitor) finish(l *pkitest.Leaf, password string) *visitor {
	v.t.Helper()
	return v.at(v.w.path("N-15")).sign(l).stands("/login/password").password(password)
}

// password gives it on the page that asks.
func (v *visitor) password(password string) *visitor {
	v.t.Helper()
	v.fill("password", password).submit("/login/password")
	return v
}

// enter signs in with key and password.
func (v *visitor) enter(l *pkitest.Leaf, password string) *visitor {
	v.t.Helper()
	return v.at("/login").sign(l).stands("/login/password").password(password)
}

// individual is somebody who registered before, with the second password.
func individual(iin ident.IIN, name, email string) participant.Seeded {
	return participant.Seeded{IIN: iin, Name: name, Email: email, Password: passB, Lang: lang.RU,
		Profiles: []participant.SeededProfile{{Category: participant.Individual, TIN: string(iin), Name: name}}}
}

// repost posts an answer from a page of the portal that has no form for it, as a copied request would.
func (v *visitor) repost(path, answer string) {
	v.t.Helper()
	v.mark()
	read(v.tab, "post it", chromedp.Evaluate[bool](script(`(function(path, answer){
		const f = document.createElement("form"), i = document.createElement("input");
		f.method = "post"; f.action = path; i.name = "answer"; i.value = answer;
		f.append(i); document.body.append(f); f.submit();
		return true;
	})(%s, %s)`, path, answer)))
	v.arrive()
}
