package main

import (
	"fmt"
	"strings"

	"senim/internal/robot"
)

// walk is one person with one browser on one page. Its methods do nothing after the first that
// failed; err then says what failed. So a story reads as a list of acts.
type walk struct {
	t   *tour
	b   *robot.Browser
	p   *robot.Page
	err error
}

// person opens a new browser.
func (t *tour) person() *walk { return &walk{t: t, b: robot.NewBrowser(t.lang)} }

// to takes the page an act led to.
func (w *walk) to(p *robot.Page, err error) *walk {
	if w.err = err; err == nil {
		w.p = p
		w.t.note("page  %s  «%s»", p.URL.Path, p.Heading())
	}
	return w
}

// open goes to an address.
func (w *walk) open(address string) *walk {
	if w.err != nil {
		return w
	}
	return w.to(w.b.Open(w.t.ctx, address))
}

// follow takes the first link whose address matches.
func (w *walk) follow(pattern string) *walk {
	if w.err != nil {
		return w
	}
	return w.to(w.p.Follow(w.t.ctx, pattern))
}

// send fills fields, given as name, value, name, value, of the form with part, and presses its button.
func (w *walk) send(part string, fields ...string) *walk { return w.attach(part, "", nil, fields...) }

// attach is send with a file in the field of a name; "" is none.
func (w *walk) attach(part, name string, file []byte, fields ...string) *walk {
	if w.err != nil {
		return w
	}
	f, err := w.p.Form(part)
	if err != nil {
		w.err = err
		return w
	}
	for i := 0; i+1 < len(fields); i += 2 {
		f.Set(fields[i], fields[i+1])
	}
	if name != "" {
		f.Attach(name, file)
	}
	return w.to(f.Submit(w.t.ctx))
}

// use presses the button of the form with part that needs the agent, and chooses in its window.
func (w *walk) use(part string, c robot.Choice) *walk {
	if w.err != nil {
		return w
	}
	return w.to(w.t.sys.Use(w.t.ctx, w.p, part, c, func(v robot.View) { w.t.note("agent's window  «%s»  asked by %s", v.Title, v.Site.Origin) }))
}

// until waits, as a page that refreshes itself does, for a form that needs the agent.
func (w *walk) until(part string) *walk {
	if w.err != nil {
		return w
	}
	w.p, w.err = w.p.Until(w.t.ctx, func(p *robot.Page) bool {
		f, err := p.Form(part)
		return err == nil && f.Request() != ""
	})
	return w
}

// at fails unless the page's path ends so.
func (w *walk) at(suffix string) *walk {
	if w.err == nil && !strings.HasSuffix(w.p.URL.Path, suffix) {
		w.err = fmt.Errorf("%s is not %s: %s", w.p.URL.Path, suffix, w.p.Text())
	}
	return w
}

// sees fails unless the page shows the words.
func (w *walk) sees(words ...string) *walk {
	for _, one := range words {
		if w.err == nil && !w.p.Has(one) {
			w.err = fmt.Errorf("%s does not show %q: %s", w.p.URL.Path, one, w.p.Text())
		}
	}
	return w
}

// refused fails unless the page is a refusal with the code, and prints what it says.
func (w *walk) refused(code string) *walk {
	switch {
	case w.err != nil:
	case w.p.Code() != code:
		w.err = fmt.Errorf("%s: the page refuses with %q, not %q: %s", w.p.URL.Path, w.p.Code(), code, w.p.Text())
	default:
		w.t.note("refused as it should be, %s: %s", code, shorten(w.p.Text()))
	}
	return w
}

// passed fails when the page is a refusal.
func (w *walk) passed() *walk {
	if w.err == nil && w.p.Code() != "" {
		w.err = fmt.Errorf("%s: refused, %s: %s", w.p.URL.Path, w.p.Code(), w.p.Text())
	}
	return w
}

// says prints what the person reads.
func (w *walk) says() *walk {
	if w.err == nil {
		w.t.note("he reads: %s", shorten(w.p.Text()))
	}
	return w
}

// factor chooses e-mail for the second factor, reads the code in the mail box, and types it.
func (w *walk) factor(email string) *walk {
	w.send("kind", "kind", "email").at("/factor").passed()
	if w.err != nil {
		return w
	}
	code, err := w.t.sys.Code(w.t.ctx, email)
	if err != nil {
		w.err = err
		return w
	}
	w.t.note("a letter to %s brings the code", email)
	return w.send("code", "code", code).passed()
}

// signIn answers the challenge of a sign-in page.
func (w *walk) signIn(address string, k robot.Choice) *walk { return w.open(address).use("answer", k) }

// portalKey signs in to the portal with a key, then the password.
func (w *walk) portalKey(k robot.Choice, password string) *walk {
	return w.signIn(w.t.sys.Portal+"/login", k).passed().send("password", "password", password)
}

// portalMe is portalKey that leads to «Мои реквизиты».
func (w *walk) portalMe(k robot.Choice, password string) *walk {
	return w.portalKey(k, password).open(w.t.sys.Portal + "/me").at("/me")
}

// letter waits for a letter, prints it, and gives its link to a page when part is not empty.
func (t *tour) letter(to, words, part string) (link string, err error) {
	l, err := t.sys.Letter(t.ctx, to, words)
	if err != nil {
		return "", err
	}
	t.note("letter to %s  «%s»", to, l.Subject)
	for line := range strings.SplitSeq(strings.TrimSpace(l.Text), "\n") {
		if strings.TrimSpace(line) != "" {
			t.note("  │ %s", line)
		}
	}
	if part == "" {
		return "", nil
	}
	for _, one := range l.Links {
		if strings.Contains(one, part) {
			return one, nil
		}
	}
	return "", fmt.Errorf("the letter «%s» has no link to %s", l.Subject, part)
}
